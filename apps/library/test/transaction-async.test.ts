// Goal: asynchronous transactions keep their order, are acknowledged when they are durable, share syncs, stand beside synchronous
// and explicit ones, and wait their turn beside other connections without blocking. Method: files and databases in memory, a file
// system that fails or counts syncs, two connections on one file, a simulated disk that is crashed, real processes that are killed.
import { AsyncLocalStorage } from 'node:async_hooks';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CRASH_POLICIES, FaultyVfs, Random, SimDisk, seeds } from '@sombra/vfs/testing';
import { describe, expect, it } from 'vitest';
import { GraphDB, MemoryVfs } from '../src/index.ts';
import type { Config } from '../src/index.ts';
import { startChild } from './support/children.ts';
import { codeOf } from './support/codes.ts';
import { expectSound, withDirectory } from './support/open.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: unknown) => String((error as { code?: unknown }).code ?? error),
  );

async function withDb(work: (db: GraphDB) => Promise<void>, config: Config = {}): Promise<void> {
  const db = GraphDB.open(':memory:', config);
  try {
    await work(db);
    if (!db.closed) expectSound(db);
  } finally {
    db.close();
  }
}

/** A file system whose asynchronous syncs of the log wait until the test lets them go on. */
class HeldSyncs extends MemoryVfs {
  readonly held: (() => void)[] = [];
  /** Syncs that block. */
  blocking = 0;

  override open(...args: Parameters<MemoryVfs['open']>): ReturnType<MemoryVfs['open']> {
    const file = super.open(...args);
    if (!args[0].endsWith('-wal')) return file;
    const sync = file.sync.bind(file);
    file.sync = (kind) => {
      this.blocking += 1;
      sync(kind);
    };
    file.syncAsync = () => new Promise<void>((resolve) => this.held.push(resolve));
    return file;
  }
}

describe('back-pressure', () => {
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('while the disk syncs no more than a group of them runs, and nothing blocks', async () => {
    const vfs = new HeldSyncs();
    const db = GraphDB.open('t.db', { vfs });
    db.addNode('N');
    let ran = 0;
    const all = Array.from({ length: 5000 }, (_, number) =>
      db.transactionAsync((tx) => {
        ran += 1;
        tx.setNodeProperty(1, 'number', number);
      }),
    );
    const before = vfs.blocking;
    for (let turns = 0; turns < 3000; turns += 1) await nextTurn();
    expect(ran).toBeGreaterThan(0);
    expect(ran).toBeLessThanOrEqual(1024);
    let settled = false;
    const end = Promise.all(all).then(() => (settled = true));
    while (!settled) {
      vfs.held.splice(0).forEach((goOn) => goOn());
      await nextTurn();
    }
    await end;
    expect([ran, vfs.blocking - before, db.getNode(1)?.properties]).toEqual([5000, 0, { number: 4999 }]);
    db.close();
  });

  it('one more than the queue holds is refused, and is not run', async () => {
    await withDb(async (db) => {
      const open = db.beginTransaction();
      let ran = 0;
      const all: Promise<unknown>[] = [];
      for (let i = 0; i < 2 ** 18; i += 1) all.push(db.transactionAsync(() => (ran += 1)));
      expect(await failureOf(db.transactionAsync(() => (ran += 1)))).toBe('SOMBRA_QUEUE_FULL');
      open.rollback();
      await Promise.all(all);
      expect(ran).toBe(2 ** 18);
      expect(await db.transactionAsync(() => 'again')).toBe('again');
    });
  });
});

describe('order', () => {
  it('first in, first out, and never before the promise is returned', async () => {
    await withDb(async (db) => {
      const ran: number[] = [];
      const acknowledged: number[] = [];
      const all = Array.from({ length: 100 }, (_, number) =>
        db
          .transactionAsync((tx) => {
            ran.push(number);
            return tx.addNode('N', { number });
          })
          .then((id) => {
            acknowledged.push(number);
            expect(db.getNode(id)?.properties).toEqual({ number });
            return id;
          }),
      );
      expect([ran, db.nodeCount()]).toEqual([[], 0]);
      const ids = await Promise.all(all);
      const numbers = Array.from({ length: 100 }, (_, number) => number);
      expect(ran).toEqual(numbers);
      expect(acknowledged).toEqual(numbers);
      expect(ids).toEqual(numbers.map((number) => number + 1));
      expect(db.nodeCount()).toBe(100);
    });
  });

  it('each sees the writes of the earlier ones, which are not yet visible outside', async () => {
    await withDb(async (db) => {
      const seen: number[] = [];
      await Promise.all(
        Array.from({ length: 20 }, () =>
          db.transactionAsync((tx) => {
            tx.addNode('N');
            seen.push(tx.nodeCount('N'));
          }),
        ),
      );
      expect(seen).toEqual(Array.from({ length: 20 }, (_, at) => at + 1));
    });
  });

  it('one that is asked for inside a callback runs after it', async () => {
    await withDb(async (db) => {
      const ran: string[] = [];
      let inner: Promise<unknown> | undefined;
      await db.transactionAsync((tx) => {
        inner = db.transactionAsync((later) => ran.push(`inner sees ${later.nodeCount()}`));
        tx.addNode('N');
        ran.push('outer');
      });
      await inner;
      expect(ran).toEqual(['outer', 'inner sees 1']);
    });
  });
});

