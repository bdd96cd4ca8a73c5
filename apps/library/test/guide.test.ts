// Goal: what the deployment guide shows can be written here under the same names, and the public API has the types that it
// promises. Method: the guide's uses of the library, translated; types are checked by the compiler.
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as library from '../src/index.ts';
import { Config, GraphDB, GraphError, SombraError } from '../src/index.ts';
import type {
  CompleteConfig,
  DatabaseStats,
  EdgeRecord,
  Node,
  NodeId,
  NodeRecord,
  Path,
  Rows,
  PropertyValue,
  RecordPath,
  GraphReads,
  Snapshot,
  Transaction,
} from '../src/index.ts';
import { thrownBy } from './support/codes.ts';
import { expectSound, withDirectory, withMemory } from './support/open.ts';
import { addSmallGraph } from './support/small-graph.ts';

describe('the guide', () => {
  it('opens with the production template, closes, and opens again', () => {
    withDirectory((directory) => {
      const path = join(directory, 'graph.db');
      const db = GraphDB.open(path, {
        pageSize: 8192,
        cacheSize: 5000,
        enableWal: true,
        maxDatabaseSizeMb: 50_000,
        maxWalSizeMb: 500,
        maxTransactionPages: 10_000,
        transactionTimeoutMs: 60_000,
        autoCheckpointIntervalMs: 30_000,
        fsyncEnabled: true,
        checksumMode: true,
      });
      const id: NodeId = db.addNode('User', { name: 'Ada' });
      db.close();
      const again = GraphDB.open(path);
      const node: Node | undefined = again.getNode(id);
      expect(node?.properties).toEqual({ name: 'Ada' });
      again.close();
    });
  });

  it('overrides a preset by a spread', () => {
    const readHeavy: Config = {
      ...Config.production(),
      cacheSize: 10_000,
      maxWalSizeMb: 100,
      autoCheckpointIntervalMs: 60_000,
    };
    expect(readHeavy).toEqual(Config.readHeavy());
    const development: Config = { ...Config.default(), cacheSize: 100, enableWal: false };
    const db = GraphDB.open(':memory:', development);
    expect(db.nodeCount()).toBe(0);
    db.close();
  });

  it('shards by id over several files', () => {
    withDirectory((directory) => {
      const shards = [0, 1, 2].map((i) => GraphDB.open(join(directory, `shard-${i}.db`)));
      const ids = Array.from({ length: 9 }, (_, entity) =>
        shards[entity % shards.length]!.addNode('Entity', { entity }),
      );
      expect(ids.map((id, entity) => shards[entity % shards.length]!.getNodeProperty(id, 'entity'))).toEqual([
        ...ids.keys(),
      ]);
      for (const shard of shards) shard.close();
    });
  });

  it('catches a GraphError by its code', () => {
    expect(GraphError).toBe(SombraError);
    const error = thrownBy(() => GraphDB.open('graph.db', { cacheSize: 0 }));
    expect(error).toBeInstanceOf(GraphError);
    expect(error.code).toBe('SOMBRA_CONFIG');
  });
});

describe('bulkLoad', () => {
  it('fills an empty database, and refuses one that is not', () => {
    withMemory((db) => {
      const phases = new Set<string>();
      const result = db.bulkLoad(
        {
          nodes: Array.from({ length: 1000 }, (_, number) => ({ labels: 'N', properties: { number } })),
          edges: (function* () {
            for (let i = 1; i < 1000; i += 1) yield { source: i - 1, target: i, type: 'NEXT' };
          })(),
        },
        { onProgress: ({ phase }) => phases.add(phase), progressEvery: 100 },
      );
      expect([result.nodes, result.edges, phases.has('nodes')]).toEqual([1000, 999, true]);
      expect([db.nodeCount('N'), db.edgeCount('NEXT'), db.inTransaction]).toEqual([1000, 999, false]);
      expect(db.bfsLevels(1)).toEqual(Array.from({ length: 1000 }, () => 1));
      expect(thrownBy(() => db.bulkLoad({ nodes: [], edges: [] })).code).toBe('SOMBRA_BULK_NOT_EMPTY');
      db.addEdge(1000, 1, 'NEXT');
      expect(db.edgeCount('NEXT')).toBe(1000);
    });
  });

  it('leaves the database empty when its source throws or yields invalid rows', () => {
    withMemory((db) => {
      const failure = new Error('source');
      const throwing = (function* () {
        yield { labels: 'N' };
        throw failure;
      })();
      expect(thrownBy(() => db.bulkLoad({ nodes: throwing, edges: [] }))).toBe(failure);
      const dangling = { nodes: [{ labels: 'N' }], edges: [{ source: 0, target: 7, type: 'NEXT' }] };
      expect(thrownBy(() => db.bulkLoad(dangling)).code).toBe('SOMBRA_NODE_NOT_FOUND');
      const within = { nodes: [{ labels: 'N' }], edges: [] };
      const meddling = { onProgress: () => void db.addNode('Meddling'), progressEvery: 1 };
      expect(thrownBy(() => db.bulkLoad(within, meddling)).code).toBe('SOMBRA_TRANSACTION_ACTIVE');
      expect([db.nodeCount(), db.edgeCount(), db.labels()]).toEqual([0, 0, []]);
      addSmallGraph(db);
      expectSound(db);
    });
  });
});

