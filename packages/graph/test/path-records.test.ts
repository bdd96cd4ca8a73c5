// Goal: with `records`, paths carry the nodes and edges that their ids name, read from what the path was found in. Method: every call
// that gives paths, on random multigraphs, beside the same call without `records` and `getNode` and `getEdge`; writes of others and of
// the own transaction in between.
import { describe, expect, test } from 'vitest';
import type { Direction, GraphReader, Path, RecordPath, WithRecords } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { OpenGraph, SMALL, withGraph } from './support/open.ts';
import { Random, suiteSeed } from './support/random.ts';
import { randomGraph } from './support/random-graph.ts';

type Rest = { readonly direction: Direction; readonly type?: readonly string[] };
type Call = (reader: GraphReader, from: number, to: number, options: Rest & WithRecords) => unknown;

const CALLS: Record<string, Call> = {
  paths: (reader, from, to, options) => reader.paths(from, to, { ...options, maxLength: 3 }).all(),
  'paths to anywhere': (reader, from, _to, options) =>
    reader.paths(from, undefined, { ...options, minLength: 0, maxLength: 2 }).all(),
  shortestPath: (reader, ...given) => reader.shortestPath(...given),
  'shortestPath by weight': (reader, from, to, options) =>
    reader.shortestPath(from, to, { ...options, weight: 'weight' }),
  allShortestPaths: (reader, ...given) => reader.allShortestPaths(...given).all(),
  kShortestPaths: (reader, from, to, options) => reader.kShortestPaths(from, to, 4, options),
  'kShortestPaths by weight': (reader, from, to, options) =>
    reader.kShortestPaths(from, to, 4, { ...options, weight: 'weight' }),
  shortestPathAsync: (reader, ...given) => reader.shortestPathAsync(...given),
  'shortestPathAsync by weight': (reader, from, to, options) =>
    reader.shortestPathAsync(from, to, { ...options, weight: 'weight' }),
  kShortestPathsAsync: (reader, from, to, options) => reader.kShortestPathsAsync(from, to, 4, options),
};

/** The records that the ids of paths name. */
function looked(reader: GraphReader, found: unknown): unknown {
  if (found === undefined) return undefined;
  if (Array.isArray(found)) return found.map((path) => looked(reader, path));
  const path = found as Path;
  return {
    ...path,
    nodes: path.nodes.map((id) => reader.getNode(id)),
    edges: path.edges.map((id) => reader.getEdge(id)),
  };
}

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  test('gives the records of the same paths', async () => {
    const random = new Random(suiteSeed(97));
    const { db } = randomGraph({ name: 'sparse', nodes: 30, edges: 70 }, random);
    const tx = db.graph.begin();
    tx.setNodeProperty(1, 'seen', 'by the transaction');
    const snapshot = db.graph.snapshot();
    let seen = 0;
    for (const reader of [db.reader, snapshot, tx]) {
      for (const direction of ['out', 'in', 'both'] as const) {
        for (let i = 0; i < 4; i += 1) {
          const [from, to] = [1 + random.below(30), i === 0 ? 1 : 1 + random.below(30)];
          const options: Rest = i % 2 === 0 ? { direction } : { direction, type: ['A', 'B'] };
          const plain = await call(reader, from, to, options as WithRecords & Rest);
          const found = await call(reader, from, to, { ...options, records: true });
          expect(found).toEqual(looked(reader, plain));
          if (found !== undefined && (!Array.isArray(found) || found.length > 0)) seen += 1;
        }
      }
    }
    expect(seen).toBeGreaterThan(10);
    snapshot.release();
    tx.rollback();
  });

  test('refuses what is neither true nor false', async () => {
    const db = new OpenGraph();
    const [a, b] = db.write((tx) => [tx.addNode([]), tx.addNode([])]);
    for (const records of [1, 'yes', null, ['name']]) {
      let given: unknown;
      const code = codeOf(() => (given = call(db.reader, a!, b!, { direction: 'out', records } as never)));
      if (given instanceof Promise) await expect(given).rejects.toMatchObject({ code: 'SOMBRA_OPTION' });
      else expect(code).toBe('SOMBRA_OPTION');
    }
    db.close();
  });
});

describe('records of paths', () => {
  const chain = (work: (db: OpenGraph, nodes: number[]) => void): void =>
    withGraph(SMALL, (db) => {
      const nodes = db.write((tx) => {
        const made = ['a', 'b', 'c', 'd'].map((name) => tx.addNode('Stop', { name }));
        for (let i = 0; i < 3; i += 1) tx.addEdge(made[i]!, made[i + 1]!, 'NEXT', { km: i + 1 });
        return made;
      });
      work(db, nodes);
    });

  test('stay those of the commit that the stream began with', () => {
    chain(({ graph, reader }, [a, b, c]) => {
      const rows = reader.paths(a!, undefined, { records: true });
      expect(rows.next().value?.nodes.at(-1)?.properties).toEqual({ name: 'b' });
      const tx = graph.begin();
      tx.setNodeProperty(c!, 'name', 'changed');
      tx.deleteNode(b!, { cascade: true });
      tx.commit();
      const path = rows.next().value as RecordPath;
      expect(path.nodes.map(({ properties }) => properties['name'])).toEqual(['a', 'b', 'c']);
      expect(path.edges.map(({ properties }) => properties['km'])).toEqual([1, 2]);
      expect(rows.all()).toHaveLength(1);
    });
  });

  test('show in a transaction what it has written, and leave out what it has deleted', () => {
    chain(({ graph }, [a, , c]) => {
      const tx = graph.begin();
      const rows = tx.paths(a!, undefined, { records: true, limit: 2 });
      expect(rows.next().value?.length).toBe(1);
      tx.setNodeProperty(c!, 'name', 'changed');
      expect(rows.next().value?.nodes.at(-1)?.properties).toEqual({ name: 'changed' });
      expect(rows.next().done).toBe(true);

      const other = tx.paths(a!, undefined, { records: true, minLength: 2 });
      expect(other.next().value?.length).toBe(2);
      tx.deleteNode(c!, { cascade: true });
      expect(other.next().done).toBe(true);
      tx.rollback();
    });
  });

  test('are the caller’s own, each of them', () => {
    chain(({ reader }, [a, b]) => {
      const options = { direction: 'both', unique: 'edges', records: true } as const;
      for (const path of reader.paths(a!, b, options)) path.nodes[0]!.properties['name'] = 'mine';
      expect(reader.getNode(a!)?.properties).toEqual({ name: 'a' });
    });
  });

  test('of a path to itself are one node', () => {
    chain(({ reader }, [a]) => {
      expect(reader.shortestPath(a!, a!, { records: true })).toEqual({
        nodes: [reader.getNode(a!)],
        edges: [],
        length: 0,
      });
      expect(reader.shortestPath(a!, 99, { records: true })).toBeUndefined();
    });
  });
});
