/**
 * An object of an archive: a header of 1024 bytes, JSON with spaces up to a line feed, and the bytes, packed. The header says what they are, and with
 * what SHA-256; that of the piece before makes a chain of them. Source: docs/format/archive.md; piece.test.ts compares the fields.
 */
import { createHash } from 'node:crypto';
import { assert, CorruptionError } from '@sombra/vfs';
import { Measured } from '../backup/measured.ts';
import { COMPRESSIONS } from '../backup/names.ts';
import type { Compression } from '../backup/names.ts';
import { pack, PackingError, unpack } from '../backup/packing.ts';
import type { CallOptions, GetOptions, ObjectStore, StoredObject } from '../base/object-store.ts';
import { damagedPiece, gap, newerPiece } from './errors.ts';
import type { PieceKind } from './names.ts';

export const PIECE_FORMAT = 1;
export const PIECE_HEADER_SIZE = 1024;

/** What the bytes of a piece are. */
export interface PieceHeader {
  readonly kind: PieceKind;
  /** 32 hexadecimal digits. */
  readonly databaseId: string;
  readonly timeline: number;
  readonly pageSize: number;
  /** Segment, and its salt in 16 hexadecimal digits; 0 and empty for pages of a bulk load. */
  readonly seq: number;
  readonly salt: string;
  /** Bytes of the segment, from the first to the one behind the last; of pages of a bulk load 0 and their number. */
  readonly from: number;
  readonly to: number;
  /** The commit before its first one, and its last one; of pages of a bulk load twice its commit. */
  readonly before: number;
  readonly last: number;
  /** When its first and last commits were made, ms since 1970; 0 without one. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Chain value of the log at its end; 0 for pages of a bulk load. */
  readonly chain: number;
  /** SHA-256 of the piece before, empty when the archive begins with this one. */
  readonly previous: string;
  readonly compression: Compression;
  /** SHA-256 of the bytes before compression. */
  readonly sha256: string;
}

/** Fields in the order in which they are written. */
export const PIECE_FIELDS = [
  'format',
  'kind',
  'databaseId',
  'timeline',
  'pageSize',
  'seq',
  'salt',
  'from',
  'to',
  'before',
  'last',
  'firstTime',
  'lastTime',
  'chain',
  'previous',
  'compression',
  'sha256',
  'checksum',
] as const;

/** A piece that is open for reading. */
export interface OpenPiece {
  readonly header: PieceHeader;
  /** Its bytes before compression, once. Those that were given have not been compared before the end is reached. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Gives up what was not read. Harmless otherwise. */
  close(): void;
}

/** The object. @param bytes  of `header.to - header.from` bytes, whose SHA-256 the header has @throws what `bytes` throws */
export async function* encodePiece(
  header: PieceHeader,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield encodeHeader(header);
  yield* pack(compared(header, bytes), header.compression);
}

/** What is stored is what was looked at before: a store keeps nothing of an object whose body throws. */
async function* compared(
  { from, to, sha256 }: PieceHeader,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const raw = new Measured();
  yield* raw.through(bytes);
  if (raw.size === to - from && raw.sha256() === sha256) return;
  throw new CorruptionError(
    'SOMBRA_ARCHIVE_DAMAGED',
    `bytes ${from} to ${to} of the log have changed while they were archived: check the disk and the memory of the machine`,
  );
}

function encodeHeader(header: PieceHeader): Uint8Array {
  const body = Object.fromEntries(
    PIECE_FIELDS.slice(0, -1).map((field) => [
      field,
      field === 'format' ? PIECE_FORMAT : header[field as keyof PieceHeader],
    ]),
  );
  const text = JSON.stringify({ ...body, checksum: checksumOf(body) });
  return Buffer.from(`${text.padEnd(PIECE_HEADER_SIZE - 1, ' ')}\n`, 'latin1');
}

/**
 * Opens a piece.
 * @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED; DataError SOMBRA_BACKUP_FORMAT; StateError SOMBRA_ARCHIVE_GAP: it is not there; as
 *   `ObjectStore.get`
 */
export async function openPiece(store: ObjectStore, key: string, options: CallOptions): Promise<OpenPiece> {
  const object = await getPiece(store, key, options);
  const source = object.body[Symbol.asyncIterator]();
  try {
    const first = new Uint8Array(PIECE_HEADER_SIZE);
    let filled = 0;
    let rest: Uint8Array = new Uint8Array(0);
    while (filled < first.length) {
      const step = await source.next();
      if (step.done === true) throw damagedPiece(key, `it has ${filled} bytes, and its header ${PIECE_HEADER_SIZE}`);
      const count = Math.min(step.value.length, first.length - filled);
      first.set(step.value.subarray(0, count), filled);
      filled += count;
      rest = step.value.subarray(count);
    }
    const header = decodeHeader(first, key);
    return { header, bytes: bytesOf(key, header, rest, source), close: () => object.close() };
  } catch (error) {
    object.close();
    throw error;
  }
}

