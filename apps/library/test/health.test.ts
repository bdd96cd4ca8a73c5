// Goal: metrics and health are right: each figure is moved by the thing that it counts, and each check fails alone.
// Method: small databases with limits that a few writes cross; a flipped byte; a sync that fails; a disk that is nearly full.
import type { NodeId } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import type { CorruptionError, DiskSpace, Vfs } from '@sombra/vfs';
import { FaultyVfs, SimEnv, slowVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Config, HealthReport } from '../src/index.ts';
import { GraphDB } from '../src/index.ts';
import { codeOf } from './support/codes.ts';

/** Names of the checks that failed, behind the status. */
function failed({ status, checks }: HealthReport): string[] {
  return [status, ...checks.filter(({ healthy }) => !healthy).map(({ name }) => name)];
}

/** A file system in memory that says how full its disk is. */
function onDisk(space: DiskSpace | null): Vfs {
  return Object.assign(new MemoryVfs(), { diskSpace: () => space });
}

/** Closes a database that is larger than the smallest caches. */
function fill(vfs: Vfs): void {
  const db = GraphDB.open('g.db', { vfs, pageSize: 4096 });
  db.transaction((tx) => {
    for (let i = 0; i < 5000; i += 1) tx.addNode('A', { i, text: 'x'.repeat(50) });
  });
  db.close();
}

describe('metrics', () => {
  test('a fresh database', () => {
    const vfs = new MemoryVfs();
    GraphDB.open('g.db', { vfs }).close();
    const db = GraphDB.open('g.db', { vfs });
    const metrics = db.metrics();
    expect(metrics).toMatchObject({ transactionsCommitted: 0, transactionsRolledBack: 0, corruptionErrors: 0 });
    expect([metrics.p95CommitLatency(), metrics.p95ReadLatency()]).toEqual([undefined, undefined]);
    expect(metrics.cacheHitRate()).toBeGreaterThanOrEqual(0);
    expect(Object.isFrozen(metrics)).toBe(true);
    db.close();
    expect(codeOf(() => db.metrics())).toBe('SOMBRA_CLOSED');
  });

  test('writes, reads and evictions move them; a snapshot of them stays as it was', () => {
    const vfs = new MemoryVfs();
    fill(vfs);
    const db = GraphDB.open('g.db', { vfs, cacheSize: 16 });
    const before = db.metrics();
    db.transaction((tx) => tx.addNode('A', { text: 'x'.repeat(5000) }));
    db.beginTransaction().rollback();
    for (const { id } of db.nodes()) db.getNode(id);
    const after = db.metrics();
    expect(before.transactionsCommitted).toBe(0);
    expect(after).toMatchObject({ transactionsCommitted: 1, transactionsRolledBack: 1, cacheSize: 16, pageSize: 4096 });
    expect(after.walBytesWritten).toBeGreaterThan(5000);
    expect(after.pageEvictions).toBeGreaterThan(0);
    expect(after.cacheMisses).toBeGreaterThan(0);
    const { cacheHits, cacheMisses } = after;
    expect(after.cacheHitRate()).toBe(cacheHits / (cacheHits + cacheMisses));
    expect(after.toJSON()).toMatchObject({ transactionsCommitted: 1, cacheHitRate: after.cacheHitRate() });
    expect(JSON.parse(JSON.stringify(after))).toEqual(after.toJSON());
    db.close();
  });

  test('latencies of commits in milliseconds, of reads in microseconds, on a clock that moves with every look', () => {
    const db = GraphDB.open(':memory:', { vfs: slowVfs() });
    const id = db.addNode('A');
    for (let i = 0; i < 256; i += 1) db.getNode(id);
    const metrics = db.metrics();
    expect(db.stats().latencies.read.count).toBe(2);
    const { newest } = db.stats().latencies.read;
    expect(newest[0]).toBeGreaterThanOrEqual(0.01);
    expect([metrics.p50ReadLatency(), metrics.p99ReadLatency()]).toEqual([newest[0]! * 1e6, newest[1]! * 1e6]);
    const commits = db.stats().latencies.commit.newest; // that of `open`, which creates the graph, and that of addNode
    expect(commits.length).toBe(2);
    expect(metrics.p50CommitLatency()).toBe(commits[0]! * 1000);
    expect(metrics.p95CommitLatency()).toBe(commits[1]! * 1000);
    db.close();
  });
});

