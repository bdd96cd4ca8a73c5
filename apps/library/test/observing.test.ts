// Goal: observers are told what happens to a database, in the order in which it happens, once, and disturb nothing.
// Method: each event is made to happen for real, on small databases; the whole sequence of what observers were told is compared.
import { SimEnv, slowVfs } from '@sombra/vfs/testing';
import { addDefaultObserver, MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import type { Config, DatabaseHooks, Mutation, Transaction } from '../src/index.ts';
import { GraphDB } from '../src/index.ts';
import { codeOf } from './support/codes.ts';

/** An observer that notes the names of events with what is not a duration. */
function recorder(): { hooks: DatabaseHooks; events: unknown[] } {
  const events: unknown[] = [];
  const hooks: DatabaseHooks = {
    opened: ({ readOnly }) => events.push(['opened', readOnly]),
    closed: () => events.push(['closed']),
    begun: ({ transaction }) => events.push(['begun', transaction]),
    committed: ({ transaction, lsn }) => events.push(['committed', transaction, lsn]),
    rolledBack: ({ transaction, reason }) => events.push(['rolledBack', transaction, reason]),
    refused: ({ code }) => events.push(['refused', code]),
    cacheResized: ({ pages }) => events.push(['cacheResized', pages]),
    warning: ({ code }) => events.push(['warning', code]),
  };
  return { hooks, events };
}

function open(config: Config = {}): { db: GraphDB; events: unknown[] } {
  const { hooks, events } = recorder();
  const db = GraphDB.open(':memory:', { ...config, hooks });
  return { db, events };
}

/** What transactions of a run wrote, by commit. */
function mutationsOf(run: (db: GraphDB) => unknown): Mutation[][] {
  const db = GraphDB.open(':memory:');
  const written: Mutation[][] = [];
  db.observe({ mutated: ({ mutations }) => written.push([...mutations]) });
  run(db);
  db.close();
  return written;
}

describe('transactions', () => {
  test('committed, changing nothing, rolled back by an error and by its owner', () => {
    const { db, events } = open();
    db.addNode('A');
    db.transaction((tx) => tx.nodeCount());
    expect(() =>
      db.transaction(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    const tx = db.beginTransaction();
    tx.rollback();
    tx.rollback();
    const last = db.beginTransaction();
    last.addNode('A');
    const lsn = last.commit();
    db.close();
    expect(events).toEqual([
      ['opened', false],
      ['begun', 1],
      ['committed', 1, lsn - 1],
      ['begun', 2],
      ['committed', 2, null],
      ['begun', 3],
      ['rolledBack', 3, 'error'],
      ['begun', 4],
      ['rolledBack', 4, 'rollback'],
      ['begun', 5],
      ['committed', 5, lsn],
      ['closed'],
    ]);
  });

  test('asynchronous ones are told when they are durable', async () => {
    const { db, events } = open();
    const ids = [1, 2, 3].map(() => db.transactionAsync((tx) => [tx.id, tx.addNode('A')]));
    expect((await Promise.all(ids)).map(([id]) => id)).toEqual([1, 2, 3]);
    const told = (events as [string, number][]).filter(([name]) => name === 'committed').map(([, id]) => id);
    expect(told).toEqual([1, 2, 3]);
    await expect(
      db.transactionAsync(() => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(events.at(-1)).toEqual(['rolledBack', 4, 'error']);
    db.close();
  });

  test('one that is open at close', () => {
    const { db, events } = open();
    db.beginTransaction().addNode('A');
    db.close();
    expect(events.slice(-2)).toEqual([['rolledBack', 1, 'closed'], ['closed']]);
  });

  test('one whose time is over', () => {
    const env = new SimEnv({ seed: 1 });
    let late = 0; // time passes, and no timer comes by: a callback is synchronous
    const clock = Object.create(env, { monotonicMs: { value: () => env.monotonicMs() + late } }) as SimEnv;
    const { db, events } = open({ vfs: new MemoryVfs({ env: clock }), transactionTimeoutMs: 50 });
    const forever = (): void =>
      db.transaction((tx) => {
        for (;;) {
          late += 1;
          tx.addNode('A');
        }
      });
    expect(codeOf(forever)).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(events.at(-1)).toEqual(['rolledBack', 1, 'timeout']);
    expect(db.stats().transactions).toMatchObject({ begun: 1, committed: 0, rolledBack: 1, timedOut: 1 });
    db.close();
  });

  test.each([
    ['is used again', (tx: Transaction) => codeOf(() => tx.addNode('A'))],
    ['is read from again', (tx: Transaction) => codeOf(() => tx.nodeCount())],
    ['is committed', (tx: Transaction) => codeOf(() => tx.commit())],
    ['is rolled back, and used again', (tx: Transaction) => (tx.rollback(), codeOf(() => tx.addNode('A')))],
  ])('an explicit one whose time is over, whose error is caught, and that then %s', (_how, goOn) => {
    const env = new SimEnv({ seed: 1 });
    let late = 0;
    const clock = Object.create(env, { monotonicMs: { value: () => env.monotonicMs() + late } }) as SimEnv;
    const { db, events } = open({ vfs: new MemoryVfs({ env: clock }), transactionTimeoutMs: 50 });
    const tx = db.beginTransaction();
    late = 51;
    expect(codeOf(() => tx.addNode('A'))).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(goOn(tx)).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(db.addNode('B')).toBe(1);
    expect(events.filter((event) => (event as unknown[])[0] === 'rolledBack')).toEqual([['rolledBack', 1, 'timeout']]);
    const { transactions, pager } = db.stats();
    expect([transactions.timedOut, transactions.rolledBack, pager.timedOut, pager.rollbacks]).toEqual([1, 1, 1, 1]);
    db.close();
  });

  test('an explicit one that is forgotten until its time is over', () => {
    const env = new SimEnv({ seed: 1 });
    const { db, events } = open({ vfs: new MemoryVfs({ env }), transactionTimeoutMs: 50, onWarning: () => undefined });
    const tx = db.beginTransaction();
    tx.addNode('A');
    env.advance(60);
    expect(codeOf(() => tx.addNode('A'))).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(events.filter((event) => (event as unknown[])[0] === 'rolledBack')).toEqual([['rolledBack', 1, 'timeout']]);
    const { transactions, pager } = db.stats();
    expect([transactions.timedOut, transactions.rolledBack, pager.timedOut, pager.rollbacks]).toEqual([1, 1, 1, 1]);
    db.close();
  });

  test('a callback that catches that its time is over, and returns', () => {
    const env = new SimEnv({ seed: 1 });
    let late = 0;
    const clock = Object.create(env, { monotonicMs: { value: () => env.monotonicMs() + late } }) as SimEnv;
    const { db, events } = open({ vfs: new MemoryVfs({ env: clock }), transactionTimeoutMs: 50 });
    const caught = (): void =>
      db.transaction((tx) => {
        late = 51;
        expect(codeOf(() => tx.addNode('A'))).toBe('SOMBRA_TRANSACTION_TIMEOUT');
      });
    expect(codeOf(caught)).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(events.at(-1)).toEqual(['rolledBack', 1, 'timeout']);
    const { transactions, pager } = db.stats();
    expect([transactions.timedOut, pager.timedOut]).toEqual([1, 1]);
    db.close();
  });

  test('one that cannot begin', () => {
    const vfs = new MemoryVfs();
    const holder = GraphDB.open('g.db', { vfs });
    const { hooks, events } = recorder();
    const db = GraphDB.open('g.db', { vfs, hooks, busyTimeoutMs: 0 });
    const tx = holder.beginTransaction();
    expect(codeOf(() => db.addNode('A'))).toBe('SOMBRA_BUSY');
    tx.rollback();
    expect(events).toEqual([
      ['opened', false],
      ['refused', 'SOMBRA_BUSY'],
    ]);
    expect(db.stats().transactions).toMatchObject({ begun: 0, refused: 1 });
    db.close();
    holder.close();
  });

  test('commits are told in their order, and before the database is closed', async () => {
    const { db, events } = open();
    const first = db.transactionAsync((tx) => tx.addNode('A'));
    db.addNode('B');
    const last = db.transactionAsync((tx) => tx.addNode('C'));
    db.close();
    db.close();
    await Promise.all([first, last]);
    const told = (events as [string, number, number][]).filter(([name]) => name === 'committed' || name === 'closed');
    expect(told.map(([name, transaction]) => [name, transaction])).toEqual([
      ['committed', 1],
      ['committed', 2],
      ['committed', 3],
      ['closed', undefined],
    ]);
    const lsns = told.slice(0, 3).map(([, , lsn]) => lsn);
    expect(lsns).toEqual([lsns[0]!, lsns[0]! + 1, lsns[0]! + 2]);
  });

  test('a database that a queued transaction closes is told closed once', async () => {
    const { db, events } = open();
    const closing = db.transactionAsync(() => db.close()).catch(() => undefined);
    db.close();
    await closing;
    expect(events.filter((event) => (event as string[])[0] === 'closed').length).toBe(1);
  });

  test('an asynchronous one that waits for another connection is no refusal; one that gives up is one', async () => {
    const vfs = new MemoryVfs();
    const holder = GraphDB.open('g.db', { vfs });
    const { hooks, events } = recorder();
    const db = GraphDB.open('g.db', { vfs, hooks, busyTimeoutMs: 30 });
    const tx = holder.beginTransaction();
    const given = db.transactionAsync((inner) => inner.addNode('A'));
    await expect(given).rejects.toMatchObject({ code: 'SOMBRA_BUSY' });
    expect([db.stats().transactions.refused, events.slice(1)]).toEqual([1, [['refused', 'SOMBRA_BUSY']]]);
    tx.rollback();
    await db.transactionAsync((inner) => inner.addNode('A'));
    expect(db.stats().transactions.refused).toBe(1);
    db.close();
    holder.close();
  });

  test('counts of the figures agree with the events', () => {
    const { db } = open();
    db.addNode('A');
    db.beginTransaction().rollback();
    expect(db.stats().transactions).toEqual({
      begun: 2,
      committed: 1,
      rolledBack: 1,
      timedOut: 0,
      refused: 0,
      waiting: 0,
    });
    db.close();
  });
});

describe('what transactions wrote', () => {
  test('every kind of write, by its method and the ids that it wrote', () => {
    let ids: { a: number; b: number; edge: number } = { a: 0, b: 0, edge: 0 };
    const [written] = mutationsOf((db) =>
      db.transaction((tx) => {
        const [a, b] = [tx.addNode('P', { secret: 'xyz' }), tx.addNode('P')];
        const edge = tx.addEdge(a, b, 'KNOWS', { secret: 'xyz' });
        ids = { a, b, edge };
        tx.setNodeProperty(a, 'k', 'xyz');
        tx.updateNodeProperties(a, { k: 'xyz' });
        tx.replaceNodeProperties(a, { k: 'xyz' });
        tx.removeNodeProperty(a, 'k');
        tx.removeNodeProperty(a, 'k'); // changes nothing
        tx.setEdgeProperty(edge, 'k', 'xyz');
        tx.addLabel(b, 'Q');
        tx.addLabel(b, 'Q'); // changes nothing
        tx.removeLabel(b, 'Q');
        tx.deleteNode(a, { cascade: true });
      }),
    );
    const { a, b, edge } = ids;
    expect(written).toEqual([
      { action: 'addNode', nodes: [a] },
      { action: 'addNode', nodes: [b] },
      { action: 'addEdge', edges: [edge] },
      { action: 'setNodeProperty', nodes: [a] },
      { action: 'updateNodeProperties', nodes: [a] },
      { action: 'replaceNodeProperties', nodes: [a] },
      { action: 'removeNodeProperty', nodes: [a] },
      { action: 'setEdgeProperty', edges: [edge] },
      { action: 'addLabel', nodes: [b] },
      { action: 'removeLabel', nodes: [b] },
      { action: 'deleteNode', nodes: [a], edges: [edge] },
    ]);
    expect(JSON.stringify(written)).not.toContain('xyz');
  });

  test('a rollback leaves nothing, and neither does what a savepoint took back', () => {
    const written = mutationsOf((db) => {
      expect(() =>
        db.transaction((tx) => {
          tx.addNode('A');
          throw new Error('no');
        }),
      ).toThrow('no');
      db.transaction((tx) => {
        tx.addNode('A');
        expect(() =>
          tx.transaction((inner) => {
            inner.addNode('B');
            throw new Error('inner');
          }),
        ).toThrow('inner');
        const savepoint = tx.savepoint();
        tx.addNode('C');
        tx.rollbackTo(savepoint);
        tx.addNode('D');
      });
    });
    expect(written.map((each) => each.map(({ action, nodes }) => [action, nodes]))).toEqual([
      [
        ['addNode', [1]],
        ['addNode', [2]],
      ],
    ]);
  });

  test('many at once are told one by one, and none of a group that failed', () => {
    const written = mutationsOf((db) =>
      db.transaction((tx) => {
        const wrong = { nodes: [{ labels: 'A', ref: 'x' }], edges: [{ source: 'x', target: 'nowhere', type: 'T' }] };
        expect(codeOf(() => tx.addMany(wrong))).toBe('SOMBRA_REFERENCE');
        tx.addMany({ ...wrong, edges: [{ source: 'x', target: 'x', type: 'T' }] });
      }),
    );
    expect(written.map((each) => each.map(({ action }) => action))).toEqual([['addNode', 'addEdge']]);
  });

  test('bulk loads and indexes, which are no transactions', async () => {
    const written: unknown[] = [];
    const db = GraphDB.open(':memory:');
    db.observe({ mutated: ({ transaction, mutations }) => written.push([transaction, ...mutations]) });
    db.bulkLoad({ nodes: [{ labels: 'A', properties: { k: 1 } }, { labels: 'A' }], edges: [] });
    await db.createPropertyIndexAsync('A', 'k');
    const pending = db.transactionAsync((tx) => tx.transaction(() => undefined));
    db.createPropertyIndex('A', 'k'); // it exists
    expect(await db.createPropertyIndexAsync('A', 'k')).toBe(false);
    await pending;
    db.dropPropertyIndex('A', ['k']);
    db.close();
    expect(written).toEqual([
      [null, { action: 'bulkLoad', counts: { nodes: 2, edges: 0 } }],
      [null, { action: 'createPropertyIndex', index: { of: 'A', keys: ['k'] } }],
      [null, { action: 'dropPropertyIndex', index: { of: 'A', keys: ['k'] } }],
    ]);
  });
});

describe('slow operations', () => {
  test('are told from slowOperationMs on, with the name of the method', async () => {
    const slow: unknown[] = [];
    const db = GraphDB.open(':memory:', {
      vfs: slowVfs(),
      slowOperationMs: 10,
      hooks: { slow: ({ operation, ms, transaction }) => slow.push([operation, ms >= 10, transaction]) },
    });
    const id = db.addNode('A');
    db.bfs(id);
    db.verifyIntegrity();
    await db.verifyIntegrityAsync();
    expect(slow).toEqual([
      ['transaction', true, 1],
      ['bfs', true, null],
      ['verifyIntegrity', true, null],
      ['verifyIntegrityAsync', true, null],
    ]);
    expect([db.stats().slowOperations, db.metrics().slowOperations]).toEqual([4, 4]);
    db.close();
  });

  test('null: never', () => {
    const slow: string[] = [];
    const hooks: DatabaseHooks = { slow: ({ operation }) => slow.push(operation) };
    const db = GraphDB.open(':memory:', { vfs: slowVfs(), slowOperationMs: null, hooks });
    db.bfs(db.addNode('A'));
    expect([slow, db.stats().slowOperations]).toEqual([[], 0]);
    db.close();
  });
});

describe('observers', () => {
  test('several at once; each is ended by itself, and the same may be added twice', () => {
    const db = GraphDB.open(':memory:');
    let [first, second] = [0, 0];
    const hooks: DatabaseHooks = { committed: () => (first += 1) };
    const ends = [db.observe(hooks), db.observe(hooks), db.observe({ committed: () => (second += 1) })];
    db.addNode('A');
    ends[0]!();
    ends[0]!();
    db.addNode('A');
    ends[1]!();
    ends[2]!();
    db.addNode('A');
    expect([first, second]).toEqual([3, 2]);
    db.close();
  });

  test('an event that does not exist, or is no function, is refused by its name', () => {
    const db = GraphDB.open(':memory:');
    expect(() => db.observe({ commited: () => undefined } as DatabaseHooks)).toThrow("there is no event 'commited'");
    expect(codeOf(() => db.observe({ begun: 5 } as unknown as DatabaseHooks))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => db.observe(null as unknown as DatabaseHooks))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => GraphDB.open(':memory:', { hooks: { oh: 1 } as DatabaseHooks }))).toBe('SOMBRA_OPTION');
    db.close();
    expect(codeOf(() => db.observe({}))).toBe('SOMBRA_CLOSED');
  });

  test('the size of the cache', () => {
    const { db, events } = open();
    db.setCacheSize(100);
    expect(events.at(-1)).toEqual(['cacheResized', 100]);
    db.close();
  });

  test('default observers see every database that is opened from then on', () => {
    const before = GraphDB.open(':memory:');
    const paths: string[] = [];
    let commits = 0;
    const end = addDefaultObserver((path) => {
      paths.push(path);
      return { committed: () => (commits += 1) };
    });
    const during = GraphDB.open(':memory:');
    end();
    const after = GraphDB.open(':memory:');
    for (const db of [before, during, after]) db.addNode('A');
    expect([paths, commits]).toEqual([[':memory:'], 1]);
    for (const db of [before, during, after]) db.close();
  });

  test('warnings go to onWarning and to observers', () => {
    const env = new SimEnv({ seed: 1 });
    const codes: string[] = [];
    const config: Config = {
      vfs: new MemoryVfs({ env }),
      transactionTimeoutMs: 50,
      onWarning: ({ code }) => codes.push(code),
    };
    const { db, events } = open(config);
    db.beginTransaction();
    env.advance(60);
    db.close();
    expect(codes).toEqual(['SOMBRA_TRANSACTION_TIMEOUT']);
    expect(events).toContainEqual(['warning', 'SOMBRA_TRANSACTION_TIMEOUT']);
    expect(events).toContainEqual(['rolledBack', 1, 'timeout']);
  });
});
