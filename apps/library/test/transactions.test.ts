// Goal: a transaction is all or nothing, at most one is open, nested ones are savepoints, and one that is forgotten does no
// harm. Method: databases in memory; content is compared before and after; time comes from a simulated clock.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SimEnv } from '@sombra/vfs/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { GraphDB, MemoryVfs } from '../src/index.ts';
import type { Warning, Transaction } from '../src/index.ts';
import { codeOf, thrownBy } from './support/codes.ts';
import { contentOf } from './support/content.ts';
import { expectSound, withMemory } from './support/open.ts';
import { addSmallGraph } from './support/small-graph.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Lets finalizers run: they are called between turns, some time after a collection. */
async function untilFinalized(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !done(); turn += 1) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('transaction(fn)', () => {
  it('commits what the callback wrote and returns what it returned', () => {
    withMemory((db) => {
      const before = db.lsn;
      const { ada, alan, knows } = addSmallGraph(db);
      expect(db.lsn).toBe(before + 1);
      expect(db.getNode(ada)).toEqual({ id: ada, labels: ['Person'], properties: { name: 'Ada', born: 1815 } });
      expect(db.neighbors(ada)).toEqual([alan]);
      expect(db.getEdge(knows)?.type).toBe('INSPIRED');
      const length = db.transaction((tx) => tx.labels().length);
      expectTypeOf(length).toEqualTypeOf<number>();
      expect(length).toBe(2);
    });
  });

  it('writes no commit when nothing was changed', () => {
    withMemory((db) => {
      addSmallGraph(db);
      const { lsn } = db;
      expect(db.transaction((tx) => tx.nodeCount())).toBe(3);
      expect(db.lsn).toBe(lsn);
    });
  });

  it('rolls back when the callback throws, and throws the same', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      const before = contentOf(db);
      const { lsn } = db;
      const error = new Error('changed my mind');
      expect(
        thrownBy(() =>
          db.transaction((tx) => {
            tx.setNodeProperty(ada, 'name', 'Countess');
            tx.addEdge(ada, tx.addNode('New', { newKey: 1 }), 'NEW');
            throw error;
          }),
        ),
      ).toBe(error);
      expect(contentOf(db)).toEqual(before);
      expect([db.lsn, db.inTransaction]).toEqual([lsn, false]);
    });
  });

  it('throws what is no Error, too', () => {
    withMemory((db) => {
      expect(
        thrownBy(() =>
          db.transaction(() => {
            throw 'a text';
          }),
        ),
      ).toBe('a text');
      expect(db.inTransaction).toBe(false);
    });
  });

  it('gives the ids of what was rolled back again, and never those of what was committed', () => {
    withMemory((db) => {
      const taken = db.transaction((tx) => tx.addNode('A'));
      let given = 0;
      const forget = new Error('forget it');
      expect(() =>
        db.transaction((tx) => {
          given = tx.addNode('B');
          throw forget;
        }),
      ).toThrow(forget);
      expect(db.addNode('C')).toBe(given);
      db.deleteNode(taken);
      db.deleteNode(given);
      expect(db.addNode('D')).toBe(given + 1);
    });
  });

  it('is seen by its own reads only, before it commits', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      db.transaction((tx) => {
        const id = tx.addNode('Person', { name: 'Grace' });
        tx.setNodeProperty(ada, 'born', 1816);
        expect([tx.nodeCount(), tx.nodeCount('Person'), tx.hasNode(id), tx.getNodeProperty(ada, 'born')]).toEqual([
          4,
          3,
          true,
          1816,
        ]);
        expect([db.nodeCount(), db.nodeCount('Person'), db.hasNode(id), db.getNodeProperty(ada, 'born')]).toEqual([
          3,
          2,
          false,
          1815,
        ]);
        expect(db.inTransaction).toBe(true);
      });
      expect([db.nodeCount('Person'), db.getNodeProperty(ada, 'born')]).toEqual([3, 1816]);
    });
  });

  it('refuses a promise, rolls back, and leaves no rejection behind', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', listener);
    const db = GraphDB.open(':memory:');
    const { ada } = addSmallGraph(db);
    const before = contentOf(db);
    const error = thrownBy(() =>
      db.transaction(async (tx) => {
        tx.addNode('Early');
        await Promise.resolve();
        tx.addNode('Late');
      }),
    );
    expect([error.name, error.code]).toEqual(['StateError', 'SOMBRA_PROMISE_IN_TRANSACTION']);
    expect(error.message).toContain('beginTransaction');
    const thenable = { then: (): void => undefined };
    expect(
      codeOf(() =>
        db.transaction((tx) => {
          tx.deleteNode(ada, { cascade: true });
          return thenable;
        }),
      ),
    ).toBe('SOMBRA_PROMISE_IN_TRANSACTION');
    expect(
      codeOf(() =>
        db.transaction((tx) =>
          tx.transaction((inner) => {
            inner.addNode('Inner');
            return Promise.resolve();
          }),
        ),
      ),
    ).toBe('SOMBRA_PROMISE_IN_TRANSACTION');
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off('unhandledRejection', listener);
    expect(unhandled).toEqual([]);
    expect(contentOf(db)).toEqual(before);
    expectSound(db);
    db.close();
  });

  it('belongs to its callback: commit and rollback are refused inside, everything afterwards', () => {
    withMemory((db) => {
      let kept: Transaction | undefined;
      db.transaction((tx) => {
        kept = tx;
        tx.addNode('Person');
        expect(codeOf(() => tx.commit())).toBe('SOMBRA_TRANSACTION_MANAGED');
        expect(codeOf(() => tx.rollback())).toBe('SOMBRA_TRANSACTION_MANAGED');
        tx[Symbol.dispose]();
        expect(tx.state).toBe('active');
      });
      expect(kept?.state).toBe('committed');
      expect(codeOf(() => kept?.addNode('Late'))).toBe('SOMBRA_TX_DONE');
      expect(codeOf(() => kept?.nodeCount())).toBe('SOMBRA_TX_DONE');
      expect(codeOf(() => kept?.transaction(() => 1))).toBe('SOMBRA_TX_DONE');
      expect(db.nodeCount()).toBe(1);
    });
  });

  it('does not return normally when a write broke it and the callback hid that', () => {
    withMemory(
      (db) => {
        addSmallGraph(db);
        const before = contentOf(db);
        const code = codeOf(() =>
          db.transaction((tx) => {
            expect(codeOf(() => fill(tx, 500))).toBe('SOMBRA_TRANSACTION_PAGES');
          }),
        );
        expect(code).toBe('SOMBRA_TX_DONE');
        expect(
          codeOf(() =>
            db.transaction((tx) =>
              tx.transaction((inner) => {
                expect(codeOf(() => fill(inner, 500))).toBe('SOMBRA_TRANSACTION_PAGES');
              }),
            ),
          ),
        ).toBe('SOMBRA_TX_DONE');
        expect(contentOf(db)).toEqual(before);
        db.addNode('After', { afterKey: 1 });
        expect(db.findNodes({ label: 'After', where: { afterKey: 1 } }).all()).toHaveLength(1);
      },
      { maxTransactionPages: 40 },
    );
  });
});