describe('health', () => {
  test('a fresh database is healthy, and so is one in memory that worked a little', () => {
    const db = GraphDB.open(':memory:');
    expect(failed(db.healthCheck())).toEqual(['healthy']);
    db.addNode('A');
    const { checks } = db.healthCheck();
    expect(checks.map(({ name }) => name)).toEqual(['poisoned', 'corruption', 'cache', 'wal', 'checkpoint', 'disk']);
    for (const check of checks) expect(check.description()).not.toBe('');
    expect(failed(db.healthCheck())).toEqual(['healthy']);
    db.close();
    expect(codeOf(() => db.healthCheck())).toBe('SOMBRA_CLOSED');
  });

  test('the cache', () => {
    const vfs = new MemoryVfs();
    const health = { cacheHitRate: 0.9999, cacheReads: 100 };
    fill(vfs);
    const db = GraphDB.open('g.db', { vfs, cacheSize: 16, health });
    for (const { id } of db.nodes()) db.getNode(id);
    expect(failed(db.healthCheck())).toEqual(['degraded', 'cache']);
    db.close();
  });

  test('the log', () => {
    const db = GraphDB.open(':memory:', { maxWalSizeMb: 1, health: { walPart: 0.01 } });
    db.transaction((tx) => {
      for (let i = 0; i < 500; i += 1) tx.addNode('A', { text: 'x'.repeat(50) });
    });
    expect(failed(db.healthCheck())).toEqual(['degraded', 'wal']);
    db.checkpoint();
    expect(failed(db.healthCheck())).toEqual(['healthy']);
    db.close();
  });

  test('checkpoints that are late', () => {
    const env = new SimEnv({ seed: 1 });
    const db = GraphDB.open('g.db', { vfs: new MemoryVfs({ env }), health: { checkpointAgeMs: 1000 } });
    db.checkpoint();
    env.advance(2000);
    db.addNode('A');
    expect(failed(db.healthCheck())).toEqual(['healthy']); // nothing waited before it
    env.advance(2000);
    expect(failed(db.healthCheck())).toEqual(['degraded', 'checkpoint']);
    db.checkpoint();
    expect(failed(db.healthCheck())).toEqual(['healthy']);
    db.close();
  });

  test.each([
    [{ free: 5, size: 100 }, ['degraded', 'disk']],
    [{ free: 10, size: 100 }, ['healthy']],
    [null, ['healthy']],
  ])('a disk with %o', (space, expected) => {
    const db = GraphDB.open('g.db', { vfs: onDisk(space) });
    expect(failed(db.healthCheck())).toEqual(expected);
    expect(db.stats().files).toMatchObject({
      diskFreeBytes: space?.free ?? null,
      diskSizeBytes: space?.size ?? null,
    });
    db.close();
  });

  test('damage that a read met makes it unhealthy', () => {
    const vfs = new MemoryVfs();
    fill(vfs);
    const file = vfs.open('g.db', { write: true });
    for (let page = 50; page < file.stat().size / 4096; page += 1)
      file.pwrite([new Uint8Array([1, 2, 3])], page * 4096 + 999);
    file.close();
    const codes: string[] = [];
    const db = GraphDB.open('g.db', { vfs, hooks: { corruption: ({ code }) => codes.push(code) } });
    expect(failed(db.healthCheck())).toEqual(['healthy']);
    expect(codeOf(() => [...db.nodes()])).toBe('SOMBRA_PAGE_CHECKSUM');
    expect(failed(db.healthCheck())).toEqual(['unhealthy', 'corruption']);
    expect([codes[0], db.metrics().corruptionErrors]).toEqual(['SOMBRA_PAGE_CHECKSUM', codes.length]);
    db.close();
  });

  test('so does damage that lies above the pages, whichever read meets it, and once for each error', async () => {
    const vfs = new MemoryVfs();
    fill(vfs);
    const pager = Pager.open({ vfs, path: 'g.db' });
    const change = pager.begin();
    for (let page = 30; page < pager.view.pageCount; page += 1) {
      const base = change.edit(page);
      change.setBytes(base, 20, new Uint8Array(20).fill(0xff), 0, 20); // the checksum will be right
    }
    change.commit();
    pager.close();
    const told: CorruptionError[] = [];
    const db = GraphDB.open('g.db', { vfs, hooks: { corruption: (error) => told.push(error) } });
    const ids = Array.from({ length: 2000 }, (_, at) => (at + 1) as NodeId);
    const damaged = ids.find((id) => codeOf(() => db.getNode(id)) === 'SOMBRA_TREE_PAGE');
    expect(damaged).toBeDefined();
    const reads: [string, () => unknown][] = [
      ['a short read', () => db.getNode(damaged!)],
      ['a long one', () => db.components()],
      ['rows', () => [...db.nodes()]],
      ['a transaction', () => db.transaction((tx) => tx.getNode(damaged!))],
      ['a snapshot that is read within a call', () => db.read((snapshot) => snapshot.getNode(damaged!))],
    ];
    for (const [what, read] of reads) {
      const before = told.length;
      expect([what, codeOf(read)]).toEqual([what, 'SOMBRA_TREE_PAGE']);
      expect([what, told.length - before]).toEqual([what, 1]);
    }
    const before = told.length;
    await expect(db.transactionAsync((tx) => tx.getNode(damaged!))).rejects.toMatchObject({ code: 'SOMBRA_TREE_PAGE' });
    await expect(db.read((view) => Promise.resolve().then(() => view.getNode(damaged!)))).rejects.toThrow();
    expect(told.length - before).toBe(2);
    expect(new Set(told).size).toBe(told.length);
    expect(db.metrics().corruptionErrors).toBe(told.length);
    expect(failed(db.healthCheck())).toEqual(['unhealthy', 'corruption']);
    db.close();
  });

  test('a sync that failed makes it unhealthy', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const db = GraphDB.open('g.db', { vfs, onWarning: () => undefined });
    db.addNode('A');
    vfs.add({ op: 'sync', action: 'EIO' });
    expect(codeOf(() => db.addNode('A'))).not.toBe('no error');
    expect(failed(db.healthCheck())).toEqual(['unhealthy', 'poisoned']);
    db.close();
  });

  test.each([
    [{ cacheHitRate: 2 }, 'health.cacheHitRate is 2'],
    [{ walPart: -1 }, 'health.walPart is -1'],
    [{ checkpointAgeMs: 0 }, 'health.checkpointAgeMs is 0'],
    [{ cacheRate: 0.5 }, 'there is no limit health.cacheRate'],
    [null, 'health is null'],
  ])('limits %o are refused', (health, message) => {
    expect(() => GraphDB.open(':memory:', { health } as Config)).toThrow(message);
    expect(codeOf(() => GraphDB.open(':memory:', { health } as Config))).toBe('SOMBRA_CONFIG');
  });
});
