/**
 * An entry of an audit trail: one line of JSON in UTF-8, with the fields of `AuditEntry` in this order. Each line contains the hash of the
 * one before it and its own, which is the SHA-256 of the bytes of the line before `,"hash":"`. So no line can be changed,
 * removed or moved without the hashes of all later ones.
 */
import { createHash } from 'node:crypto';
import { encodeText } from '@sombra/vfs';

/** What is recorded of one write. */
export interface AuditRecord {
  /** Time of the commit, ISO 8601, UTC. */
  readonly timestamp: string;
  /** Who did it; null when the function that names the user failed. */
  readonly user: string | null;
  /** Name of the method that wrote: `addNode`, `deleteEdge`, `createPropertyIndex`. */
  readonly action: string;
  /** The node, when the write is about one node. */
  readonly node_id: number | null;
  /** All nodes and edges that the write is about, those that were deleted along with a node included. */
  readonly nodes: readonly number[];
  readonly edges: readonly number[];
  /** What else there is to tell: label or type, keys of an index, counts of a bulk load. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Number of the commit. */
  readonly lsn: number;
  /** Number of the transaction within its connection; null for bulk loads and indexes, which are none. */
  readonly transaction: number | null;
}

/** An entry as it stands in the file. */
export interface AuditEntry extends AuditRecord {
  /** Counts from 1, without gaps, over all files of the trail. */
  readonly seq: number;
  /** Hash of the entry before. */
  readonly previous: string;
  readonly hash: string;
}

/** A place in a trail: everything after it depends on everything before. */
export interface AuditPoint {
  readonly seq: number;
  readonly hash: string;
}

/** Where every trail begins. */
export const BEGINNING: AuditPoint = Object.freeze({ seq: 0, hash: '0'.repeat(64) });

const TAIL = /^,"hash":"([0-9a-f]{64})"\}$/;
const TAIL_BYTES = 75;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The line of a record behind a point, without its line break, and the point that it makes. */
export function toLine(
  record: AuditRecord,
  { seq: last, hash: previous }: AuditPoint,
): { line: string; point: AuditPoint } {
  const { timestamp, user, action, node_id, nodes, edges, details, lsn, transaction } = record;
  const seq = last + 1;
  const fields = { seq, timestamp, user, action, node_id, nodes, edges, details, lsn, transaction, previous };
  const body = JSON.stringify(fields).slice(0, -1);
  const hash = sha256(encodeText(body));
  return { line: `${body},"hash":"${hash}"}`, point: { seq, hash } };
}

/**
 * Reads a line.
 * @param bytes  without the line break
 * @returns the entry, or in words why it is none
 */
export function readLine(bytes: Uint8Array): AuditEntry | string {
  if (bytes.length <= TAIL_BYTES) return 'the line is no entry of an audit trail';
  const body = bytes.subarray(0, bytes.length - TAIL_BYTES);
  let tail: string;
  let text: string;
  try {
    text = UTF8.decode(bytes);
    tail = UTF8.decode(bytes.subarray(body.length));
  } catch {
    return 'the line is not UTF-8';
  }
  const [, hash] = TAIL.exec(tail) ?? [];
  if (hash === undefined) return 'the line does not end with its hash';
  if (sha256(body) !== hash) return 'the line is not the one that its hash was made of';
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return 'the line is not JSON';
  }
  return isEntry(entry) ? entry : 'the line lacks a field of an entry';
}

/**
 * Can the bytes behind the last line break be what a crash has left of a line? They are then at most all of it; behind an entry
 * that is whole stands nothing but a line break, unless somebody has changed it.
 */
export function isTorn(bytes: Uint8Array): boolean {
  return !/,"hash":"[0-9a-f]{64}"\}[^]/.test(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'),
  );
}

function isEntry(value: unknown): value is AuditEntry {
  const { seq, timestamp, user, action, nodes, edges, previous } = (value ?? {}) as Partial<AuditEntry>;
  return (
    Number.isSafeInteger(seq) &&
    typeof timestamp === 'string' &&
    (typeof user === 'string' || user === null) &&
    typeof action === 'string' &&
    Array.isArray(nodes) &&
    Array.isArray(edges) &&
    typeof previous === 'string'
  );
}
