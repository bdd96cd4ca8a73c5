// Goal: the adjacency of a node is right in every layout and in every change between them: one block, several types, wide
// ids, chains over many leaves, back to one block; with hints that are wrong on purpose, and with small tables of hints.
// Method: build hubs through transactions, compare with the model after each stage, verify at the end.
import { BTree } from '@sombra/btree';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { CHAIN_KEY_SIZE, NODE_KEY_SIZE, TYPE_KEY_SIZE } from '../src/adjacency/adjacency.ts';
import { Graph } from '../src/index.ts';
import { COUNTER } from '../src/model/counters.ts';
import { compare, compareNode } from './support/compare.ts';
import { ModelGraph } from './support/model.ts';
import { type OpenGraph, SMALL, withGraph } from './support/open.ts';
import { Random } from './support/random.ts';
import { StoreGraph } from './support/store.ts';

/** Lengths of the keys that a node has in a tree, with how often: what layout its adjacency has. */
function layoutOf(pager: Pager, name: 'out' | 'in', node: number): Record<number, number> {
  const cursor = BTree.open(pager.view, name)!.cursor(pager.view);
  const found: Record<number, number> = {};
  for (let more = cursor.seekU48(node); more; more = cursor.next()) {
    const key = cursor.key();
    if (Buffer.from(key).readUIntBE(0, 6) !== node) break;
    found[key.length] = (found[key.length] ?? 0) + 1;
  }
  cursor.close();
  return found;
}

/** Applies a change to the graph, in one transaction, and to the model; then the nodes given must agree. */
class Both {
  readonly model = new ModelGraph();
  private readonly db: OpenGraph;
  constructor(db: OpenGraph) {
    this.db = db;
  }

  nodes(count: number): number[] {
    return this.db.write((tx) => Array.from({ length: count }, () => (this.model.addNode([]), tx.addNode([]))));
  }

  edges(rows: [source: number, target: number, type: string][]): number[] {
    return this.db.write((tx) =>
      rows.map(
        ([source, target, type]) => (this.model.addEdge(source, target, type), tx.addEdge(source, target, type)),
      ),
    );
  }

  deleteEdges(ids: readonly number[]): void {
    this.db.write((tx) => {
      for (const id of ids) {
        tx.deleteEdge(id);
        this.model.edges.delete(id);
      }
    });
  }

  agree(...nodes: number[]): void {
    expect(nodes.flatMap((node) => compareNode(this.db.reader, this.model, node))).toEqual([]);
  }
}