describe('types', () => {
  it('of the public API are what they promise', () => {
    expectTypeOf<GraphDB>().toExtend<GraphReads>();
    expectTypeOf<Snapshot>().toExtend<GraphReads>();
    expectTypeOf<Transaction>().toExtend<GraphReads>();
    expectTypeOf<GraphReads['getNode']>().returns.toEqualTypeOf<NodeRecord | undefined>();
    expectTypeOf<GraphReads['getEdge']>().returns.toEqualTypeOf<EdgeRecord | undefined>();
    expectTypeOf<GraphReads['getNodeProperty']>().returns.toEqualTypeOf<PropertyValue | undefined>();
    expectTypeOf<GraphReads['nodes']>().returns.toEqualTypeOf<Rows<NodeRecord>>();
    expectTypeOf<GraphDB['nodes']>().toEqualTypeOf<GraphReads['nodes']>();
    expectTypeOf<GraphReads['shortestPath']>().toBeCallableWith(1, 2, { weight: 'km', records: true });
    expectTypeOf((db: GraphReads) => db.shortestPath(1, 2)).returns.toEqualTypeOf<Path | undefined>();
    expectTypeOf((db: GraphReads) => db.shortestPath(1, 2, { records: true })).returns.toEqualTypeOf<
      RecordPath | undefined
    >();
    expectTypeOf<GraphDB['stats']>().returns.toEqualTypeOf<DatabaseStats>();
    expectTypeOf<Transaction['transaction']>().toEqualTypeOf<<T>(fn: (tx: Transaction) => T) => T>();
    expectTypeOf<GraphDB['transaction']>().toEqualTypeOf<<T>(fn: (tx: Transaction) => T) => T>();
    expectTypeOf(Config.production).returns.toEqualTypeOf<CompleteConfig>();
    expectTypeOf<Disposable>().not.toBeAny();
    expectTypeOf<GraphDB>().toExtend<Disposable>();
    expectTypeOf<Snapshot>().toExtend<Disposable>();
    expectTypeOf<Transaction>().toExtend<Disposable>();
    // @ts-expect-error a field that does not exist
    expect(thrownBy(() => GraphDB.open(':memory:', { cachesize: 100 })).message).toContain("'cacheSize'");
    // @ts-expect-error a value that cannot be stored
    expect(thrownBy(() => GraphDB.open(':memory:').addNode('N', { call: () => 1 })).message).toContain('call');
  });

  it('the exports are these, each a decision', () => {
    expect(Object.keys(library).sort()).toEqual([
      'Components',
      'Config',
      'CorruptionError',
      'DataError',
      'ERROR_CODES',
      'GraphDB',
      'GraphError',
      'InvariantError',
      'IoError',
      'MemoryVfs',
      'NodeValues',
      'NodeVfs',
      'PerformanceMetrics',
      'PoisonedError',
      'Predicate',
      'Schema',
      'Snapshot',
      'SombraError',
      'StateError',
      'Transaction',
      'TransactionError',
      'and',
      'defineSchema',
      'edgeId',
      'nodeId',
      'not',
      'or',
      'param',
    ]);
  });
});