/** Adds nodes with values of a page each, and names that are new. */
function fill(tx: Transaction, nodes: number): void {
  for (let i = 0; i < nodes; i += 1) tx.addNode(`Label${i}`, { [`key${i}`]: new Uint8Array(8000) });
}

describe('nested transactions', () => {
  it('take back only their own writes when they throw', () => {
    withMemory((db) => {
      const { ada } = addSmallGraph(db);
      db.transaction((tx) => {
        tx.setNodeProperty(ada, 'a', 1);
        expect(() =>
          tx.transaction((inner) => {
            inner.setNodeProperty(ada, 'a', 2);
            inner.addNode('Inner', { innerKey: true });
            throw new Error('inner');
          }),
        ).toThrow('inner');
        expect(tx.getNodeProperty(ada, 'a')).toBe(1);
        expect(tx.labels()).not.toContain('Inner');
        tx.transaction((inner) => inner.setNodeProperty(ada, 'b', 3));
      });
      expect(db.getNode(ada)?.properties).toEqual({ name: 'Ada', born: 1815, a: 1, b: 3 });
      expect(db.labels()).toEqual(['Person', 'Mathematician']);
    });
  });

  it('are undone with the outer one, however deep', () => {
    withMemory((db) => {
      addSmallGraph(db);
      const before = contentOf(db);
      const descend = (tx: Transaction, depth: number): void => {
        tx.addNode(`Depth${depth}`, { depth });
        if (depth < 20) tx.transaction((inner) => descend(inner, depth + 1));
      };
      expect(() =>
        db.transaction((tx) => {
          descend(tx, 0);
          expect(tx.nodeCount()).toBe(3 + 21);
          throw new Error('all');
        }),
      ).toThrow('all');
      expect(contentOf(db)).toEqual(before);
      db.transaction((tx) => descend(tx, 0));
      expect(db.nodeCount()).toBe(3 + 21);
    });
  });

  it('db.transaction inside db.transaction is the same', () => {
    withMemory((db) => {
      const ids = db.transaction((outer) => {
        const first = outer.addNode('Outer');
        const second = db.transaction((inner) => {
          expect(inner.hasNode(first)).toBe(true);
          return inner.addNode('Inner');
        });
        expect(
          codeOf(() =>
            db.transaction((inner) => {
              inner.deleteNode(first);
              inner.deleteNode(second);
              inner.deleteNode(second);
            }),
          ),
        ).toBe('SOMBRA_NODE_NOT_FOUND');
        return [first, second];
      });
      expect([...db.nodeIds()]).toEqual(ids);
    });
  });

  it('explicit savepoints: back to, again, released', () => {
    withMemory((db) => {
      db.transaction((tx) => {
        tx.addNode('A');
        const one = tx.savepoint();
        tx.addNode('B');
        const two = tx.savepoint();
        tx.addNode('C');
        tx.rollbackTo(two);
        expect(tx.nodeCount()).toBe(2);
        tx.rollbackTo(one);
        expect(tx.nodeCount()).toBe(1);
        expect(codeOf(() => tx.rollbackTo(two))).toBe('SOMBRA_SAVEPOINT');
        tx.addNode('D');
        tx.rollbackTo(one);
        tx.addNode('E');
        tx.releaseSavepoint(one);
        for (const gone of [one, two, 0, NaN, undefined as never]) {
          expect(codeOf(() => tx.rollbackTo(gone))).toBe('SOMBRA_SAVEPOINT');
          expect(codeOf(() => tx.releaseSavepoint(gone))).toBe('SOMBRA_SAVEPOINT');
        }
      });
      expect(db.labels()).toEqual(['A', 'E']);
    });
  });

  it('a callback that ends the savepoint of its own transaction loses everything, not something', () => {
    withMemory((db) => {
      addSmallGraph(db);
      const before = contentOf(db);
      const code = codeOf(() =>
        db.transaction((tx) => {
          const outer = tx.savepoint();
          tx.addNode('Outer');
          expect(() =>
            tx.transaction((inner) => {
              inner.addNode('Inner');
              inner.releaseSavepoint(outer);
              throw new Error('inner');
            }),
          ).toThrow('inner');
          tx.addNode('After');
        }),
      );
      expect(code).toBe('SOMBRA_TX_DONE');
      expect(contentOf(db)).toEqual(before);
    });
  });
});