describe('callbacks that ask for the next one', () => {
  /** Asks for transactions one after the other, each from within the one before, until told to stop. */
  function chain(db: GraphDB): { ran: number; stopped: boolean; last: Promise<unknown> } {
    const state = { ran: 0, stopped: false, last: Promise.resolve() as Promise<unknown> };
    const next = (): void => {
      state.last = db.transactionAsync((tx) => {
        state.ran += 1;
        tx.addNode('N');
        if (!state.stopped && state.ran < 10_000) next();
      });
    };
    next();
    return state;
  }

  it('do not keep a synchronous transaction from running', async () => {
    await withDb(async (db) => {
      const asked = chain(db);
      expect(db.transaction((tx) => tx.nodeCount())).toBe(1);
      expect(asked.ran).toBe(1);
      asked.stopped = true;
      await asked.last;
      expect([asked.ran, db.nodeCount()]).toEqual([2, 2]);
    });
  });

  it('do not keep the database from being closed', async () => {
    const db = GraphDB.open(':memory:');
    const asked = chain(db);
    db.close();
    expect(asked.ran).toBe(1);
    expect(await failureOf(asked.last)).toBe('SOMBRA_CLOSED');
  });

  it('leave nothing behind of those that have run, even when the queue is never empty', async () => {
    await withDb(async (db) => {
      const given: WeakRef<object>[] = [];
      let stopped = false;
      let last: Promise<unknown> = Promise.resolve();
      const ask = (): void => {
        const value = { number: given.length };
        given.push(new WeakRef(value));
        last = db.transactionAsync((tx) => {
          if (!stopped) ask();
          tx.setNodeProperty(1, 'number', value.number);
        });
      };
      db.addNode('N');
      ask();
      ask();
      const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
      while (given.length < 8000) await nextTurn();
      await nextTurn();
      collectGarbage();
      const kept = given.filter((one) => one.deref() !== undefined).length;
      stopped = true;
      await last;
      expect(kept).toBeLessThan(4000);
    });
  });
});

describe('a callback that fails', () => {
  it('is rolled back alone, and its error is what rejects', async () => {
    await withDb(async (db) => {
      const mine = new Error('changed my mind');
      const first = db.transactionAsync((tx) => tx.addNode('Kept', { key: 1 }));
      const failing = db.transactionAsync((tx) => {
        tx.addNode('Gone', { other: 1 });
        throw mine;
      });
      const asynchronous = db.transactionAsync((tx) => Promise.resolve(tx.addNode('Gone')));
      const last = db.transactionAsync((tx) => tx.addNode('Kept'));
      await expect(failing).rejects.toBe(mine);
      expect(await failureOf(asynchronous)).toBe('SOMBRA_PROMISE_IN_TRANSACTION');
      expect(await Promise.all([first, last])).toEqual([1, 2]);
      expect([db.labels(), db.nodeCount()]).toEqual([['Kept'], 2]);
    });
  });

  it('cannot use its transaction afterwards, nor commit it itself', async () => {
    await withDb(async (db) => {
      const tx = await db.transactionAsync((inside) => {
        expect(codeOf(() => inside.commit())).toBe('SOMBRA_TRANSACTION_MANAGED');
        expect(codeOf(() => db.addNode('X'))).toBe('SOMBRA_TRANSACTION_ACTIVE');
        expect(codeOf(() => db.beginTransaction())).toBe('SOMBRA_TRANSACTION_ACTIVE');
        db.transaction((nested) => nested.addNode('Nested'));
        return inside;
      });
      expect(codeOf(() => tx.addNode('X'))).toBe('SOMBRA_TX_DONE');
      expect(db.nodeCount('Nested')).toBe(1);
    });
  });
});

