/** The part of a database that is exported. */
import type { EdgeRecord, GraphReads, NodeRecord, Properties } from '@sombra/db';

/** Limits of an export; undefined: everything. */
export interface SelectionOptions {
  /** Only nodes that have one of these labels, and edges between them. */
  readonly labels?: readonly string[] | undefined;
  /** Only edges of these types. */
  readonly types?: readonly string[] | undefined;
  /** Only these properties. */
  readonly properties?: readonly string[] | undefined;
}

/** Ids in a word of a page. */
const BITS = 32;
/** Ids of a page of the set. */
const PAGE_IDS = 65_536;

/** A set of ids: a bit for each, in pages. */
class IdBits {
  private readonly pages = new Map<number, Uint32Array>();

  add(id: number): void {
    const number = Math.floor(id / PAGE_IDS);
    let page = this.pages.get(number);
    if (page === undefined) this.pages.set(number, (page = new Uint32Array(PAGE_IDS / BITS)));
    page[id % PAGE_IDS >>> 5]! |= 1 << (id & 31);
  }

  has(id: number): boolean {
    const page = this.pages.get(Math.floor(id / PAGE_IDS));
    return page !== undefined && (page[id % PAGE_IDS >>> 5]! & (1 << (id & 31))) !== 0;
  }
}

/** The part of a graph that is exported, streaming, by id. All nodes must be iterated before the edges. */
export class Selected {
  private readonly graph: GraphReads;
  private readonly options: SelectionOptions;
  /** Nodes that are exported; undefined: all. */
  private readonly chosen: IdBits | undefined;

  constructor(graph: GraphReads, options: SelectionOptions) {
    this.graph = graph;
    this.options = options;
    this.chosen = options.labels === undefined ? undefined : new IdBits();
  }

  /** How many rows there are at most, for progress. */
  get rowsMax(): number {
    const { labels, types } = this.options;
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
    const nodes = labels === undefined ? this.graph.nodeCount() : sum(labels.map((name) => this.graph.nodeCount(name)));
    const edges = types === undefined ? this.graph.edgeCount() : sum(types.map((name) => this.graph.edgeCount(name)));
    return nodes + edges;
  }

  *nodes(): Generator<NodeRecord> {
    const { labels } = this.options;
    const all = this.graph.nodes(labels?.length === 1 ? { label: labels[0] } : undefined);
    for (const node of all) {
      if (labels !== undefined && !node.labels.some((label) => labels.includes(label))) continue;
      this.chosen?.add(node.id);
      node.properties = this.kept(node.properties);
      yield node;
    }
  }

  *edges(): Generator<EdgeRecord> {
    const { types } = this.options;
    for (const edge of this.graph.edges(types?.length === 1 ? { type: types[0] } : undefined)) {
      if (types !== undefined && !types.includes(edge.type)) continue;
      if (this.chosen !== undefined && !(this.chosen.has(edge.source) && this.chosen.has(edge.target))) continue;
      edge.properties = this.kept(edge.properties);
      yield edge;
    }
  }

  private kept(properties: Properties): Properties {
    const wanted = this.options.properties;
    if (wanted === undefined) return properties;
    const kept = Object.create(null) as Properties;
    for (const key of wanted) if (Object.hasOwn(properties, key)) kept[key] = properties[key]!;
    return kept;
  }
}