describe('beginTransaction', () => {
  it('commits and rolls back when told', () => {
    withMemory((db) => {
      const tx = db.beginTransaction();
      expect([tx.state, db.inTransaction, tx.lsn]).toEqual(['active', true, db.lsn + 1]);
      const id = tx.addNode('Person');
      expect(tx.commit()).toBe(db.lsn);
      expect([tx.state, db.inTransaction, db.hasNode(id)]).toEqual(['committed', false, true]);
      const second = db.beginTransaction();
      second.deleteNode(id);
      second.transaction((inner) => inner.addNode('Nested'));
      second.rollback();
      second.rollback();
      expect([second.state, db.hasNode(id), db.nodeCount('Nested')]).toEqual(['rolled-back', true, 0]);
      expect(codeOf(() => tx.commit())).toBe('SOMBRA_TX_DONE');
      expect(codeOf(() => second.commit())).toBe('SOMBRA_TX_DONE');
    });
  });

  it('rolls back when it is disposed of, unless it was committed', () => {
    withMemory((db) => {
      {
        using tx = db.beginTransaction();
        tx.addNode('Forgotten');
      }
      expect(db.nodeCount()).toBe(0);
      {
        using tx = db.beginTransaction();
        tx.addNode('Kept');
        tx.commit();
      }
      expect(db.nodeCount()).toBe(1);
    });
  });

  it('is the only one: what else would write is refused, and the open one is not harmed', () => {
    withMemory((db) => {
      const { ada, knows } = addSmallGraph(db);
      const tx = db.beginTransaction();
      tx.setNodeProperty(ada, 'a', 1);
      expect(codeOf(() => db.beginTransaction())).toBe('SOMBRA_TRANSACTION_ACTIVE');
      const busy: [string, () => unknown][] = [
        ['transaction', () => db.transaction(() => 1)],
        ['addNode', () => db.addNode('X')],
        ['addEdge', () => db.addEdge(ada, ada, 'X')],
        ['setNodeProperty', () => db.setNodeProperty(ada, 'a', 2)],
        ['removeNodeProperty', () => db.removeNodeProperty(ada, 'a')],
        ['replaceNodeProperties', () => db.replaceNodeProperties(ada, {})],
        ['updateNodeProperties', () => db.updateNodeProperties(ada, {})],
        ['setEdgeProperty', () => db.setEdgeProperty(knows, 'a', 2)],
        ['removeEdgeProperty', () => db.removeEdgeProperty(knows, 'a')],
        ['replaceEdgeProperties', () => db.replaceEdgeProperties(knows, {})],
        ['updateEdgeProperties', () => db.updateEdgeProperties(knows, {})],
        ['addLabel', () => db.addLabel(ada, 'X')],
        ['removeLabel', () => db.removeLabel(ada, 'Person')],
        ['deleteNode', () => db.deleteNode(ada, { cascade: true })],
        ['deleteEdge', () => db.deleteEdge(knows)],
        ['bulkLoad', () => db.bulkLoad({ nodes: [], edges: [] })],
      ];
      for (const [name, call] of busy) {
        const error = thrownBy(call);
        expect([name, error.name, error.code]).toEqual([name, 'IoError', 'SOMBRA_BUSY']);
      }
      tx.commit();
      expect(db.getNode(ada)?.properties).toEqual({ name: 'Ada', born: 1815, a: 1 });
      db.transaction((managed) => {
        for (const [name, call] of busy.slice(1)) {
          expect([name, codeOf(call)]).toEqual([name, 'SOMBRA_TRANSACTION_ACTIVE']);
        }
        expect(codeOf(() => db.beginTransaction())).toBe('SOMBRA_TRANSACTION_ACTIVE');
        managed.setNodeProperty(ada, 'b', 2);
      });
      expect(db.getNode(ada)?.properties).toEqual({ name: 'Ada', born: 1815, a: 1, b: 2 });
    });
  });

  it('makes room once an error has rolled it back', () => {
    withMemory(
      (db) => {
        const tx = db.beginTransaction();
        expect(codeOf(() => fill(tx, 500))).toBe('SOMBRA_TRANSACTION_PAGES');
        expect([tx.state, db.inTransaction]).toEqual(['rolled-back', false]);
        expect(codeOf(() => tx.addNode('X'))).toBe('SOMBRA_TX_DONE');
        db.transaction((next) => next.addNode('Y', { y: 1 }));
        expect(db.labels()).toEqual(['Y']);
        tx.rollback();
        expect(db.nodeCount()).toBe(1);
      },
      { maxTransactionPages: 40 },
    );
  });

  it('lets a checkpoint run beside it', () => {
    withMemory((db) => {
      addSmallGraph(db);
      const tx = db.beginTransaction();
      tx.addNode('Open');
      expect(db.checkpoint().lsn).toBe(db.lsn);
      tx.addNode('Open');
      tx.commit();
      expect(db.nodeCount('Open')).toBe(2);
    });
  });
});

