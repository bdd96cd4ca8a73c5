// Random runs of the whole graph API against the plain model.
import fc from 'fast-check';
import type { GraphReader, GraphSnapshot, GraphTransaction, PropertyInput, PropertyValue } from '../../src/index.ts';
import { BAD_STATEMENTS } from './bad-statements.ts';
import { ascending, compare, compareEdge, compareNode } from './compare.ts';
import { codeOf } from './errors.ts';
import { changed, ModelGraph } from './model.ts';
import { where } from './find-arbitraries.ts';
import { fulfils, hasOrder, inOrder, type Question, type Row } from './naive-find.ts';
import { OpenGraph, SMALL } from './open.ts';
import { Random } from './random.ts';
import { Reference } from './reference.ts';
import { randomProperties, randomValue } from './values.ts';

/** Operations with how often they occur; the first is what a failing run shrinks to. */
const WEIGHTS = {
  nothing: 1,
  addNode: 10,
  addEdge: 14,
  addNodes: 2,
  addEdges: 2,
  setNodeProperty: 3,
  removeNodeProperty: 2,
  replaceNodeProperties: 2,
  updateNodeProperties: 2,
  setEdgeProperty: 3,
  removeEdgeProperty: 2,
  replaceEdgeProperties: 1,
  updateEdgeProperties: 2,
  setLargeProperty: 2,
  addLabel: 4,
  removeLabel: 3,
  deleteEdge: 4,
  deleteEdges: 2,
  deleteNode: 2,
  deleteNodeWithEdges: 2,
  badStatement: 3,
  begin: 8,
  commit: 4,
  rollback: 2,
  savepoint: 4,
  rollbackTo: 3,
  releaseSavepoint: 2,
  snapshot: 2,
  releaseSnapshot: 1,
  checkpoint: 2,
  reopen: 1,
  read: 8,
  traverse: 4,
  createIndex: 6,
  dropIndex: 1,
  find: 8,
  copyNode: 6,
} as const;

export type OpName = keyof typeof WEIGHTS;
/** An operation, and three numbers that say on what and with what. */
export type Op = readonly [name: OpName, a: number, b: number, c: number];

const NAMES = Object.keys(WEIGHTS) as OpName[];
const number = fc.nat(2 ** 20);

/** One operation. */
const op: fc.Arbitrary<Op> = fc.tuple(
  fc.constantFrom(...NAMES.flatMap((name) => new Array<OpName>(WEIGHTS[name]).fill(name))),
  number,
  number,
  number,
);

/** A run of so many operations. In messages those that do nothing, which shrinking puts in place of others, are left out. */
export function runs(length: number): fc.Arbitrary<Op[]> {
  const text = (ops: readonly Op[]): string => JSON.stringify(ops.filter(([name]) => name !== 'nothing'));
  return fc
    .array(op, { minLength: length, maxLength: length })
    .map((ops) => Object.defineProperty(ops, fc.toStringMethod, { value: () => text(ops) }));
}

const LABELS = ['Person', 'City', 'Größe', 'constructor', '__proto__'];
const TYPES = ['KNOWS', 'LIKES', 'toString', 'é'];
/** Properties that are indexed and asked for. */
const INDEX_KEYS = ['name', 'age', 'a', '__proto__'];
/** Nodes and edges that a run may have: what it costs stays bounded. */
const NODES_MAX = 200;
const EDGES_MAX = 400;
/** Statements that take no time to refuse. */
const QUICK_BAD = BAD_STATEMENTS.filter(({ code }) => code !== 'SOMBRA_VALUE_TOO_LARGE');

/** Some conditions that must hold together, with values of the rows. */
function randomQuestion(random: Random, rows: readonly Row[]): Question {
  const parts = Array.from({ length: 1 + random.below(2) }, (): Question => {
    const row = rows.length > 0 && random.chance(0.8) ? random.pick(rows) : undefined;
    const keys = INDEX_KEYS.filter((key) => row !== undefined && Object.hasOwn(row.properties, key));
    const key = random.pick(keys.length > 0 ? keys : INDEX_KEYS);
    const value = keys.length > 0 ? row!.properties[key]! : randomValue(random);
    const operators = ['eq', 'eq', 'ne', 'in', 'exists', ...(hasOrder(value) ? ['lt', 'lte', 'gt', 'gte'] : [])];
    const operator = random.pick(
      typeof value === 'string' ? [...operators, 'startsWith', 'endsWith', 'contains'] : operators,
    );
    const given = operator === 'exists' ? random.chance(0.7) : operator === 'in' ? [value, randomValue(random)] : value;
    return { op: 'test', key, operator, value: given };
  });
  return { op: random.chance(0.8) ? 'all' : 'any', parts };
}

