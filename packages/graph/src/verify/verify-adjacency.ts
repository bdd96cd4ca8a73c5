import type { Cursor } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { CorruptionError } from '@sombra/vfs';
import { type Adjacency, CHAIN_KEY_SIZE, NODE_KEY_SIZE, TYPE_KEY_SIZE } from '../adjacency/adjacency.ts';
import { readU48 } from '../values/u48.ts';
import {
  CHAINS_HEAD,
  checkBlock,
  collectBlock,
  FLAG_CHAINS,
  headDegree,
  TYPE_HEAD,
} from '../adjacency/adjacency-block.ts';
import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { EdgeFingerprint } from '../adjacency/edge-fingerprint.ts';
import { Findings } from '../model/findings.ts';
import { IdSet } from '../ids/id-set.ts';
import type { Steps } from '../model/steps.ts';
import type { GraphStore } from '../store/store.ts';
import { type RecordCounts, scan } from './verify-records.ts';

/**
 * Checks one direction of adjacency: by itself, and against the records of edges and nodes. As long as nothing is wrong its edges
 * are compared with the records as a whole; what is wrong is then looked for edge by edge.
 */
export function* verifyAdjacency(
  store: GraphStore,
  view: View,
  direction: 'out' | 'in',
  records: RecordCounts,
  findings: Findings,
): Steps<void> {
  const first = new Findings(0);
  const agrees = yield* new AdjacencyCheck(store, view, direction, first).agreesWith(records[direction]);
  if (agrees && first.isEmpty && records.complete) return;
  yield* new AdjacencyCheck(store, view, direction, findings).compareWith(records);
}

const KEY = new Uint8Array(8192);
const NONE = -1;

class AdjacencyCheck {
  private readonly store: GraphStore;
  private readonly view: View;
  private readonly direction: 'out' | 'in';
  private readonly adjacency: Adjacency;
  private readonly findings: Findings;
  private readonly columns = new EdgeColumns();
  /** Is each edge looked up? */
  private lookUp = true;
  private readonly fingerprint = new EdgeFingerprint();
  /** Edges that stand where they belong. */
  private readonly seen = new IdSet();

  /** The node whose entries are being read, and its degree as far as it has been counted. */
  private node = NONE;
  private chains = false;
  private degree = 0;
  private nodeDegree = NONE;
  /** The chain that is being read: its type, its degree, what has been counted, and its last edge. */
  private type = NONE;
  private typeDegree = NONE;
  private inType = 0;
  private lastEdge = 0;

  constructor(store: GraphStore, view: View, direction: 'out' | 'in', findings: Findings) {
    this.store = store;
    this.view = view;
    this.direction = direction;
    this.adjacency = store[direction];
    this.findings = findings;
  }

  /** Reads everything, and compares the edges as a whole. */
  *agreesWith(expected: EdgeFingerprint): Steps<boolean> {
    this.lookUp = false;
    return (yield* this.readAll()) && this.fingerprint.equals(expected);
  }

  /** @returns false when the tree could not be read to its end */
  private *readAll(): Steps<boolean> {
    const done = yield* scan(this.adjacency.tree, this.view, this.findings, 'adjacencyErrors', (cursor) =>
      this.entry(cursor),
    );
    this.endNode();
    return done;
  }

  /** Reads everything, and compares edge by edge. */
  *compareWith(records: RecordCounts): Steps<void> {
    const { findings, view, store, seen } = this;
    const done = yield* this.readAll();
    if (!done || seen.size === records.edges) return;
    // Some edge is missing: which?
    yield* scan(store.edges.tree, view, findings, 'adjacencyErrors', (cursor) => {
      if (cursor.keyInto(KEY) !== NODE_KEY_SIZE) return;
      const edge = readU48(KEY, 0);
      if (!seen.has(edge))
        this.report(
          `edge ${edge} is missing in '${this.direction}' of its ${this.direction === 'out' ? 'source' : 'target'}`,
        );
    });
  }

  private report(message: string): void {
    this.findings.add('adjacencyErrors', message);
  }

  private entry(cursor: Cursor): void {
    const length = cursor.keyInto(KEY);
    if (length !== NODE_KEY_SIZE && length !== TYPE_KEY_SIZE && length !== CHAIN_KEY_SIZE) {
      this.report(`tree '${this.direction}' has a key of ${length} bytes`);
      return;
    }
    const node = readU48(KEY, 0);
    const type = (KEY[NODE_KEY_SIZE]! << 8) | KEY[NODE_KEY_SIZE + 1]!;
    const first = readU48(KEY, TYPE_KEY_SIZE);
    if (length === NODE_KEY_SIZE || node !== this.node) this.beginNode(node);
    const readable = this.findings.attempt('adjacencyErrors', `'${this.direction}'`, () => {
      if (cursor.overflow !== 0 || cursor.valueLength < 8) throw damaged(node, 'an entry is no block');
      if (length === NODE_KEY_SIZE) this.nodeEntry(cursor);
      else if (length === TYPE_KEY_SIZE) this.typeEntry(cursor, type);
      else this.chainEntry(cursor, type, first);
    });
    // What cannot be read cannot be counted.
    if (!readable) this.nodeDegree = this.typeDegree = NONE;
  }