describe('a transaction that takes too long', () => {
  const timed = (transactionTimeoutMs?: number | null): { db: GraphDB; env: SimEnv; warnings: Warning[] } => {
    const env = new SimEnv({ seed: 1 });
    const warnings: Warning[] = [];
    const config = transactionTimeoutMs === undefined ? {} : { transactionTimeoutMs };
    const db = GraphDB.open(':memory:', {
      ...config,
      vfs: new MemoryVfs({ env }),
      onWarning: (warning) => warnings.push(warning),
    });
    return { db, env, warnings };
  };

  it('is rolled back by a timer when it was begun and forgotten', () => {
    const { db, env, warnings } = timed();
    addSmallGraph(db);
    const before = contentOf(db);
    const tx = db.beginTransaction();
    tx.addNode('Forgotten', { key: 1 });
    env.advance(59_999);
    expect([tx.state, warnings.length]).toEqual(['active', 0]);
    env.advance(1);
    expect([tx.state, db.inTransaction]).toEqual(['rolled-back', false]);
    expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_TRANSACTION_TIMEOUT']);
    expect(warnings[0]?.message).toContain('60000 ms');
    for (const call of [() => tx.addNode('X'), () => tx.nodeCount(), () => tx.commit()]) {
      const error = thrownBy(call);
      expect([error.name, error.code]).toEqual(['TransactionError', 'SOMBRA_TRANSACTION_TIMEOUT']);
    }
    tx.rollback();
    expect(contentOf(db)).toEqual(before);
    db.addNode('Next');
    env.advance(1_000_000);
    expect(warnings).toHaveLength(1);
    db.close();
  });

  it('is rolled back at its next write or at its commit when no timer could fire', () => {
    const { db, env, warnings } = timed(100);
    addSmallGraph(db);
    const before = contentOf(db);
    const code = codeOf(() =>
      db.transaction((tx) => {
        tx.addNode('Slow');
        env.sleep(101);
        tx.addNode('Late');
      }),
    );
    expect(code).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(
      codeOf(() =>
        db.transaction((tx) => {
          tx.addNode('Slow');
          env.sleep(101);
        }),
      ),
    ).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    expect(contentOf(db)).toEqual(before);
    expect(warnings).toEqual([]);
    db.close();
  });

  it('has no limit with null', () => {
    const { db, env } = timed(null);
    const tx = db.beginTransaction();
    env.advance(2 ** 33);
    tx.addNode('Patient');
    tx.commit();
    expect(db.nodeCount()).toBe(1);
    db.close();
  });

  it('leaves no timer behind when it ends in time', () => {
    const { db, env, warnings } = timed(100);
    db.beginTransaction().commit();
    db.beginTransaction().rollback();
    const open = db.beginTransaction();
    db.close();
    env.advance(1000);
    expect([warnings, open.state]).toEqual([[], 'rolled-back']);
  });
});