/** A graph and a model that must stay the same. */
export class GraphRun {
  private readonly db: OpenGraph;
  private committed = new ModelGraph();
  private tx: GraphTransaction | undefined;
  private draft = new ModelGraph();
  private marks: { id: number; model: ModelGraph }[] = [];
  private snapshots: { snapshot: GraphSnapshot; model: ModelGraph }[] = [];

  constructor(cacheSize: number) {
    this.db = new OpenGraph({ cacheSize, maxTransactionPages: 400 });
  }

  /** Carries out one operation on both. @throws Error when they differ */
  step([name, a, b, c]: Op): void {
    switch (name) {
      case 'nothing':
        return;
      case 'begin':
        return this.begin();
      case 'commit':
        return this.end(true);
      case 'rollback':
        return this.end(false);
      case 'savepoint':
        if (this.tx !== undefined) this.marks.push({ id: this.tx.savepoint(), model: this.draft.copy() });
        return;
      case 'rollbackTo':
      case 'releaseSavepoint':
        return this.endSavepoint(name, a);
      case 'snapshot':
        if (this.snapshots.length < 4)
          this.snapshots.push({ snapshot: this.db.graph.snapshot(), model: this.committed });
        return;
      case 'releaseSnapshot':
        this.snapshots.splice(a % (this.snapshots.length || 1), 1)[0]?.snapshot.release();
        return;
      case 'checkpoint':
        if (this.tx === undefined) this.db.pager.checkpoint();
        return;
      case 'reopen':
        return this.reopen();
      case 'read':
        return this.read(a, b, c);
      case 'traverse':
        return this.traverse(a, b, c);
      case 'find':
        return this.find(a, b, c);
      case 'createIndex':
      case 'dropIndex':
        return this.changeIndex(name, a, b, c);
      default:
        return this.mutate(name, a, b, c);
    }
  }

  /** Everything must agree, the file must be sound, and no page may be lost. */
  finish(): void {
    this.end(this.draft.nextNode % 2 === 0);
    for (const { snapshot, model } of this.snapshots) agree(compare(snapshot, model));
    // What the open file says of itself and what it answers, by turns: both are looked at when it was opened again.
    agree(this.committed.nextEdge % 2 === 0 ? compare(this.db.reader, this.committed) : this.db.problems());
    this.reopen();
    agree(compare(this.db.reader, this.committed));
    agree(this.db.problems());
    this.db.pager.close();
    same(this.db.vfs.list('.').join(), SMALL.path, 'the files that are left');
  }

  private begin(): void {
    if (this.tx !== undefined) return;
    this.tx = this.db.graph.begin();
    this.draft = this.committed.copy();
  }

  private end(commit: boolean): void {
    if (this.tx === undefined) return;
    if (commit) {
      this.tx.commit();
      this.committed = this.draft;
    } else this.tx.rollback();
    this.tx = undefined;
    this.marks = [];
  }

  private endSavepoint(name: 'rollbackTo' | 'releaseSavepoint', a: number): void {
    if (this.tx === undefined || this.marks.length === 0) return;
    const at = a % this.marks.length;
    const { id, model } = this.marks[at]!;
    this.tx[name](id);
    if (name === 'rollbackTo') this.draft = model.copy();
    this.marks.length = name === 'rollbackTo' ? at + 1 : at;
  }

  private reopen(): void {
    this.end(false);
    this.db.reopen();
    for (const { snapshot } of this.snapshots) agree(snapshot.closed ? [] : ['a snapshot outlived its database']);
    this.snapshots = [];
  }

  /** A statement, in a transaction of its own if none is open. */
  private mutate(name: OpName, a: number, b: number, c: number): void {
    const single = this.tx === undefined;
    this.begin();
    this.statement(this.tx!, this.draft, name, a, b, c);
    if (single) this.end(true);
  }

