/** The fixed fields of an edge record, which come before its properties; see record-format.ts. */
import { CorruptionError } from '@sombra/vfs';
import type { EdgeId, NodeId } from '../model/types.ts';
import {
  EDGE_PROPERTIES_OFFSET,
  EDGE_SOURCE_HIGH_OFFSET,
  EDGE_TARGET_HIGH_OFFSET,
  EDGE_TYPE_OFFSET,
} from './record-format.ts';

const TWO_32 = 0x1_0000_0000;

/** Ends and type of an edge. */
export interface EdgeEnds {
  readonly source: NodeId;
  readonly target: NodeId;
  readonly type: number;
}

/** Ends and type of the edge record at `at`, which has `length` bytes. @throws CorruptionError SOMBRA_RECORD */
export function edgeEnds(id: EdgeId, bytes: Uint8Array, at: number, length: number): EdgeEnds {
  checkEdgeLength(id, length);
  return { source: edgeSource(bytes, at), target: edgeTarget(bytes, at), type: edgeType(bytes, at) };
}

/** Refuses an edge record that is too short for its fixed fields. @throws CorruptionError SOMBRA_RECORD */
export function checkEdgeLength(id: EdgeId, length: number): void {
  if (length < EDGE_PROPERTIES_OFFSET) {
    throw new CorruptionError(
      'SOMBRA_RECORD',
      `the record of edge ${id} has ${length} bytes; run verify, restore from a backup`,
      { details: { edge: id } },
    );
  }
}

/** Source of the edge record at `at`. */
export function edgeSource(bytes: Uint8Array, at: number): NodeId {
  return u32(bytes, at) + u16(bytes, at + EDGE_SOURCE_HIGH_OFFSET) * TWO_32;
}

/** Target of the edge record at `at`. */
export function edgeTarget(bytes: Uint8Array, at: number): NodeId {
  return u32(bytes, at + 4) + u16(bytes, at + EDGE_TARGET_HIGH_OFFSET) * TWO_32;
}

/** Type id of the edge record at `at`. */
export function edgeType(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + EDGE_TYPE_OFFSET);
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}