describe('a transaction that was dropped', () => {
  it('is rolled back and told about', async () => {
    const warnings: Warning[] = [];
    const db = GraphDB.open(':memory:', { onWarning: (warning) => warnings.push(warning), transactionTimeoutMs: null });
    addSmallGraph(db);
    const before = contentOf(db);
    (() => {
      db.beginTransaction().addNode('Leaked', { leaked: true });
    })();
    expect(db.inTransaction).toBe(true);
    await untilFinalized(() => warnings.length > 0);
    expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_TRANSACTION_LEAKED']);
    expect(db.inTransaction).toBe(false);
    expect(contentOf(db)).toEqual(before);
    db.addNode('Next');
    expectSound(db);
    db.close();
  });

  it('is no leak once it has ended, or its database', async () => {
    const warnings: Warning[] = [];
    const db = GraphDB.open(':memory:', { onWarning: (warning) => warnings.push(warning) });
    (() => {
      db.beginTransaction().commit();
      db.beginTransaction().rollback();
      db.beginTransaction();
    })();
    db.close();
    let turns = 0;
    await untilFinalized(() => (turns += 1) > 10);
    expect(warnings).toEqual([]);
  });
});

describe('a listener for warnings that throws', () => {
  it.each([
    [
      'throws',
      (failure: Error): void => {
        throw failure;
      },
    ],
    ['rejects', (failure: Error): Promise<void> => Promise.reject(failure)],
  ])('%s: does not break what it is told about nor the program, and is heard of', async (_name, fail) => {
    const env = new SimEnv({ seed: 1 });
    const failure = new Error('listener');
    const db = GraphDB.open(':memory:', { vfs: new MemoryVfs({ env }), onWarning: () => fail(failure) as void });
    db.beginTransaction().addNode('Forgotten');
    env.advance(60_000);
    expect(db.inTransaction).toBe(false);
    await Promise.resolve();
    expect(env.warnings).toMatchObject([{ code: 'SOMBRA_HOOK_FAILED', cause: failure }]);
    db.close();
  });

  it('work of a timer or a finaliser that fails is told, and ends no program', () => {
    const env = new SimEnv({ seed: 1 });
    const warnings: Warning[] = [];
    const db = GraphDB.open(':memory:', {
      vfs: new MemoryVfs({ env }),
      onWarning: (warning) => warnings.push(warning),
    });
    const tx = db.beginTransaction();
    const inner = (tx as unknown as { open: { inner: { expire(): void } } }).open.inner;
    const expire = inner.expire.bind(inner);
    inner.expire = () => {
      expire();
      throw new Error('the disk');
    };
    env.advance(60_000);
    expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_UPKEEP_FAILED', 'SOMBRA_TRANSACTION_TIMEOUT']);
    db.transaction((next) => next.addNode('Next'));
    db.close();
  });
});