  private statement(tx: GraphTransaction, model: ModelGraph, name: OpName, a: number, b: number, c: number): void {
    const random = new Random(c);
    switch (name) {
      case 'addNode':
      case 'addNodes':
        for (let count = name === 'addNode' ? 1 : 1 + (a % 40); count > 0 && model.nodes.size < NODES_MAX; count -= 1) {
          const labels = LABELS.filter(() => random.chance(0.3));
          const properties = randomProperties(random);
          both(
            () => tx.addNode(labels, properties),
            () => model.addNode(labels, properties),
            'the id of a new node',
          );
        }
        return;
      case 'copyNode': {
        // What must be unique will not be.
        const original = model.nodes.get(pick(model.nodes, a) ?? 0);
        if (original === undefined || model.nodes.size >= NODES_MAX) return;
        const labels = [...new Set([...original.labels, LABELS[b % 2]!])];
        return both(
          () => tx.addNode(labels, original.properties),
          () => model.addNode(labels, original.properties),
          name,
        );
      }
      case 'addEdge':
      case 'addEdges': {
        const nodes = [...model.nodes.keys()];
        if (nodes.length === 0) return;
        const source = nodes[a % nodes.length]!;
        const count = name === 'addEdge' ? 1 : 1 + (b % 130);
        const types = TYPES.slice(0, 1 + (c % TYPES.length));
        for (let i = 0; i < count && model.edges.size < EDGES_MAX; i += 1) {
          const target = name === 'addEdge' ? nodes[b % nodes.length]! : random.pick(nodes);
          const ends: [number, number] = (c & 8) === 0 ? [source, target] : [target, source];
          const type = random.pick(types);
          const properties = count > 1 ? undefined : randomProperties(random);
          both(
            () => tx.addEdge(...ends, type, properties),
            () => model.addEdge(...ends, type, properties),
            'the id of a new edge',
          );
        }
        return;
      }
      case 'deleteEdge':
      case 'deleteEdges': {
        const edges = ascending(model.edges.keys());
        const from = a % (edges.length || 1);
        for (const edge of edges.slice(from, from + (name === 'deleteEdge' ? 1 : b % 100))) {
          tx.deleteEdge(edge);
          model.edges.delete(edge);
        }
        return;
      }
      case 'badStatement':
        return this.refused(tx, model, a, b);
      default:
    }
    const node = pick(model.nodes, a);
    const edge = pick(model.edges, a);
    const key = random.pick(['name', 'age', '__proto__', 'toString', 'w']);
    const properties = randomProperties(random) as PropertyInput;
    if (name.includes('EdgePropert')) {
      if (edge !== undefined) this.edgeStatement(tx, model, name, edge, key, properties, random);
    } else if (node !== undefined) this.nodeStatement(tx, model, name, node, key, properties, b, random);
  }

  private nodeStatement(
    tx: GraphTransaction,
    model: ModelGraph,
    name: OpName,
    id: number,
    key: string,
    properties: PropertyInput,
    b: number,
    random: Random,
  ): void {
    const before = model.nodes.get(id)!.properties;
    const label = LABELS[b % LABELS.length]!;
    switch (name) {
      case 'setNodeProperty': {
        const value = random.chance(0.1) ? null : randomValue(random);
        return both(
          () => tx.setNodeProperty(id, key, value),
          () => model.replaceNodeProperties(id, changed(before, { [key]: value })),
          name,
        );
      }
      case 'setLargeProperty': {
        const value = 'large'.repeat(b % 4000);
        return both(
          () => tx.setNodeProperty(id, key, value),
          () => model.replaceNodeProperties(id, changed(before, { [key]: value })),
          name,
        );
      }
      case 'removeNodeProperty':
        same(tx.removeNodeProperty(id, key), Object.hasOwn(before, key), 'removeNodeProperty');
        return model.replaceNodeProperties(id, changed(before, { [key]: null }));
      case 'replaceNodeProperties':
        return both(
          () => tx.replaceNodeProperties(id, properties),
          () => model.replaceNodeProperties(id, properties),
          name,
        );
      case 'updateNodeProperties':
        return both(
          () => tx.updateNodeProperties(id, properties),
          () => model.replaceNodeProperties(id, changed(before, properties as Record<string, PropertyValue>)),
          name,
        );
      case 'addLabel':
        return both(
          () => tx.addLabel(id, label),
          () => model.addLabel(id, label),
          name,
        );
      case 'removeLabel':
        return same(tx.removeLabel(id, label), model.removeLabel(id, label), 'removeLabel');
      case 'deleteNode':
      case 'deleteNodeWithEdges':
        if (name === 'deleteNode' && model.incidence().degree(id, 'both') > 0) {
          return same(
            codeOf(() => tx.deleteNode(id)),
            'SOMBRA_NODE_HAS_EDGES',
            'deleting a node with edges',
          );
        }
        tx.deleteNode(id, name === 'deleteNode' ? undefined : { cascade: true });
        return model.deleteNode(id);
      default:
    }
  }