describe('layouts', () => {
  test('a node grows from one block to chains and back, edge by edge', () => {
    withGraph({}, (db) => {
      const both = new Both(db);
      const [hub, ...others] = both.nodes(9) as [number, ...number[]];
      const edges: number[] = [];
      for (let i = 0; i < 80; i += 1) {
        edges.push(...both.edges([[hub, others[i % 8]!, 'T']]));
        both.agree(hub);
      }
      expect(layoutOf(db.pager, 'out', hub)).toEqual({ [NODE_KEY_SIZE]: 1, [TYPE_KEY_SIZE]: 1, [CHAIN_KEY_SIZE]: 2 });
      expect(db.problems()).toEqual([]);
      const random = new Random(1);
      while (edges.length > 0) {
        both.deleteEdges(edges.splice(random.below(edges.length), 1));
        both.agree(hub);
      }
      expect(layoutOf(db.pager, 'out', hub)).toEqual({});
    });
  });

  test('a block takes further types, wide ids, and what no longer fits goes to chains per type', () => {
    withGraph({}, (db) => {
      const both = new Both(db);
      const [hub, other] = both.nodes(2) as [number, number];
      for (let i = 0; i < 70; i += 1) {
        both.edges([[hub, other, `T${i % 7}`]]);
        both.agree(hub, other);
        if (i < 40) expect(layoutOf(db.pager, 'out', hub)).toEqual({ [NODE_KEY_SIZE]: 1 });
      }
      expect(layoutOf(db.pager, 'out', hub)).toEqual({ [NODE_KEY_SIZE]: 1, [TYPE_KEY_SIZE]: 7, [CHAIN_KEY_SIZE]: 7 });
    });
  });

  test('more than 255 types: chains, whatever the number of edges', () => {
    withGraph({ pageSize: 65_536 }, (db) => {
      const both = new Both(db);
      const [hub] = both.nodes(1) as [number];
      both.edges(Array.from({ length: 300 }, (_, i) => [hub, hub, `T${i}`]));
      both.agree(hub);
      expect(layoutOf(db.pager, 'in', hub)[TYPE_KEY_SIZE]).toBe(300);
      expect(db.reader.neighbors(hub, { type: ['T299', 'T0', 'missing'] })).toEqual([hub, hub]);
    });
  });

  test('hubs whose chains lie over many leaves, in both directions, many types at once', () => {
    withGraph({ cacheSize: 16 }, (db) => {
      const both = new Both(db);
      const nodes = both.nodes(60);
      const [first, second] = nodes as [number, number];
      const random = new Random(2);
      const edges = both.edges(
        Array.from({ length: 5000 }, () => {
          const other = random.pick(nodes);
          const type = random.pick(['A', 'B', 'C']);
          return random.chance(0.5) ? [first, other, type] : [other, second, type];
        }),
      );
      both.agree(first, second, nodes[2]!);
      expect(layoutOf(db.pager, 'out', first)[CHAIN_KEY_SIZE]).toBeGreaterThan(30);
      expect(db.problems()).toEqual([]);
      const gone = edges.filter(() => random.chance(0.9));
      both.deleteEdges(gone);
      both.agree(first, second, nodes[3]!);
      expect(db.problems()).toEqual([]);
      const blocks = layoutOf(db.pager, 'out', first)[CHAIN_KEY_SIZE]!;
      expect(blocks).toBeLessThan(30);
      both.edges(Array.from({ length: 500 }, () => [first, random.pick(nodes), 'B']));
      both.agree(first);
      db.write((tx) => tx.deleteNode(first, { cascade: true }));
      both.model.deleteNode(first);
      expect(compare(db.reader, both.model)).toEqual([]);
      expect(layoutOf(db.pager, 'out', first)).toEqual({});
    });
  });

  test('the middle of a chain is emptied: blocks go, and the rest is found', () => {
    withGraph({}, (db) => {
      const both = new Both(db);
      const [hub, other] = both.nodes(2) as [number, number];
      const edges = both.edges(Array.from({ length: 400 }, () => [hub, other, 'T']));
      for (let from = 100; from < 300; from += 20) {
        both.deleteEdges(edges.slice(from, from + 20));
        both.agree(hub, other);
      }
      both.deleteEdges(edges.slice(0, 100));
      both.agree(hub, other);
      both.edges([[hub, other, 'T'], [hub, other, 'U']]); // prettier-ignore
      both.agree(hub, other);
    });
  });
});

