/** Ids of rows that bring their own: ascending, with gaps. Memory: a bit for each node id, 8 bytes for each gap between edges. */
import { DataError } from '@sombra/vfs';
import { IdSet } from '../ids/id-set.ts';
import { ID_MAX } from '../model/limits.ts';
import { describe } from '../model/options.ts';

/** Ids that the first node and edge after the load get, at least; greater ones when a row needs it. */
export interface GivenIds {
  readonly nextNode: number;
  readonly nextEdge: number;
}

/** Rows are sorted by offsets from the first id, of 32 bits. */
const OFFSET_MAX = 0xffff_fffe;
const GAPS_FIRST = 1024;

/** See the top of the file. */
export class RowIds {
  nextNode: number;
  nextEdge: number;
  private readonly firstNode: number;
  private readonly firstEdge: number;
  private readonly nodes = new IdSet();
  private lastNode: number;
  private lastEdge: number;
  /** Gap n ends before row `rows[n]`, whose offset is `offsets[n]`. */
  private rows = new Uint32Array(GAPS_FIRST);
  private offsets = new Uint32Array(GAPS_FIRST);
  private gaps = 0;
  /** Offset of the edge that has no gap before it. */
  private expected = 0;

  /** @throws DataError SOMBRA_OPTION */
  constructor(ids: GivenIds, firstNode: number, firstEdge: number) {
    for (const name of ['nextNode', 'nextEdge'] as const) {
      const value: unknown = ids[name];
      if (!(Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= ID_MAX + 1))
        throw new DataError('SOMBRA_OPTION', `bulkLoad: ids.${name} is an id, not ${describe(value)}`);
    }
    this.nextNode = Math.max(ids.nextNode, firstNode);
    this.nextEdge = Math.max(ids.nextEdge, firstEdge);
    this.firstNode = firstNode;
    this.firstEdge = firstEdge;
    this.lastNode = firstNode - 1;
    this.lastEdge = firstEdge - 1;
  }

  /** Takes the id of a node. @throws DataError SOMBRA_ID_RANGE */
  node(id: number | undefined, row: number): number {
    this.lastNode = check(id, 'node', row, this.lastNode, this.firstNode);
    this.nextNode = Math.max(this.nextNode, this.lastNode + 1);
    this.nodes.add(this.lastNode);
    return this.lastNode;
  }

  /** Takes the id of an edge. @throws DataError SOMBRA_ID_RANGE */
  edge(id: number | undefined, row: number): number {
    const taken = check(id, 'edge', row, this.lastEdge, this.firstEdge);
    this.lastEdge = taken;
    this.nextEdge = Math.max(this.nextEdge, taken + 1);
    const offset = taken - this.firstEdge;
    if (offset !== this.expected) this.addGap(row, offset);
    this.expected = offset + 1;
    return taken;
  }

  /** @returns offset of a node from the first id @throws DataError SOMBRA_NODE_NOT_FOUND */
  end(id: number, edge: number, what: 'source' | 'target'): number {
    if (this.nodes.has(id)) return id - this.firstNode;
    throw new DataError(
      'SOMBRA_NODE_NOT_FOUND',
      `the ${what} of edge row ${edge} is ${describe(id)}: give the id of one of the nodes before it`,
      { details: { edge, [what]: id } },
    );
  }

  /** Offset of an edge from the first id. @param row  its number */
  edgeOffset(row: number): number {
    const { rows } = this;
    let low = 0;
    for (let high = this.gaps; low < high; ) {
      const middle = (low + high) >>> 1;
      if (rows[middle]! <= row) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? row : this.offsets[low - 1]! + row - rows[low - 1]!;
  }

  private addGap(row: number, offset: number): void {
    if (this.gaps === this.rows.length) {
      this.rows = doubled(this.rows);
      this.offsets = doubled(this.offsets);
    }
    this.rows[this.gaps] = row;
    this.offsets[this.gaps] = offset;
    this.gaps += 1;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(array.length * 2);
  more.set(array);
  return more;
}

function check(id: number | undefined, what: 'node' | 'edge', row: number, last: number, first: number): number {
  if (!Number.isSafeInteger(id) || id! <= last || id! > ID_MAX)
    throw new DataError(
      'SOMBRA_ID_RANGE',
      `${what} row ${row} has the id ${describe(id)}: ids ascend from row to row, and are greater than ${last} here`,
      { details: { row, id } },
    );
  if (id! - first > OFFSET_MAX)
    throw new DataError(
      'SOMBRA_BULK_TOO_LARGE',
      `${what} row ${row} has the id ${id!}: one bulk load takes ids up to ${first + OFFSET_MAX}`,
      { details: { row, id } },
    );
  return id!;
}