  private edgeStatement(
    tx: GraphTransaction,
    model: ModelGraph,
    name: OpName,
    id: number,
    key: string,
    properties: PropertyInput,
    random: Random,
  ): void {
    const before = model.edges.get(id)!.properties;
    switch (name) {
      case 'setEdgeProperty': {
        const value = random.chance(0.1) ? null : randomValue(random);
        return both(
          () => tx.setEdgeProperty(id, key, value),
          () => model.replaceEdgeProperties(id, changed(before, { [key]: value })),
          name,
        );
      }
      case 'removeEdgeProperty':
        same(tx.removeEdgeProperty(id, key), Object.hasOwn(before, key), 'removeEdgeProperty');
        return model.replaceEdgeProperties(id, changed(before, { [key]: null }));
      case 'replaceEdgeProperties':
        return both(
          () => tx.replaceEdgeProperties(id, properties),
          () => model.replaceEdgeProperties(id, properties),
          name,
        );
      case 'updateEdgeProperties':
        return both(
          () => tx.updateEdgeProperties(id, properties),
          () => model.replaceEdgeProperties(id, changed(before, properties as Record<string, PropertyValue>)),
          name,
        );
      default:
    }
  }

  private refused(tx: GraphTransaction, model: ModelGraph, a: number, b: number): void {
    const edge = pick(model.edges, b);
    if (edge === undefined) return;
    const statement = QUICK_BAD[a % QUICK_BAD.length]!;
    const { source } = model.edges.get(edge)!;
    const ids = { node: source, edge, missing: 1_000_000 };
    same(
      codeOf(() => statement.run(tx, ids)),
      statement.code,
      statement.name,
    );
    same(tx.state, 'active', `the transaction after ${statement.name}`);
    agree([...compareNode(tx, model, source), ...compareEdge(tx, model, edge)]);
  }

  /** One of the readers, with what it must see. */
  private pickReader(c: number): { reader: GraphReader; model: ModelGraph } {
    const readers: { reader: GraphReader; model: ModelGraph }[] = [{ reader: this.db.reader, model: this.committed }];
    if (this.tx !== undefined)
      readers.push({ reader: this.tx, model: this.draft }, { reader: this.tx, model: this.draft });
    for (const { snapshot, model } of this.snapshots) readers.push({ reader: snapshot, model });
    return readers[c % readers.length]!;
  }

  private read(a: number, b: number, c: number): void {
    const { reader, model } = this.pickReader(c);
    if (b % 8 === 0) agree(compare(reader, model));
    agree(compareNode(reader, model, pick(model.nodes, a) ?? 1 + (a % 400)));
    agree(compareEdge(reader, model, pick(model.edges, b) ?? 1 + (b % 400)));
  }

  /** Creates or drops an index: a commit of its own, so not inside of a transaction. */
  private changeIndex(name: 'createIndex' | 'dropIndex', a: number, b: number, c: number): void {
    if (this.tx !== undefined) return;
    const random = new Random(c);
    const on = a % 3 === 0 ? 'edge' : 'node';
    const names = on === 'node' ? LABELS : TYPES;
    const first = INDEX_KEYS[b % INDEX_KEYS.length]!;
    const second = random.pick(INDEX_KEYS);
    const keys = random.chance(0.6) || second === first ? [first] : [first, second];
    const index = { on, name: names[a % 2]!, keys, unique: random.chance(0.5) } as const;
    const { graph } = this.db;
    const after = this.committed.copy();
    if (name === 'createIndex') {
      const { unique } = index;
      const create = on === 'node' ? graph.createPropertyIndex : graph.createEdgePropertyIndex;
      both(
        () => create.call(graph, index.name, keys, { unique }),
        () => after.createIndex(index),
        name,
      );
    } else {
      const drop = on === 'node' ? graph.dropPropertyIndex : graph.dropEdgePropertyIndex;
      both(
        () => drop.call(graph, index.name, keys),
        () => after.dropIndex(index),
        name,
      );
    }
    this.committed = after;
  }