describe('wide ids', () => {
  /** Gives out ids from here on. */
  function skipTo(db: OpenGraph, model: ModelGraph, node: number, edge: number): void {
    const tx = db.pager.begin();
    tx.setCounter(COUNTER.nextNodeId, node);
    tx.setCounter(COUNTER.nextEdgeId, edge);
    tx.commit();
    model.nextNode = node;
    model.nextEdge = edge;
  }

  test.each([1, 3])('ids beyond 32 bits join narrow ones in blocks and chains of %i types', (types) => {
    withGraph({ cacheSize: 16 }, (db) => {
      const both = new Both(db);
      const [hub, other] = both.nodes(2) as [number, number];
      both.edges(Array.from({ length: 10 }, (_, i) => [hub, other, `T${i % types}`]));
      skipTo(db, both.model, 2 ** 32 - 1, 2 ** 32 - 3);
      const wide = both.nodes(4);
      expect(wide.at(-1)).toBe(2 ** 32 + 2);
      for (let i = 0; i < 30; i += 1) {
        both.edges([[hub, wide[i % 4]!, `T${i % types}`], [wide[i % 4]!, hub, 'IN']]); // prettier-ignore
        both.agree(hub, wide[i % 4]!);
      }
      both.edges(Array.from({ length: 300 }, (_, i) => [hub, i % 2 === 0 ? other : wide[0]!, `T${i % types}`]));
      skipTo(db, both.model, 2 ** 48 - 2, 2 ** 48 - 10);
      const [last] = both.nodes(1) as [number];
      both.edges(Array.from({ length: 8 }, () => [hub, last, 'T0']));
      both.agree(hub, other, last, ...wide);
      expect(db.reader.bfsLevels(wide[1]!, { direction: 'both' })).toEqual([1, 1, 5]);
      expect(db.reader.shortestPath(wide[1]!, last)).toMatchObject({ nodes: [wide[1], hub, last], length: 2 });
      expect(compare(db.reader, both.model)).toEqual([]);
      expect(db.problems()).toEqual([]);
      both.deleteEdges([...both.model.edges.keys()].filter((edge) => edge % 7 !== 0));
      both.agree(hub, other, last, ...wide);
      db.write((tx) => tx.deleteNode(last, { cascade: true }));
      both.model.deleteNode(last);
      expect(compare(db.reader, both.model)).toEqual([]);
    });
  });

  test('when all ids are used up, the next one is refused', () => {
    withGraph({}, (db) => {
      const both = new Both(db);
      skipTo(db, both.model, 2 ** 48 - 1, 2 ** 48 - 1);
      const [last] = both.nodes(1) as [number];
      expect(last).toBe(2 ** 48 - 1);
      both.edges([[last, last, 'T']]);
      const tx = db.graph.begin();
      expect(() => tx.addNode([])).toThrow(expect.objectContaining({ code: 'SOMBRA_ID_RANGE' }));
      expect(() => tx.addEdge(last, last, 'T')).toThrow(expect.objectContaining({ code: 'SOMBRA_ID_RANGE' }));
      tx.commit();
      expect(compare(db.reader, both.model)).toEqual([]);
    });
  });
});

describe('hints are never trusted', () => {
  test.each([0, 1 << 20])('wrong hints in reads and writes change no answer (hint memory %i)', (memory) => {
    const vfs = new MemoryVfs();
    const pager = Pager.open({ vfs, ...SMALL, cacheSize: 16 });
    const graph = new StoreGraph(pager, memory);
    const model = new ModelGraph();
    const random = new Random(3);
    for (let round = 0; round < 12; round += 1) {
      graph.scrambleHints(random);
      graph.write((tx) => {
        for (let i = 0; i < 150; i += 1) expect(tx.addNode('L', { round })).toBe(model.addNode(['L'], { round }));
        for (let i = 0; i < 200; i += 1) {
          if (i % 50 === 0) graph.scrambleHints(random);
          const source = random.chance(0.3) ? 1 : 1 + random.below(model.nodes.size);
          const target = 1 + random.below(model.nodes.size);
          tx.addEdge(source, target, 'T');
          model.addEdge(source, target, 'T');
        }
        for (const edge of [...model.edges.keys()].filter(() => random.chance(0.2))) {
          tx.deleteEdge(edge);
          model.edges.delete(edge);
        }
      });
      graph.scrambleHints(random);
      const snapshot = pager.snapshot();
      for (let i = 0; i < 100; i += 1) {
        expect(compareNode(graph.reader, model, 1 + random.below(model.nodes.size + 5))).toEqual([]);
      }
      snapshot.release();
    }
    graph.scrambleHints(random);
    expect(compare(graph.reader, model)).toEqual([]);
    expect(Graph.open(pager).verifyIntegrity().errors).toEqual([]);
    pager.close();
  });

  test('a hint into a leaf that has since been split or freed does not mislead', () => {
    withGraph({}, (db) => {
      const both = new Both(db);
      const nodes = both.nodes(400);
      both.edges(nodes.map((node, i) => [node, nodes[(i * 7) % 400]!, 'T']));
      both.agree(...nodes.slice(0, 50));
      both.edges(
        nodes.flatMap((node) =>
          Array.from({ length: 12 }, (_, i) => [node, nodes[(node * i) % 400]!, 'T'] as [number, number, string]),
        ),
      );
      both.agree(...nodes.slice(0, 50));
      db.write((tx) => {
        for (const node of nodes.slice(10, 350)) {
          tx.deleteNode(node, { cascade: true });
          both.model.deleteNode(node);
        }
      });
      expect(compare(db.reader, both.model)).toEqual([]);
    });
  });
});
