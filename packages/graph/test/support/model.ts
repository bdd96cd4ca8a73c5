// A plain model of a graph: records in Maps, everything else worked out from them by scanning.
import type { Direction, Properties, PropertyInput, PropertyValue } from '../../src/model/types.ts';
import { equal } from './naive-find.ts';

export interface ModelNode {
  readonly labels: readonly string[];
  readonly properties: Properties;
}

export interface ModelEdge {
  readonly source: number;
  readonly target: number;
  readonly type: string;
  readonly properties: Properties;
}

export interface ModelIndex {
  readonly on: 'node' | 'edge';
  readonly name: string;
  readonly keys: readonly string[];
  readonly unique: boolean;
}

/** What the graph throws for a value that must be unique and is not. */
export class NotUnique extends Error {
  readonly code = 'SOMBRA_UNIQUE';
}

/** Own properties that are there, as data whatever their keys. */
export function present(properties: PropertyInput = {}): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter(([, value]) => value !== null && value !== undefined),
  ) as Properties;
}

/** What a graph holds. Records are never changed in place, so that a copy is cheap. */
export class ModelGraph {
  nodes = new Map<number, ModelNode>();
  edges = new Map<number, ModelEdge>();
  nextNode = 1;
  nextEdge = 1;
  labels: string[] = [];
  types: string[] = [];
  keys: string[] = [];
  indexes: readonly ModelIndex[] = [];

  copy(): ModelGraph {
    const copy = new ModelGraph();
    copy.nodes = new Map(this.nodes);
    copy.edges = new Map(this.edges);
    copy.nextNode = this.nextNode;
    copy.nextEdge = this.nextEdge;
    copy.labels = [...this.labels];
    copy.types = [...this.types];
    copy.keys = [...this.keys];
    copy.indexes = this.indexes;
    return copy;
  }

  addNode(labels: readonly string[], properties?: PropertyInput): number {
    const own = [...new Set(labels)];
    this.refuseTwice('node', own, present(properties), this.nextNode);
    own.forEach((label) => learn(this.labels, label));
    this.nodes.set(this.nextNode, { labels: own, properties: this.learned(properties) });
    return this.nextNode++;
  }

  addEdge(source: number, target: number, type: string, properties?: PropertyInput): number {
    this.refuseTwice('edge', [type], present(properties), this.nextEdge);
    learn(this.types, type);
    this.edges.set(this.nextEdge, { source, target, type, properties: this.learned(properties) });
    return this.nextEdge++;
  }

  replaceNodeProperties(id: number, properties: PropertyInput): void {
    this.refuseTwice('node', this.nodes.get(id)!.labels, present(properties), id);
    this.nodes.set(id, { ...this.nodes.get(id)!, properties: this.learned(properties) });
  }

  replaceEdgeProperties(id: number, properties: PropertyInput): void {
    this.refuseTwice('edge', [this.edges.get(id)!.type], present(properties), id);
    this.edges.set(id, { ...this.edges.get(id)!, properties: this.learned(properties) });
  }

  addLabel(id: number, label: string): boolean {
    const node = this.nodes.get(id)!;
    if (node.labels.includes(label)) return false;
    this.refuseTwice('node', [label], node.properties, id);
    learn(this.labels, label);
    this.nodes.set(id, { ...node, labels: [...node.labels, label] });
    return true;
  }

  removeLabel(id: number, label: string): boolean {
    const node = this.nodes.get(id)!;
    if (!node.labels.includes(label)) return false;
    this.nodes.set(id, { ...node, labels: node.labels.filter((one) => one !== label) });
    return true;
  }

  /** Creates an index, as the graph does. @throws NotUnique, Error with code SOMBRA_INDEX_EXISTS */
  createIndex(index: ModelIndex): boolean {
    const known = this.findIndex(index);
    if (known !== undefined && known.unique !== index.unique)
      throw Object.assign(new Error('exists'), { code: 'SOMBRA_INDEX_EXISTS' });
    if (known !== undefined) return false;
    const rows = this.rowsOf(index);
    if (index.unique && rows.some(([id, values]) => this.twin(index, values, id))) throw new NotUnique();
    learn(index.on === 'node' ? this.labels : this.types, index.name);
    for (const key of index.keys) learn(this.keys, key);
    this.indexes = [...this.indexes, index];
    return true;
  }

  /** Drops an index. @returns false if there is none */
  dropIndex(index: Omit<ModelIndex, 'unique'>): boolean {
    const known = this.findIndex(index);
    this.indexes = this.indexes.filter((one) => one !== known);
    return known !== undefined;
  }

