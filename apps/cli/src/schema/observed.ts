/** What a database holds, by label and edge type: which properties, of which kinds, how often; and what edges connect. */
import type { GraphReads, PropertyIndexInfo, PropertyValue } from '@sombra/db';
import type { Pace } from '../shell/pace.ts';

/** How often a property had values of a kind: `string`, `integer`, `bigint` (beyond 2^53), `float`, `boolean`, `bytes`, `date`, `map`, `list<…>`. */
export interface KindCount {
  readonly kind: string;
  readonly count: number;
}

/** A property of a label or type. `present`: rows that have it. */
export interface ObservedProperty {
  readonly key: string;
  readonly present: number;
  readonly kinds: readonly KindCount[];
}

/** A label. `scanned`: nodes that were looked at. */
export interface ObservedLabel {
  readonly label: string;
  readonly nodes: number;
  readonly scanned: number;
  readonly properties: readonly ObservedProperty[];
}

/** Sets of labels that edges of a type connect. */
export interface ObservedEnds {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly edges: number;
}

/** An edge type. */
export interface ObservedType {
  readonly type: string;
  readonly edges: number;
  readonly scanned: number;
  readonly ends: readonly ObservedEnds[];
  readonly properties: readonly ObservedProperty[];
}

/** All of it. `sample`: rows that were looked at of each label and type at most; null: all rows. */
export interface ObservedSchema {
  readonly nodes: number;
  readonly edges: number;
  readonly sample: number | null;
  readonly labels: readonly ObservedLabel[];
  readonly edgeTypes: readonly ObservedType[];
  readonly indexes: readonly PropertyIndexInfo[];
}

/** Properties that are being counted. */
class PropertyCounts {
  scanned = 0;
  private readonly kinds = new Map<string, Map<string, number>>();

  add(properties: { readonly [key: string]: PropertyValue }): void {
    this.scanned += 1;
    for (const key of Object.keys(properties)) {
      let counts = this.kinds.get(key);
      if (counts === undefined) this.kinds.set(key, (counts = new Map()));
      const kind = kindOf(properties[key]!);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }

  list(): ObservedProperty[] {
    return [...this.kinds].map(([key, counts]) => ({
      key,
      present: [...counts.values()].reduce((sum, count) => sum + count, 0),
      kinds: [...counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => b.count - a.count),
    }));
  }
}

/** Name of the kind of a value. A list is `list<kind>`, of several kinds `list<any>`, an empty one `list<>`. */
export function kindOf(value: PropertyValue): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return typeof value;
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? 'integer' : 'float';
    default:
      if (value instanceof Date) return 'date';
      if (value instanceof Uint8Array) return 'bytes';
      return Array.isArray(value) ? listKind(value) : 'map';
  }
}

function listKind(list: readonly PropertyValue[]): string {
  const kinds = new Set(list.map(kindOf));
  if (kinds.size > 1) return 'list<any>';
  const [kind = ''] = kinds;
  return kind.startsWith('list<') ? 'list<any>' : `list<${kind}>`;
}

/**
 * Looks at rows.
 * @param sample  rows of each label and each type at most; undefined: all
 * @param pace    is told of every row, and interrupts
 */
export async function observe(graph: GraphReads, sample: number | undefined, pace: Pace): Promise<ObservedSchema> {
  const limit = sample === undefined ? {} : { limit: sample };
  const labels: ObservedLabel[] = [];
  for (const { label, count } of graph.labelCounts()) {
    if (count === 0) continue;
    const counts = new PropertyCounts();
    for (const { properties } of graph.nodes({ label, ...limit })) {
      counts.add(properties);
      if (pace.row()) await pace.turn();
    }
    labels.push({ label, nodes: count, scanned: counts.scanned, properties: counts.list() });
  }
  const edgeTypes: ObservedType[] = [];
  for (const { type, count } of graph.typeCounts()) {
    if (count === 0) continue;
    const counts = new PropertyCounts();
    const ends = new EndCounts(graph);
    for (const { source, target, properties } of graph.edges({ type, ...limit })) {
      counts.add(properties);
      ends.add(source, target);
      if (pace.row()) await pace.turn();
    }
    edgeTypes.push({ type, edges: count, scanned: counts.scanned, ends: ends.list(), properties: counts.list() });
  }
  return {
    nodes: graph.nodeCount(),
    edges: graph.edgeCount(),
    sample: sample ?? null,
    labels,
    edgeTypes,
    indexes: graph.propertyIndexes(),
  };
}

/** Sets of labels of nodes whose labels were looked up lately, and how many edges connect which. */
class EndCounts {
  private readonly graph: GraphReads;
  private readonly counts = new Map<string, { from: readonly string[]; to: readonly string[]; edges: number }>();
  private readonly known = new Map<number, readonly string[]>();

  constructor(graph: GraphReads) {
    this.graph = graph;
  }

  add(source: number, target: number): void {
    const from = this.labelsOf(source);
    const to = this.labelsOf(target);
    const key = JSON.stringify([from, to]);
    const known = this.counts.get(key);
    if (known === undefined) this.counts.set(key, { from, to, edges: 1 });
    else known.edges += 1;
  }

  list(): ObservedEnds[] {
    return [...this.counts.values()].sort((a, b) => b.edges - a.edges);
  }

  private labelsOf(node: number): readonly string[] {
    let labels = this.known.get(node);
    if (labels !== undefined) return labels;
    ({ labels } = this.graph.getNode(node)!);
    if (this.known.size >= KNOWN_MAX) this.known.clear();
    this.known.set(node, labels);
    return labels;
  }
}
/** Nodes whose labels are remembered. */
const KNOWN_MAX = 100_000;