describe('closing', () => {
  it('rolls back an open transaction, whichever kind', () => {
    const vfs = new MemoryVfs();
    const first = GraphDB.open('graph.db', { vfs });
    addSmallGraph(first);
    const before = contentOf(first);
    const tx = first.beginTransaction();
    tx.addNode('Open');
    first.close();
    expect(codeOf(() => tx.addNode('X'))).toBe('SOMBRA_CLOSED');
    expect(codeOf(() => tx.commit())).toBe('SOMBRA_CLOSED');
    tx.rollback();

    const second = GraphDB.open('graph.db', { vfs });
    expect(contentOf(second)).toEqual(before);
    for (const nested of [false, true]) {
      const db = nested ? GraphDB.open('graph.db', { vfs }) : second;
      const close = (inner: Transaction): void => {
        inner.addNode('Open');
        db.close();
      };
      expect(codeOf(() => db.transaction((outer) => (nested ? outer.transaction(close) : close(outer))))).toBe(
        'SOMBRA_CLOSED',
      );
    }
    const third = GraphDB.open('graph.db', { vfs });
    expect(contentOf(third)).toEqual(before);
    expectSound(third);
    third.close();
  });

  it('is harmless when repeated, and everything else says that it is closed', () => {
    const db = GraphDB.open(':memory:');
    const { ada, knows } = addSmallGraph(db);
    const snapshot = db.snapshot();
    const iterator = db.nodes();
    iterator.next();
    db.close();
    db.close();
    db[Symbol.dispose]();
    expect([db.closed, db.path]).toEqual([true, ':memory:']);
    const calls: (() => unknown)[] = [
      () => db.transaction(() => 1),
      () => db.beginTransaction(),
      () => db.snapshot(),
      () => db.checkpoint(),
      () => db.verifyIntegrity(),
      () => db.stats(),
      () => db.lsn,
      () => db.bulkLoad({ nodes: [], edges: [] }),
      () => db.addNode('X'),
      () => db.addEdge(ada, ada, 'X'),
      () => db.setNodeProperty(ada, 'x', 1),
      () => db.removeNodeProperty(ada, 'x'),
      () => db.replaceNodeProperties(ada, {}),
      () => db.updateNodeProperties(ada, {}),
      () => db.setEdgeProperty(knows, 'x', 1),
      () => db.removeEdgeProperty(knows, 'x'),
      () => db.replaceEdgeProperties(knows, {}),
      () => db.updateEdgeProperties(knows, {}),
      () => db.addLabel(ada, 'X'),
      () => db.removeLabel(ada, 'X'),
      () => db.deleteNode(ada),
      () => db.deleteEdge(knows),
      () => db.getNode(ada),
      () => db.getEdge(knows),
      () => db.hasNode(ada),
      () => db.hasEdge(knows),
      () => db.getNodeProperty(ada, 'name'),
      () => db.getEdgeProperty(knows, 'since'),
      () => db.nodeCount(),
      () => db.edgeCount(),
      () => db.degree(ada),
      () => db.labels(),
      () => db.edgeTypes(),
      () => db.propertyKeys(),
      () => db.neighbors(ada),
      () => db.edgesOf(ada),
      () => db.edgeIdsOf(ada),
      () => db.outgoing(ada),
      () => db.incoming(ada),
      () => db.nodes(),
      () => db.edges(),
      () => db.nodeIds(),
      () => db.edgeIds(),
      () => db.findNodes({ label: 'Person', where: {} }).all(),
      () => db.kHop(ada, 2),
      () => db.bfs(ada),
      () => db.bfsLevels(ada),
      () => db.shortestPath(ada, ada),
      () => snapshot.getNode(ada),
      () => [...snapshot.nodes()],
      () => iterator.next(),
    ];
    for (const call of calls) expect([String(call), codeOf(call)]).toEqual([String(call), 'SOMBRA_CLOSED']);
    snapshot.release();
    expect(db.inTransaction).toBe(false);
  });
});