  /** The indexes as a reader lists them. */
  indexInfos(): (ModelIndex & { entries: number })[] {
    return this.indexes.map((index) => ({ ...index, entries: this.rowsOf(index).length }));
  }

  private findIndex({ on, name, keys }: Omit<ModelIndex, 'unique'>): ModelIndex | undefined {
    return this.indexes.find((one) => one.on === on && one.name === name && one.keys.join('\n') === keys.join('\n'));
  }

  /** Ids and values of the rows in an index. */
  private rowsOf({ on, name, keys }: ModelIndex): [number, PropertyValue[]][] {
    const rows: [number, PropertyValue[]][] = [];
    const add = (id: number, properties: Properties): void => {
      if (keys.every((key) => Object.hasOwn(properties, key))) rows.push([id, keys.map((key) => properties[key]!)]);
    };
    if (on === 'node') for (const [id, node] of this.nodes) if (node.labels.includes(name)) add(id, node.properties);
    if (on === 'edge') for (const [id, edge] of this.edges) if (edge.type === name) add(id, edge.properties);
    return rows;
  }

  private twin(index: ModelIndex, values: readonly PropertyValue[], id: number): boolean {
    return this.rowsOf(index).some(
      ([other, theirs]) => other !== id && theirs.every((value, i) => equal(value, values[i])),
    );
  }

  private refuseTwice(on: 'node' | 'edge', names: readonly string[], properties: Properties, id: number): void {
    for (const index of this.indexes) {
      if (!index.unique || index.on !== on || !names.includes(index.name)) continue;
      if (!index.keys.every((key) => Object.hasOwn(properties, key))) continue;
      if (
        this.twin(
          index,
          index.keys.map((key) => properties[key]!),
          id,
        )
      )
        throw new NotUnique();
    }
  }

  /** Deletes a node and its edges. */
  deleteNode(id: number): void {
    for (const edge of this.incidence().edges(id, 'both')) this.edges.delete(edge);
    this.nodes.delete(id);
  }

  /** Edges by node, as they are now. */
  incidence(): Incidence {
    return new Incidence(this);
  }

  private learned(properties?: PropertyInput): Properties {
    const own = present(properties);
    Object.keys(own).forEach((key) => learn(this.keys, key));
    return own;
  }
}

/** Edges of a model by node. */
export class Incidence {
  private readonly model: ModelGraph;
  private readonly out = new Map<number, number[]>();
  private readonly in = new Map<number, number[]>();
  private readonly typeNumbers: ReadonlyMap<string, number>;

  constructor(model: ModelGraph) {
    this.model = model;
    this.typeNumbers = new Map(model.types.map((type, number) => [type, number]));
    for (const [edge, { source, target }] of model.edges) {
      append(this.out, source, edge);
      append(this.in, target, edge);
    }
  }

  /** Edge ids of a node, outgoing before incoming, a self loop once in `both`. */
  edges(id: number, direction: Direction, types?: readonly string[]): number[] {
    const { edges } = this.model;
    const out = direction === 'in' ? [] : (this.out.get(id) ?? []);
    const into =
      direction === 'out'
        ? []
        : (this.in.get(id) ?? []).filter((edge) => direction === 'in' || edges.get(edge)!.source !== id);
    return [...out, ...into].filter((edge) => types === undefined || types.includes(edges.get(edge)!.type));
  }

  /** Number of edges; a self loop counts 2 in `both`. */
  degree(id: number, direction: Direction, types?: readonly string[]): number {
    return direction === 'both'
      ? this.edges(id, 'out', types).length + this.edges(id, 'in', types).length
      : this.edges(id, direction, types).length;
  }

  /** Place of an edge's type in the order of first use. */
  typeNumber(edge: number): number {
    return this.typeNumbers.get(this.model.edges.get(edge)!.type)!;
  }
}

function append(lists: Map<number, number[]>, id: number, edge: number): void {
  const list = lists.get(id);
  if (list === undefined) lists.set(id, [edge]);
  else list.push(edge);
}

function learn(names: string[], name: string): void {
  if (!names.includes(name)) names.push(name);
}

/** Properties with some replaced; null takes one away. */
export function changed(properties: Properties, changes: Record<string, PropertyValue | null>): PropertyInput {
  return Object.fromEntries([
    ...Object.entries(properties).filter(([key]) => !Object.hasOwn(changes, key)),
    ...Object.entries(changes),
  ]);
}
