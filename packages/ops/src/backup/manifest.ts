/**
 * The manifest of a backup: what it is, and how to know that all of it is there. JSON, written last: a backup is there when its manifest is.
 * Source: docs/format/backup.md; manifest.test.ts compares the fields.
 */
import { createHash } from 'node:crypto';
import { assert } from '@sombra/vfs';
import { badManifest, newerManifest } from './errors.ts';
import { COMPRESSIONS, dataKey, isName, nameOfId } from './names.ts';
import type { BackupKind, Compression } from './names.ts';

export const MANIFEST_FORMAT = 1;
/** Longest manifest that is read, bytes. */
export const MANIFEST_MAX = 64 * 1024;

/** An object that holds bytes of a backup. */
export interface BackupPart {
  readonly key: string;
  /** Bytes as stored. */
  readonly size: number;
  /** Of the bytes as stored, 64 hexadecimal digits. */
  readonly sha256: string;
  /** Bytes before compression. */
  readonly rawSize: number;
  /** Of the bytes before compression. */
  readonly rawSha256: string;
  readonly compression: Compression;
}

/** Where the log of the database goes on behind the commit; numbers, and 16 hexadecimal digits. */
export interface BackupPosition {
  readonly seq: number;
  readonly offset: number;
  readonly chain: number;
  readonly salt: string;
}

/** See the top of the file. */
export interface Manifest {
  /** NAME-TIME. */
  readonly id: string;
  /** Of the database, or as it was asked for. */
  readonly name: string;
  /** Counts the backups of a name, from 1: their order, whatever the clock says. */
  readonly sequence: number;
  readonly kind: BackupKind;
  /** Id of the backup that this one follows; null of a full one. */
  readonly base: string | null;
  /** When it was begun, ISO 8601. */
  readonly created: string;
  /** Of the program that made it. */
  readonly sombra: string;
  /** 32 hexadecimal digits. */
  readonly databaseId: string;
  /** Timeline of the database, and of this copy. */
  readonly sourceTimeline: number;
  readonly timeline: number;
  /** Seeds the checksums of its pages. */
  readonly salt: number;
  /** Number of the newest commit in it. */
  readonly lsn: number;
  /** Of that commit, ISO 8601. */
  readonly time: string;
  readonly position: BackupPosition | null;
  readonly pageSize: number;
  /** Of the database. */
  readonly pageCount: number;
  /** Pages in it: all, or of an incremental one those that have changed. */
  readonly pages: number;
  /** Its bytes, in order. One, so far. */
  readonly parts: readonly BackupPart[];
}

/** Fields in the order in which they are written. */
export const MANIFEST_FIELDS = [
  'format',
  'id',
  'name',
  'sequence',
  'kind',
  'base',
  'created',
  'sombra',
  'databaseId',
  'sourceTimeline',
  'timeline',
  'salt',
  'lsn',
  'time',
  'position',
  'pageSize',
  'pageCount',
  'pages',
  'parts',
  'checksum',
] as const;
export const POSITION_FIELDS = ['seq', 'offset', 'chain', 'salt'] as const;
export const PART_FIELDS = ['key', 'size', 'sha256', 'rawSize', 'rawSha256', 'compression'] as const;

/** Its bytes. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const fields = ordered({ format: MANIFEST_FORMAT, ...manifest }, MANIFEST_FIELDS.slice(0, -1));
  const body = {
    ...fields,
    position: manifest.position === null ? null : ordered(manifest.position, POSITION_FIELDS),
    parts: manifest.parts.map((part) => ordered(part, PART_FIELDS)),
  };
  return Buffer.from(`${JSON.stringify({ ...body, checksum: checksumOf(body) }, undefined, 2)}\n`);
}

/**
 * Reads bytes that may be anything.
 * @param key  where they were found
 * @param id   that the key stands for
 * @throws CorruptionError SOMBRA_BACKUP_MANIFEST; DataError SOMBRA_BACKUP_FORMAT
 */
