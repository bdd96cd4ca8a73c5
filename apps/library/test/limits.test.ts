// Goal: every field of the configuration does what it says. Method: databases on an in-memory disk that counts syncs and
// shows its files, with a simulated clock where time matters.
import { SimEnv } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { Config, GraphDB, MemoryVfs } from '../src/index.ts';
import type { Vfs, Warning } from '../src/index.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { contentOf } from './support/content.ts';
import { expectSound } from './support/open.ts';
import { addSmallGraph } from './support/small-graph.ts';

const MIB = 1024 * 1024;

/** A disk in memory that counts the syncs of files. */
class CountingVfs extends MemoryVfs {
  readonly synced: string[] = [];

  override open(...[path, mode]: Parameters<Vfs['open']>): ReturnType<Vfs['open']> {
    const file = super.open(path, mode);
    const sync = file.sync.bind(file);
    file.sync = (kind): void => {
      this.synced.push(path);
      sync(kind);
    };
    return file;
  }

  /** Syncs of the files of a database while `work` runs, by the ending of their names. */
  during(work: () => void): string[] {
    this.synced.length = 0;
    work();
    const ending = (path: string): string => path.slice(path.indexOf('graph.db') + 'graph.db'.length);
    return this.synced.map((path) => ending(path).replace('.spare', '')); // a spare file becomes the log by a new name
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

function files(vfs: Vfs): string[] {
  return vfs.list('.').filter((name) => name.startsWith('graph.db'));
}

/** Bytes of all log segments. */
function logBytes(vfs: Vfs): number {
  return files(vfs)
    .filter((name) => name.endsWith('-wal'))
    .reduce((sum, name) => sum + (vfs.stat(name)?.size ?? 0), 0);
}

describe('pageSize', () => {
  it.each([4096, 8192, 16_384, 32_768, 65_536])('%i is kept by the file', (pageSize) => {
    const vfs = new MemoryVfs();
    const created = GraphDB.open('graph.db', { vfs, pageSize });
    addSmallGraph(created);
    const before = contentOf(created);
    created.close();
    for (const again of [undefined, pageSize]) {
      const db = GraphDB.open('graph.db', { vfs, pageSize: again });
      expect([db.pageSize, db.stats().pageSize, contentOf(db)]).toEqual([pageSize, pageSize, before]);
      expectSound(db);
      db.close();
    }
    const other = pageSize === 4096 ? 8192 : 4096;
    expect(codeOf(() => GraphDB.open('graph.db', { vfs, pageSize: other }))).toBe('SOMBRA_PAGE_SIZE');
    expect(() => GraphDB.open('graph.db', { vfs, pageSize: other })).toThrow(`pages of ${pageSize} bytes`);
  });

  it('is 8192 by default', () => {
    const db = GraphDB.open(':memory:');
    expect(db.pageSize).toBe(8192);
    db.close();
  });
});

describe('cacheSize', () => {
  it('bounds the pages in memory, and changes no answer', () => {
    const small = GraphDB.open(':memory:', { cacheSize: 16, maxTransactionPages: 500 });
    const large = GraphDB.open(':memory:', { cacheSize: 4000 });
    for (const db of [small, large]) {
      for (let i = 0; i < 40; i += 1) {
        db.transaction((tx) => {
          for (let j = 0; j < 50; j += 1) {
            const id = tx.addNode('N', { text: 'x'.repeat(300), i, j });
            if (id > 10) tx.addEdge(id, 1 + ((id * 7919) % (id - 1)), 'E');
          }
        });
      }
    }
    expect(contentOf(small)).toEqual(contentOf(large));
    expect(small.stats().pager.cachePages).toBeLessThanOrEqual(16);
    expect(small.stats().pager.evictions).toBeGreaterThan(100);
    expect(large.stats().pager.evictions).toBe(0);
    expectSound(small);
    small.close();
    large.close();
  });
});

describe('enableWal', () => {
  it('false keeps the log out of the file system, and can be turned on later', () => {
    const vfs = new MemoryVfs();
    const without = GraphDB.open('graph.db', { vfs, enableWal: false });
    addSmallGraph(without);
    expect(files(vfs).filter((name) => name.endsWith('-wal'))).toEqual([]);
    const before = contentOf(without);
    without.close();
    const withLog = GraphDB.open('graph.db', { vfs });
    expect(contentOf(withLog)).toEqual(before);
    withLog.addNode('More');
    expect(files(vfs)).toContain('graph.db-wal');
    withLog.close();
    expect(files(vfs)).toEqual(['graph.db']);
    const again = GraphDB.open('graph.db', { vfs, enableWal: false });
    expect([again.nodeCount(), again.nodeCount('More')]).toEqual([4, 1]);
    again.close();
  });
});

describe('maxDatabaseSizeMb', () => {
  it('refuses the write that would cross it; reading and deleting go on', () => {
    const vfs = new MemoryVfs();
    const db = GraphDB.open('graph.db', { vfs, maxDatabaseSizeMb: 2 });
    const ids: number[] = [];
    let before: unknown;
    const code = codeOf(() => {
      for (;;) {
        before = [db.nodeCount(), db.lsn];
        db.transaction((tx) => {
          for (let i = 0; i < 10; i += 1) ids.push(tx.addNode('Big', { bytes: new Uint8Array(20_000) }));
        });
      }
    });
    expect([code, [db.nodeCount(), db.lsn]]).toEqual(['SOMBRA_DATABASE_FULL', before]);
    expect(db.nodeCount()).toBeGreaterThan(50);
    db.deleteNode(ids[0]!);
    db.transaction((tx) => {
      for (const id of ids.slice(1, 21)) tx.deleteNode(id);
    });
    db.addNode('Big', { bytes: new Uint8Array(20_000) });
    expectSound(db);
    db.close();
    expect(vfs.stat('graph.db')!.size).toBeLessThanOrEqual(2 * MIB);
  });
});

describe('maxWalSizeMb', () => {
  it('keeps the log of a writer in a tight loop within the limit', () => {
    const vfs = new MemoryVfs();
    const db = GraphDB.open('graph.db', { vfs, maxWalSizeMb: 1 });
    let most = 0;
    let mostOnDisk = 0;
    for (let i = 0; i < 1500; i += 1) {
      db.addNode('N', { text: 'x'.repeat(4000) });
      most = Math.max(most, db.stats().pager.logBytesSinceCheckpoint);
      mostOnDisk = Math.max(mostOnDisk, logBytes(vfs));
    }
    const transaction = 64 * 1024;
    const segment = 0.25 * MIB; // files of the log come and go as wholes
    expect(db.stats().pager.logBytes).toBeGreaterThan(5 * MIB);
    expect(most).toBeLessThanOrEqual(1 * MIB + transaction);
    expect(mostOnDisk).toBeLessThanOrEqual(1 * MIB + transaction + segment);
    expect(db.stats().pager.checkpoints).toBeGreaterThan(4);
    db.close();
  });

  it('lets the log grow beyond it while a snapshot needs it, with a warning, and shrink afterwards', async () => {
    const vfs = new MemoryVfs();
    const warnings: Warning[] = [];
    const db = GraphDB.open('graph.db', { vfs, maxWalSizeMb: 1, onWarning: (warning) => warnings.push(warning) });
    addSmallGraph(db);
    const snapshot = db.snapshot();
    for (let i = 0; i < 800; i += 1) db.addNode('N', { text: 'x'.repeat(4000) });
    expect(logBytes(vfs)).toBeGreaterThan(2 * MIB);
    expect([snapshot.nodeCount(), db.nodeCount()]).toEqual([3, 803]);
    expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_LOG_OVER_LIMIT']);
    snapshot.release();
    await endOfTurn(); // reads share one view until then
    db.checkpoint();
    expect(logBytes(vfs)).toBeLessThanOrEqual(1 * MIB);
    expectSound(db);
    db.close();
  });
});

describe('walHardLimitMb', () => {
  it('refuses writes while a snapshot keeps the log, until it is released', async () => {
    const db = GraphDB.open(':memory:', { maxWalSizeMb: 1, walHardLimitMb: 2, onWarning: () => undefined });
    addSmallGraph(db);
    const snapshot = db.snapshot();
    const code = codeOf(() => {
      for (let i = 0; i < 2000; i += 1) db.addNode('N', { text: 'x'.repeat(4000) });
    });
    expect([code, snapshot.nodeCount()]).toEqual(['SOMBRA_LOG_FULL', 3]);
    snapshot.release();
    await endOfTurn();
    db.checkpoint();
    expect(codeOf(() => db.addNode('N'))).toBe('no error');
    expectSound(db);
    db.close();
  });
});

describe('readTimeoutMs', () => {
  it('ends a snapshot that keeps the log over its limit for too long', async () => {
    const env = new SimEnv({ seed: 1 });
    const vfs = new MemoryVfs({ env });
    const db = GraphDB.open('graph.db', { vfs, maxWalSizeMb: 1, readTimeoutMs: 1000, onWarning: () => undefined });
    addSmallGraph(db);
    const patient = db.snapshot();
    env.advance(5000);
    expect(patient.nodeCount()).toBe(3); // the log is small: it may be as old as it likes
    for (let i = 0; i < 600; i += 1) db.addNode('N', { text: 'x'.repeat(4000) });
    env.advance(5000);
    await endOfTurn();
    expect(codeOf(() => patient.nodeCount())).toBe('SOMBRA_SNAPSHOT_TOO_OLD');
    patient.release();
    db.checkpoint();
    expect(db.stats().pager.checkpointLsn).toBe(db.lsn);
    db.close();
  });
});

describe('locking', () => {
  it("shared: connections see each other's commits from the next turn on, and write in turns", async () => {
    const vfs = new MemoryVfs();
    const one = GraphDB.open('graph.db', { vfs });
    const two = GraphDB.open('graph.db', { vfs, busyTimeoutMs: 0 });
    const { ada } = addSmallGraph(one);
    await endOfTurn();
    expect([two.nodeCount(), two.getNodeProperty(ada, 'name')]).toEqual([3, 'Ada']);
    two.addNode('New', { fromTwo: true });
    await endOfTurn();
    expect(one.countNodes({ label: 'New', where: { fromTwo: true } })).toBe(1);
    using snapshot = two.snapshot();
    const open = one.beginTransaction();
    open.addNode('New', { fromOne: true });
    const refused = thrownBy(() => two.addNode('New'));
    expect([refused.name, refused.code]).toEqual(['IoError', 'SOMBRA_BUSY']);
    expect(refused.details).toMatchObject({ pid: process.pid });
    open.commit();
    await endOfTurn();
    expect([two.nodeCount('New'), snapshot.nodeCount('New')]).toEqual([2, 1]);
    one.close();
    two.addNode('New');
    expectSound(two);
    two.close();
    expect(files(vfs)).toEqual(['graph.db']);
  });

  it('shared: a loop that never yields sees what others committed more than 100 ms ago', () => {
    const env = new SimEnv({ seed: 1 });
    const vfs = new MemoryVfs({ env });
    const one = GraphDB.open('graph.db', { vfs });
    const two = GraphDB.open('graph.db', { vfs });
    expect(two.nodeCount()).toBe(0);
    one.addNode('New');
    env.sleep(101);
    const seen = Array.from({ length: 64 }, () => two.nodeCount());
    expect([seen[0], seen.at(-1)]).toEqual([0, 1]);
    one.close();
    two.close();
  });

  it('exclusive: no other connection until it is closed', () => {
    const vfs = new MemoryVfs();
    const db = GraphDB.open('graph.db', { vfs, locking: 'exclusive' });
    addSmallGraph(db);
    for (const locking of ['shared', 'exclusive'] as const) {
      const error = thrownBy(() => GraphDB.open('graph.db', { vfs, locking, busyTimeoutMs: 0 }));
      expect([error.name, error.code]).toEqual(['IoError', 'SOMBRA_BUSY']);
      expect(error.details).toMatchObject({ pid: process.pid });
      expect(error.message).toContain(`process ${process.pid}`);
    }
    db.close();
    const shared = GraphDB.open('graph.db', { vfs });
    expect(codeOf(() => GraphDB.open('graph.db', { vfs, locking: 'exclusive', busyTimeoutMs: 0 }))).toBe('SOMBRA_BUSY');
    shared.close();
  });
});

describe('maxTransactionPages', () => {
  it('aborts the whole transaction at the first page beyond', () => {
    const db = GraphDB.open(':memory:', { maxTransactionPages: 100 });
    addSmallGraph(db);
    const before = contentOf(db);
    const add = (count: number): void =>
      db.transaction((tx) => {
        for (let i = 0; i < count; i += 1) tx.addNode('Page', { bytes: new Uint8Array(7000) });
      });
    expect(codeOf(() => add(120))).toBe('SOMBRA_TRANSACTION_PAGES');
    expect(contentOf(db)).toEqual(before);
    add(40);
    expect(db.nodeCount()).toBe(43);
    expectSound(db);
    db.close();
  });
});

describe('autoCheckpointIntervalMs', () => {
  const opened = (config: Config): { db: GraphDB; env: SimEnv; vfs: CountingVfs; warnings: Warning[] } => {
    const env = new SimEnv({ seed: 1 });
    const vfs = new CountingVfs({ env });
    const warnings: Warning[] = [];
    const db = GraphDB.open('graph.db', { ...config, vfs, onWarning: (warning) => warnings.push(warning) });
    return { db, env, vfs, warnings };
  };

  it('checkpoints by the clock when there is something to bring over', () => {
    const { db, env, warnings } = opened({ autoCheckpointIntervalMs: 30_000 });
    const checkpoints = (): number => db.stats().pager.checkpoints;
    addSmallGraph(db);
    const before = checkpoints();
    env.advance(29_999);
    expect(checkpoints()).toBe(before);
    env.advance(1);
    expect([checkpoints(), db.stats().pager.checkpointLsn]).toEqual([before + 1, db.lsn]);
    env.advance(300_000);
    expect(checkpoints()).toBe(before + 1);
    db.addNode('More');
    env.advance(30_000);
    expect(checkpoints()).toBe(before + 2);
    db.close();
    env.advance(300_000);
    expect(warnings).toEqual([]);
  });

  it('does none without an interval, or when read-only', () => {
    const { db, env, vfs } = opened({});
    addSmallGraph(db);
    const before = db.stats().pager.checkpoints;
    env.advance(2 ** 31);
    expect(db.stats().pager.checkpoints).toBe(before);
    db.close();
    const readOnly = GraphDB.open('graph.db', { vfs, readOnly: true, autoCheckpointIntervalMs: 10 });
    env.advance(100);
    readOnly.close();
  });

  it('goes on, with a warning, when one fails; while a transaction is open, too', () => {
    const { db, env, vfs, warnings } = opened({ autoCheckpointIntervalMs: 1000 });
    addSmallGraph(db);
    const tx = db.beginTransaction();
    tx.addNode('Open');
    const { stat } = vfs;
    const failure = new Error('stat');
    vfs.stat = () => {
      throw failure;
    };
    env.advance(1000);
    vfs.stat = stat;
    expect(warnings.map(({ code, cause }) => [code, cause])).toEqual([['SOMBRA_CHECKPOINT_FAILED', failure]]);
    env.advance(1000);
    expect(db.stats().pager.checkpointLsn).toBe(db.lsn);
    tx.commit();
    expect([warnings.length, db.nodeCount('Open')]).toEqual([1, 1]);
    db.close();
  });
});

describe('syncing', () => {
  it.each<[string, Config, string[]]>([
    ['full', {}, ['-wal']],
    ['production', Config.production(), ['-wal']],
    ['normal', { syncMode: 'normal' }, []],
    ['off', { syncMode: 'off' }, []],
    ['fsyncEnabled false', { fsyncEnabled: false }, []],
    ['enableWal false', { enableWal: false }, []],
  ])('%s: what a commit syncs', (_name, config, expected) => {
    const vfs = new CountingVfs();
    const db = GraphDB.open('graph.db', { ...config, vfs, autoCheckpointIntervalMs: null });
    db.addNode('First');
    expect(vfs.during(() => db.addNode('Second'))).toEqual(expected);
    const checkpoint = vfs.during(() => db.checkpoint());
    expect(checkpoint.filter((ending) => ending === '').length).toBeGreaterThanOrEqual(2);
    db.close();
  });
});

describe('readOnly and createIfMissing', () => {
  it('read-only: reads, and refuses every write', () => {
    const vfs = new MemoryVfs();
    const created = GraphDB.open('graph.db', { vfs });
    const { ada, knows } = addSmallGraph(created);
    const before = contentOf(created);
    created.close();
    const bytes = vfs.stat('graph.db');
    const db = GraphDB.open('graph.db', { vfs, readOnly: true });
    expect([db.readOnly, contentOf(db)]).toEqual([true, before]);
    const writes = [
      () => db.transaction(() => 1),
      () => db.beginTransaction(),
      () => db.addNode('X'),
      () => db.addEdge(ada, ada, 'X'),
      () => db.deleteEdge(knows),
      () => db.bulkLoad({ nodes: [], edges: [] }),
      () => db.checkpoint(),
    ];
    for (const write of writes) expect([String(write), codeOf(write)]).toEqual([String(write), 'SOMBRA_READ_ONLY']);
    expect(db.inTransaction).toBe(false);
    expectSound(db);
    using snapshot = db.snapshot();
    expect(contentOf(snapshot)).toEqual(before);
    db.close();
    expect([files(vfs), vfs.stat('graph.db')]).toEqual([['graph.db'], bytes]);
  });

  it('create nothing when told so', () => {
    const vfs = new MemoryVfs();
    expect(codeOf(() => GraphDB.open('graph.db', { vfs, readOnly: true }))).toBe('SOMBRA_NOT_FOUND');
    expect(codeOf(() => GraphDB.open('graph.db', { vfs, createIfMissing: false }))).toBe('SOMBRA_NOT_FOUND');
    expect(files(vfs)).toEqual([]);
    expect(codeOf(() => GraphDB.open(':memory:', { readOnly: true }))).toBe('SOMBRA_CONFIG');
    expect(codeOf(() => GraphDB.open(':memory:', { createIfMissing: false }))).toBe('SOMBRA_CONFIG');
  });
});

describe(':memory:', () => {
  it('is a database of its own each time, gone when it is closed', () => {
    const one = GraphDB.open(':memory:');
    const two = GraphDB.open(':memory:');
    one.addNode('Person');
    expect([one.nodeCount(), two.nodeCount(), one.path]).toEqual([1, 0, ':memory:']);
    one.close();
    expect(GraphDB.open(':memory:').nodeCount()).toBe(0);
    two.close();
  });

  it('checkpoints, verifies and tells figures like any other', () => {
    const db = GraphDB.open(':memory:', Config.production());
    addSmallGraph(db);
    expect(db.checkpoint()).toMatchObject({ lsn: db.lsn, newestLsn: db.lsn });
    expectSound(db);
    const stats = db.stats();
    expect(stats).toMatchObject({ path: ':memory:', pageSize: 8192, lsn: db.lsn, nodes: 3, edges: 1 });
    expect([stats.pager.commits, stats.pager.lsn, stats.graph !== null]).toEqual([2, db.lsn, true]);
    expect(db.stats()).not.toBe(stats);
    db.close();
  });
});