  /** Asks one of the readers for nodes or edges, most often for values that there are. */
  private find(a: number, b: number, c: number): void {
    const { reader, model } = this.pickReader(c);
    const random = new Random(a);
    const nodes = b % 3 !== 0;
    const name = random.chance(0.9) ? (nodes ? LABELS : TYPES)[b % 2]! : undefined;
    const rows: Row[] = [...(nodes ? model.nodes : model.edges)]
      .filter(([, row]) => name === undefined || ('labels' in row ? row.labels.includes(name) : row.type === name))
      .map(([id, { properties }]) => ({ id, properties }));
    const asked = randomQuestion(random, rows);
    const orderBy = random.chance(0.5) ? [] : [{ key: random.pick(INDEX_KEYS), descending: random.chance(0.5) }];
    const limit = random.chance(0.5) ? 1 + random.below(10) : undefined;
    const expected = inOrder(
      rows.filter((row) => fulfils(row, asked)),
      orderBy,
    );
    const rest = { orderBy, limit, select: [] };
    const found = nodes
      ? reader.findNodes({ label: name, where: where(asked), ...rest })
      : reader.findEdges({ type: name, where: where(asked), ...rest });
    const ids = [...found].map(({ id }) => id);
    same(
      ids.join(),
      expected
        .slice(0, limit)
        .map(({ id }) => id)
        .join(),
      `find ${JSON.stringify(asked.op)}`,
    );
    const count = nodes
      ? reader.countNodes({ label: name, where: where(asked) })
      : reader.countEdges({ type: name, where: where(asked) });
    same(count, expected.length, 'count');
  }

  private traverse(a: number, b: number, c: number): void {
    const { reader, model } = this.pickReader(c);
    const from = pick(model.nodes, a);
    const to = pick(model.nodes, b);
    if (from === undefined || to === undefined) return;
    const reference = new Reference(model.edges);
    const options = [
      {},
      { direction: 'in' },
      { direction: 'both' },
      { type: 'KNOWS' },
      { direction: 'both', type: ['LIKES', 'KNOWS'] },
    ] as const;
    const chosen = options[(a + b) % options.length]!;
    const distances = reference.distances(from, chosen);
    const levels: number[] = [];
    for (const depth of distances.values()) levels[depth] = (levels[depth] ?? 0) + 1;
    same(reader.bfsLevels(from, chosen).join(), levels.join(), 'bfsLevels');
    const path = reader.shortestPath(from, to, chosen);
    same(path?.length, distances.get(to), 'the length of a shortest path');
    if (path !== undefined) agree(reference.faults(path, from, to, chosen));
    same(
      reader.kHop(from, 2, chosen).length,
      [...distances.values()].filter((depth) => depth === 1 || depth === 2).length,
      'kHop',
    );
  }
}

/** Does the same to both, which must give the same, or refuse it with the same code. */
function both<T>(run: () => T, expected: () => T, what: string): void {
  same(outcome(run), outcome(expected), what);
}

function outcome<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
}

/** Runs the operations on a new graph, in a cache of so many pages. */
export function runAll(cacheSize: number, ops: readonly Op[]): void {
  const run = new GraphRun(cacheSize);
  for (const one of ops) run.step(one);
  run.finish();
}

/** Key number `n` of a map, undefined if it is empty. */
function pick(from: ReadonlyMap<number, unknown>, n: number): number | undefined {
  let at = n % (from.size || 1);
  for (const key of from.keys()) if (at-- === 0) return key;
  return undefined;
}

function same<T>(found: T, expected: T, what: string): void {
  if (!Object.is(found, expected)) throw new Error(`${what} is ${String(found)}, expected ${String(expected)}`);
}

function agree(wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Error(wrong.slice(0, 5).join('\n'));
}