export function decodeManifest(bytes: Uint8Array, key: string, id: string): Manifest {
  const found = parse(bytes, key);
  const { format } = found;
  // A newer format keeps this field, and perhaps nothing else.
  if (isCount(format) && format > MANIFEST_FORMAT) throw newerManifest(key, format, MANIFEST_FORMAT);
  const problem = problemOf(found, id);
  if (problem !== undefined) throw badManifest(key, problem);
  const { checksum, ...body } = found;
  if (checksum !== checksumOf(body)) throw badManifest(key, 'its checksum does not match, it was changed');
  const { format: known, ...manifest } = body;
  assert(known === MANIFEST_FORMAT, 'the fields were checked');
  return manifest as unknown as Manifest;
}

type Fields = Readonly<Record<string, unknown>>;

function parse(bytes: Uint8Array, key: string): Fields {
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw badManifest(key, `it is not JSON (${(cause as Error).message})`);
  }
  if (!isFields(found)) throw badManifest(key, 'it is no object');
  return found;
}

/** What is wrong with the fields; undefined when nothing is. */
function problemOf(found: Fields, id: string): string | undefined {
  const wrong = (field: string, value: unknown): string => `${field} is ${String(JSON.stringify(value)).slice(0, 80)}`;
  if (!hasExactly(found, MANIFEST_FIELDS)) return 'it has other fields than it should';
  for (const [field, isValid] of Object.entries(CHECKS)) {
    if (!isValid(found[field])) return wrong(field, found[field]);
  }
  if (found['id'] !== id || nameOfId(id) !== found['name']) return wrong('id', found['id']);
  const kind = found['kind'] as BackupKind;
  if ((kind === 'full') !== (found['base'] === null) || found['base'] === id) return wrong('base', found['base']);
  const { position, pages, pageCount } = found;
  if ((pages as number) > (pageCount as number)) return wrong('pages', pages);
  if (position !== null && !isPosition(position)) return wrong('position', position);
  const parts = found['parts'] as readonly unknown[];
  for (const part of parts) {
    if (!isPart(part) || part.key !== dataKey(id, kind, part.compression)) return wrong('parts', part);
  }
  return undefined;
}

const isHex = (value: unknown, digits: number): boolean =>
  typeof value === 'string' && value.length === digits && /^[0-9a-f]*$/.test(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isU32 = (value: unknown): boolean => isCount(value) && value < 2 ** 32;
const isTime = (value: unknown): boolean => {
  if (typeof value !== 'string') return false;
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value;
};

/** Of each field by itself. */
const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = Object.freeze({
  format: (value) => value === MANIFEST_FORMAT,
  name: isName,
  sequence: (value) => isCount(value) && value > 0,
  kind: (value) => value === 'full' || value === 'incremental',
  base: (value) => value === null || (typeof value === 'string' && nameOfId(value) !== undefined),
  created: isTime,
  sombra: (value) => typeof value === 'string' && value.length > 0 && value.length <= 100,
  databaseId: (value) => isHex(value, 32),
  sourceTimeline: isU32,
  timeline: isU32,
  salt: isU32,
  lsn: isCount,
  time: isTime,
  pageSize: (value) => isCount(value) && value >= 4096 && value <= 65_536 && (value & (value - 1)) === 0,
  pageCount: (value) => isCount(value) && value >= 2 && value <= 2 ** 31,
  pages: isCount,
  parts: (value) => Array.isArray(value) && value.length === 1,
});

function isPosition(value: unknown): value is BackupPosition {
  if (!isFields(value) || !hasExactly(value, POSITION_FIELDS)) return false;
  return isCount(value['seq']) && isCount(value['offset']) && isU32(value['chain']) && isHex(value['salt'], 16);
}

function isPart(value: unknown): value is BackupPart {
  if (!isFields(value) || !hasExactly(value, PART_FIELDS)) return false;
  const { key, size, sha256, rawSize, rawSha256, compression } = value;
  if (typeof key !== 'string' || !COMPRESSIONS.includes(compression as Compression)) return false;
  return isCount(size) && isCount(rawSize) && isHex(sha256, 64) && isHex(rawSha256, 64);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasExactly(found: Fields, fields: readonly string[]): boolean {
  const names = Object.keys(found);
  return names.length === fields.length && fields.every((field) => Object.hasOwn(found, field));
}

function ordered(from: object, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, (from as Record<string, unknown>)[field]]));
}

/** Of everything else, however it is indented. */
function checksumOf(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}