  private beginNode(node: number): void {
    this.endNode();
    this.node = node;
    this.chains = false;
    this.degree = 0;
    this.nodeDegree = NONE;
    let exists = true;
    this.findings.attempt('adjacencyErrors', '', () => {
      exists = this.store.nodes.find(this.view, node) >= 0;
    });
    if (!exists) this.report(`'${this.direction}' has edges of node ${node}, which does not exist`);
  }

  private endNode(): void {
    if (this.node === NONE) return;
    this.endType();
    if (this.chains && this.nodeDegree !== NONE && this.degree !== this.nodeDegree) {
      this.report(
        `node ${this.node} has degree ${this.nodeDegree} in '${this.direction}', and ${this.degree} edges there`,
      );
    }
    this.node = NONE;
  }

  private endType(): void {
    if (this.type === NONE) return;
    if (this.typeDegree !== NONE && (this.inType !== this.typeDegree || this.inType === 0)) {
      this.report(
        `node ${this.node} has degree ${this.typeDegree} of type ${this.type} in '${this.direction}', and ${this.inType} edges there`,
      );
    }
    this.type = NONE;
  }

  private beginType(type: number, degree: number): void {
    this.endType();
    this.type = type;
    this.typeDegree = degree;
    this.inType = 0;
    this.lastEdge = 0;
  }

  private nodeEntry(cursor: Cursor): void {
    const { view, node } = this;
    const memory = view.cache;
    const { valueOffset: at, valueLength: length } = cursor;
    if ((memory.words[at >> 2]! & FLAG_CHAINS) !== 0) {
      this.nodeDegree = headDegree(memory, at, length, CHAINS_HEAD, node);
      this.chains = true;
      if (this.nodeDegree === 0) this.report(`node ${node} has degree 0 in '${this.direction}' instead of no entry`);
      return;
    }
    this.lastEdge = 0;
    this.block(cursor);
  }

  private typeEntry(cursor: Cursor, type: number): void {
    this.checkChains();
    const degree = headDegree(this.view.cache, cursor.valueOffset, cursor.valueLength, TYPE_HEAD, this.node);
    this.beginType(type, degree);
  }

  private chainEntry(cursor: Cursor, type: number, first: number): void {
    this.checkChains();
    if (type !== this.type) {
      this.beginType(type, NONE);
      this.report(`node ${this.node} has a chain of type ${type} in '${this.direction}' without a head`);
    }
    if (first <= this.lastEdge)
      this.report(`a chain of node ${this.node} in '${this.direction}' has key ${first} after edge ${this.lastEdge}`);
    this.block(cursor);
    const { columns } = this;
    if (columns.length > 0 && columns.edges[0]! < first) {
      this.report(
        `a chain of node ${this.node} in '${this.direction}' has edge ${columns.edges[0]!} under key ${first}`,
      );
    }
    for (let i = 0; i < columns.length; i += 1) {
      if (columns.types[i] === type) continue;
      this.report(
        `a chain of type ${type} of node ${this.node} in '${this.direction}' has edges of type ${columns.types[i]!}`,
      );
      break;
    }
    this.inType += columns.length;
  }

  /** A type head or block of a chain: there must be a head of chains. */
  private checkChains(): void {
    if (this.chains) return;
    this.report(`node ${this.node} has chains in '${this.direction}' without a head`);
    this.chains = true;
  }

  /** Reads a block into `columns` and checks its edges. */
  private block(cursor: Cursor): void {
    const { view, node, columns } = this;
    columns.length = 0;
    const word = checkBlock(view.cache, cursor.valueOffset, cursor.valueLength, node);
    collectBlock(view.cache, cursor.valueOffset, word, this.store.everyType, -1, columns, node);
    if (columns.length === 0) this.report(`node ${node} has an empty block in '${this.direction}'`);
    this.degree += columns.length;
    for (let i = 0; i < columns.length; i += 1) {
      const edge = columns.edges[i]!;
      if (edge <= this.lastEdge)
        this.report(`edge ${edge} follows edge ${this.lastEdge} in '${this.direction}' of node ${node}`);
      this.lastEdge = edge;
      if (this.lookUp) this.edge(edge, columns.neighbours[i]!, columns.types[i]!);
      else this.fingerprint.add(edge, node, columns.neighbours[i]!, columns.types[i]!);
    }
  }

  /** Compares an edge of a block with its record. */
  private edge(edge: number, neighbour: number, type: number): void {
    const { node, direction, findings } = this;
    findings.attempt('adjacencyErrors', '', () => {
      const ends = this.store.edgeEnds(this.view, edge);
      if (ends === undefined) {
        this.report(`edge ${edge} is in '${direction}' of node ${node} and has no record`);
        return;
      }
      const own = direction === 'out' ? ends.source : ends.target;
      const other = direction === 'out' ? ends.target : ends.source;
      if (own !== node || other !== neighbour || ends.type !== type) {
        this.report(
          `edge ${edge} of type ${type} between ${node} and ${neighbour} in '${direction}' is of type ${ends.type} between ${own} and ${other} in its record`,
        );
      }
      if (own === node && !this.seen.add(edge)) this.report(`edge ${edge} is in '${direction}' of node ${node} twice`);
    });
  }
}

function damaged(node: number, what: string): CorruptionError {
  return new CorruptionError('SOMBRA_ADJACENCY', `the adjacency of node ${node} is damaged: ${what}`);
}