describe('the asynchronous context of the call', () => {
  const [user, request] = [new AsyncLocalStorage<string>(), new AsyncLocalStorage<number>()];
  const here = (): string => `${user.getStore() ?? 'nobody'} ${request.getStore() ?? 0}`;

  /** A database that notes where its hooks and callbacks run, and asks for transactions in the name of somebody. */
  function noting(vfs?: MemoryVfs) {
    const seen: string[] = [];
    const db = GraphDB.open(vfs === undefined ? ':memory:' : 't.db', {
      ...(vfs !== undefined && { vfs }),
      hooks: {
        begun: ({ transaction }) => seen.push(`${transaction} begun: ${here()}`),
        committed: ({ transaction }) => seen.push(`${transaction} committed: ${here()}`),
        mutated: ({ transaction }) => seen.push(`${String(transaction)} mutated: ${here()}`),
        rolledBack: ({ transaction }) => seen.push(`${transaction} rolled back: ${here()}`),
      },
    });
    const ask = (name: string, id: number, fails = false): Promise<unknown> =>
      user.run(name, () =>
        request.run(id, async () => {
          const transaction = await db.transactionAsync((tx) => {
            seen.push(`${tx.id} runs: ${here()}`);
            tx.addNode('N');
            if (fails) throw new RangeError('on purpose');
            return tx.id;
          });
          return `${transaction}: ${here()}`;
        }),
      );
    return { db, seen, ask };
  }

  it('is that of its callback and of everything that observers hear of it', async () => {
    const { db, seen, ask } = noting();
    const [first, second, third] = await Promise.allSettled([ask('ada', 7), ask('bob', 8, true), ask('eve', 9)]);
    expect([first, third]).toEqual([
      { status: 'fulfilled', value: '1: ada 7' },
      { status: 'fulfilled', value: '3: eve 9' },
    ]);
    expect(second!.status).toBe('rejected');
    expect(seen.filter((line) => line.startsWith('1 '))).toEqual([
      '1 begun: ada 7',
      '1 runs: ada 7',
      '1 committed: ada 7',
      '1 mutated: ada 7',
    ]);
    expect(seen.filter((line) => line.startsWith('2 '))).toEqual([
      '2 begun: bob 8',
      '2 runs: bob 8',
      '2 rolled back: bob 8',
    ]);
    expect(seen.filter((line) => line.startsWith('3 ') && !line.endsWith('eve 9'))).toEqual([]);
    db.close();
  });

  it('stays when a synchronous transaction of somebody else runs it, and commits it', async () => {
    const { db, seen, ask } = noting(new HeldSyncs());
    const waiting = [ask('ada', 7), ask('bob', 8)];
    user.run('carol', () => db.addNode('N'));
    await Promise.all(waiting);
    const of = (transaction: number): string[] => [
      ...new Set(seen.filter((line) => line.startsWith(`${transaction} `)).map((line) => line.split(': ')[1]!)),
    ];
    expect([of(1), of(2), of(3)]).toEqual([['ada 7'], ['bob 8'], ['carol 0']]);
    db.close();
  });
});

describe('beside synchronous transactions', () => {
  it('one that is synchronous runs those that wait first, sees them, and makes them durable', async () => {
    const disk = new SimDisk({ seed: 1 });
    const db = GraphDB.open('/graph.db', { vfs: disk });
    const pending = [1, 2, 3].map((number) => db.transactionAsync((tx) => tx.addNode('N', { number })));
    expect(db.transaction((tx) => tx.nodeCount('N'))).toBe(3); // changes nothing itself
    expect(db.nodeCount('N')).toBe(3);
    const again = GraphDB.open('/graph.db', { vfs: disk.crash('none', new Random(1)) });
    expect(again.nodeCount('N')).toBe(3);
    again.close();
    expect(await Promise.all(pending)).toEqual([1, 2, 3]);
    const named = db.transactionAsync((tx) => tx.setNodeProperty(1, 'number', 10));
    db.removeNodeProperty(1, 'none'); // changes nothing itself
    const later = GraphDB.open('/graph.db', { vfs: disk.crash('none', new Random(2)) });
    expect(later.getNodeProperty(1, 'number')).toBe(10);
    later.close();
    await named;
    const more = db.transactionAsync((tx) => tx.addNode('N'));
    expect(db.addNode('N')).toBe(5);
    expect(await more).toBe(4);
    db.close();
  });

  it('waits for the end of an explicit transaction', async () => {
    await withDb(async (db) => {
      const explicit = db.beginTransaction();
      const ran: string[] = [];
      const waiting = db.transactionAsync((tx) => ran.push(`sees ${tx.nodeCount()}`));
      for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(ran).toEqual([]);
      expect(codeOf(() => db.transaction(() => 0))).toBe('SOMBRA_BUSY');
      explicit.addNode('N');
      explicit.commit();
      expect(ran).toEqual([]);
      await waiting;
      expect(ran).toEqual(['sees 1']);
      const rolledBack = db.beginTransaction();
      const next = db.transactionAsync((tx) => tx.addNode('N'));
      rolledBack.addNode('Gone');
      rolledBack.rollback();
      expect(await next).toBe(2);
    });
  });

  it('begin, single writes, bulk loads and checkpoints come after what was asked for before them', async () => {
    await withDb(async (db) => {
      const first = db.transactionAsync((tx) => tx.addNode('First'));
      const explicit = db.beginTransaction();
      expect(explicit.nodeCount()).toBe(1);
      explicit.rollback();
      const second = db.transactionAsync((tx) => tx.deleteNode(1));
      expect(db.bulkLoad({ nodes: [{ labels: 'Bulk' }], edges: [] }).nodes).toBe(1);
      const third = db.transactionAsync((tx) => tx.addNode('Third'));
      const { lsn } = db.checkpoint();
      await Promise.all([first, second, third]);
      expect(lsn).toBe(db.lsn);
      expect([db.nodeCount('First'), db.nodeCount('Bulk'), db.nodeCount('Third')]).toEqual([0, 1, 1]);
    });
  });
});