/** Reads the header alone. @throws as `openPiece` */
export async function readPieceHeader(store: ObjectStore, key: string, options: CallOptions): Promise<PieceHeader> {
  const { body } = await getPiece(store, key, { ...options, range: { offset: 0, length: PIECE_HEADER_SIZE } });
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return decodeHeader(Buffer.concat(pieces), key);
}

async function getPiece(store: ObjectStore, key: string, options: GetOptions): Promise<StoredObject> {
  try {
    return await store.get(key, options);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'SOMBRA_OBJECT_MISSING') throw gap(`${key} is missing`, { key });
    throw error;
  }
}

async function* bytesOf(
  key: string,
  { to, from, compression, sha256 }: PieceHeader,
  rest: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const raw = new Measured();
  try {
    for await (const piece of raw.through(unpack(joined(rest, source), compression))) {
      // Before anything is done with them: a few bytes may unpack to very many.
      if (raw.size > to - from) throw damagedPiece(key, `it holds more than ${to - from} bytes`);
      yield piece;
    }
  } catch (error) {
    if (error instanceof PackingError) throw damagedPiece(key, `it cannot be unpacked (${error.message})`, error);
    throw error;
  }
  if (raw.size !== to - from) throw damagedPiece(key, `it holds ${raw.size} bytes of ${to - from}`);
  if (raw.sha256() !== sha256) throw damagedPiece(key, 'its SHA-256 differs');
}

async function* joined(
  first: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (first.length > 0) yield first;
  for (;;) {
    const step = await source.next();
    if (step.done === true) return;
    yield step.value;
  }
}

/** @param bytes  which may be anything @throws as `openPiece` */
export function decodeHeader(bytes: Uint8Array, key: string): PieceHeader {
  let found: Readonly<Record<string, unknown>>;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof parsed !== 'object' || parsed === null) throw new SyntaxError('no object');
    found = parsed as Record<string, unknown>;
  } catch (cause) {
    throw damagedPiece(key, `its header is not JSON (${(cause as Error).message})`, cause);
  }
  const { format } = found;
  if (isCount(format) && format > PIECE_FORMAT) throw newerPiece(key, format, PIECE_FORMAT);
  const names = Object.keys(found);
  if (names.length !== PIECE_FIELDS.length || !PIECE_FIELDS.every((field) => Object.hasOwn(found, field)))
    throw damagedPiece(key, 'its header has other fields than it should');
  for (const [field, isValid] of Object.entries(CHECKS)) {
    const value = found[field];
    if (!isValid(value))
      throw damagedPiece(key, `${field} of its header is ${String(JSON.stringify(value)).slice(0, 80)}`);
  }
  const { checksum, ...body } = found;
  if (checksum !== checksumOf(body)) throw damagedPiece(key, 'the checksum of its header does not match');
  const { format: known, ...header } = body;
  assert(known === PIECE_FORMAT, 'the fields were checked');
  const piece = header as unknown as PieceHeader;
  if (piece.from >= piece.to || piece.before > piece.last) throw damagedPiece(key, 'it ends before it begins');
  return piece;
}

const isHex = (value: unknown, digits: number): boolean =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]*$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isU32 = (value: unknown): boolean => isCount(value) && value < 2 ** 32;

/** Of each field by itself. */
const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = Object.freeze({
  format: (value) => value === PIECE_FORMAT,
  kind: (value) => value === 'segment' || value === 'tail' || value === 'pages',
  databaseId: (value) => isHex(value, 32),
  timeline: isU32,
  pageSize: (value) => isCount(value) && value >= 4096 && value <= 65_536 && (value & (value - 1)) === 0,
  seq: isCount,
  salt: (value) => value === '' || isHex(value, 16),
  from: isCount,
  to: isCount,
  before: isCount,
  last: isCount,
  firstTime: isCount,
  lastTime: isCount,
  chain: isU32,
  previous: (value) => value === '' || isHex(value, 64),
  compression: (value) => COMPRESSIONS.includes(value as Compression),
  sha256: (value) => isHex(value, 64),
});

/** Of everything else. */
function checksumOf(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}
