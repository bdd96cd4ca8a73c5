// A plain model of a graph: records in Maps, everything else worked out from them by scanning.
import type { Direction, Properties, PropertyInput, PropertyValue } from '../../src/types.ts';

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

  copy(): ModelGraph {
    const copy = new ModelGraph();
    copy.nodes = new Map(this.nodes);
    copy.edges = new Map(this.edges);
    copy.nextNode = this.nextNode;
    copy.nextEdge = this.nextEdge;
    copy.labels = [...this.labels];
    copy.types = [...this.types];
    copy.keys = [...this.keys];
    return copy;
  }

  addNode(labels: readonly string[], properties?: PropertyInput): number {
    const own = [...new Set(labels)];
    own.forEach((label) => learn(this.labels, label));
    this.nodes.set(this.nextNode, { labels: own, properties: this.learned(properties) });
    return this.nextNode++;
  }

  addEdge(source: number, target: number, type: string, properties?: PropertyInput): number {
    learn(this.types, type);
    this.edges.set(this.nextEdge, { source, target, type, properties: this.learned(properties) });
    return this.nextEdge++;
  }

  setNodeProperties(id: number, properties: PropertyInput): void {
    this.nodes.set(id, { ...this.nodes.get(id)!, properties: this.learned(properties) });
  }

  setEdgeProperties(id: number, properties: PropertyInput): void {
    this.edges.set(id, { ...this.edges.get(id)!, properties: this.learned(properties) });
  }

  addLabel(id: number, label: string): boolean {
    const node = this.nodes.get(id)!;
    if (node.labels.includes(label)) return false;
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