describe('close', () => {
  it('runs what waits, and makes it durable', async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graph.db');
      const db = GraphDB.open(path);
      const pending = [1, 2].map((number) => db.transactionAsync((tx) => tx.addNode('N', { number })));
      db.close();
      expect(await Promise.all(pending)).toEqual([1, 2]);
      await expect(db.transactionAsync(() => 0)).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
      expect(readdirSync(directory)).toEqual(['graph.db']);
      const again = GraphDB.open(path);
      expect(again.nodeCount('N')).toBe(2);
      again.close();
    });
  });

  it('in a callback ends that transaction and those behind it', async () => {
    const db = GraphDB.open(':memory:');
    const first = db.transactionAsync((tx) => tx.addNode('N'));
    const closing = db.transactionAsync((tx) => {
      tx.addNode('N');
      db.close();
    });
    const behind = db.transactionAsync((tx) => tx.addNode('N'));
    expect(await first).toBe(1);
    expect(await failureOf(closing)).toBe('SOMBRA_CLOSED');
    expect(await failureOf(behind)).toBe('SOMBRA_CLOSED');
  });
});

/** A disk whose clock stands still: a slice of the queue lasts until the queue is empty, however slow the machine is. */
function stillVfs(): MemoryVfs {
  const vfs = new MemoryVfs();
  return new MemoryVfs({ env: Object.create(vfs.env, { monotonicMs: { value: () => 1000 } }) as typeof vfs.env });
}

describe('failures of the disk', () => {
  it('a sync that fails leaves all that it covers in doubt, and nothing is written after it', async () => {
    const faulty = new FaultyVfs(stillVfs());
    const db = GraphDB.open('/graph.db', { vfs: faulty, onWarning: () => undefined });
    db.addNode('Before');
    faulty.add({ op: 'sync', file: /-wal$/, nth: 1, action: 'EIO' });
    const all = [1, 2, 3].map((number) => db.transactionAsync((tx) => tx.addNode('N', { number })));
    for (const one of all) expect(await failureOf(one)).toBe('SOMBRA_COMMIT_UNKNOWN');
    expect(await failureOf(db.transactionAsync((tx) => tx.addNode('N')))).toBe('SOMBRA_LOCK_POISONED');
    expect([db.nodeCount('Before'), db.nodeCount('N')]).toEqual([1, 0]);
    expect(codeOf(() => db.transaction((tx) => tx.addNode('N')))).toBe('SOMBRA_LOCK_POISONED');
    db.close();
  });

  it('a read-only database refuses them', async () => {
    const vfs = new MemoryVfs();
    GraphDB.open('/graph.db', { vfs }).close();
    const db = GraphDB.open('/graph.db', { vfs, readOnly: true });
    expect(await failureOf(db.transactionAsync((tx) => tx.addNode('N')))).toBe('SOMBRA_READ_ONLY');
    db.close();
  });
});

describe('beside another connection that writes', () => {
  it('waits without blocking, and runs when the other has ended', async () => {
    const vfs = new MemoryVfs();
    const [one, two] = [GraphDB.open('/graph.db', { vfs }), GraphDB.open('/graph.db', { vfs })];
    const explicit = one.beginTransaction();
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 1);
    const waiting = two.transactionAsync((tx) => tx.nodeCount('N'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(turns).toBeGreaterThan(0);
    explicit.addNode('N');
    explicit.commit();
    expect(await waiting).toBe(1);
    clearInterval(counting);
    one.close();
    two.close();
  });

  it('gives up after busyTimeoutMs, naming the holder, and goes on with what comes later', async () => {
    const vfs = new MemoryVfs();
    const config = { vfs, busyTimeoutMs: 20 };
    const [one, two] = [GraphDB.open('/graph.db', config), GraphDB.open('/graph.db', config)];
    const explicit = one.beginTransaction();
    const refused = [1, 2].map(() => two.transactionAsync((tx) => tx.addNode('N')));
    for (const each of refused) expect(await failureOf(each)).toBe('SOMBRA_BUSY');
    expect(codeOf(() => two.addNode('N'))).toBe('SOMBRA_BUSY');
    const later = two.transactionAsync((tx) => tx.addNode('N'));
    explicit.rollback();
    expect(await later).toBe(1);
    one.close();
    two.close();
  });

  it('two that write at the same time both get on, and nothing is lost', async () => {
    const vfs = new MemoryVfs();
    const dbs = [GraphDB.open('/graph.db', { vfs }), GraphDB.open('/graph.db', { vfs })];
    const counter = dbs[0]!.addNode('Counter', { value: 0 });
    await Promise.all(
      dbs.map(async (db) => {
        for (let round = 0; round < 50; round += 1) {
          await Promise.all(
            Array.from({ length: 4 }, () =>
              db.transactionAsync((tx) =>
                tx.setNodeProperty(counter, 'value', (tx.getNodeProperty(counter, 'value') as number) + 1),
              ),
            ),
          );
        }
      }),
    );
    for (const db of dbs) {
      expect(db.getNodeProperty(counter, 'value')).toBe(400);
      expectSound(db);
      db.close();
    }
  });
});

describe('64 in flight', () => {
  it.each(seeds(3))('a power loss leaves a prefix with all that was acknowledged, seed %i', async (seed) => {
    const random = new Random(seed);
    for (let run = 0; run < 6; run += 1) {
      const policy = random.pick(CRASH_POLICIES);
      const disk = new SimDisk({ seed });
      const db = GraphDB.open('/graph.db', { vfs: disk, maxWalSizeMb: 0.25, onWarning: () => undefined });
      const crashAt = 64 + random.below(400);
      let acknowledged = 0;
      let asked = 0;
      let crashed: SimDisk | undefined;
      const one = async (): Promise<void> => {
        while (crashed === undefined) {
          const number = (asked += 1);
          await db.transactionAsync((tx) => {
            const id = tx.addNode('N', { number });
            if (id > 1) tx.addEdge(id - 1, id, 'NEXT');
          });
          acknowledged = number;
          if (acknowledged === crashAt) crashed = disk.crash(policy, random.fork('crash'));
        }
      };
      await Promise.all(Array.from({ length: 64 }, one));
      db.close();
      const again = GraphDB.open('/graph.db', { vfs: crashed!, onWarning: () => undefined });
      const count = again.nodeCount('N');
      const where = `seed ${seed}, run ${run}, ${JSON.stringify(policy)}`;
      expect(count, where).toBeGreaterThanOrEqual(crashAt);
      expect(
        Array.from(again.nodes(), ({ properties }) => properties['number']),
        where,
      ).toEqual(Array.from({ length: count }, (_, at) => at + 1));
      expect(again.edgeCount(), where).toBe(count - 1);
      expectSound(again);
      again.close();
    }
  });

  it('a killed process loses nothing that it had acknowledged', async () => {
    await withDirectory(async (directory) => {
      const path = join(directory, 'graph.db');
      let commits = 0;
      for (let kill = 0; kill < 5; kill += 1) {
        const child = startChild('async-writer.js', path);
        await child.printed(`${commits + 200}\n`);
        child.process.kill('SIGKILL');
        await child.ended;
        const printed = child.output();
        const lines = printed.slice(0, printed.lastIndexOf('\n')).split('\n').map(Number);
        expect(lines).toEqual(lines.map((_, at) => commits + 1 + at)); // acknowledged in order
        const db = GraphDB.open(path);
        commits = db.nodeCount('N');
        expect(commits).toBeGreaterThanOrEqual(lines.at(-1)!);
        expect(Array.from(db.nodes(), ({ properties }) => properties['number'])).toEqual(
          Array.from({ length: commits }, (_, at) => at + 1),
        );
        expectSound(db);
        db.close();
      }
    });
  });
});
