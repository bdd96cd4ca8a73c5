/**
 * Shapes of property records: labels, keys and tags. Records of one kind share their shape bytes, so shapes are parsed once
 * and then recognised by comparing bytes.
 */
import { CorruptionError } from '@sombra/vfs';

/** Gives the names behind the ids in records. */
export interface RecordNames {
  /** @throws CorruptionError SOMBRA_DICTIONARY for an id that no name has */
  labelName(id: number): string;
  /** @throws CorruptionError SOMBRA_DICTIONARY for an id that no name has */
  keyName(id: number): string;
}

/** A parsed shape. */
export interface Shape {
  /** Copy of the shape bytes. */
  readonly bytes: Uint8Array;
  readonly labelIds: readonly number[];
  readonly labels: readonly string[];
  readonly keyIds: readonly number[];
  readonly keys: readonly string[];
  readonly tags: readonly number[];
}

const CACHE_SIZE = 1024;
/** Longer shapes are parsed each time: this bounds the memory of the cache. */
const CACHED_SHAPE_MAX = 512;

/** Finds the shape behind shape bytes; remembers those seen last. */
export class ShapeCache {
  private readonly names: RecordNames;
  private readonly shapes: (Shape | undefined)[] = new Array<Shape | undefined>(CACHE_SIZE).fill(undefined);
  private last: Shape | undefined = undefined;

  constructor(names: RecordNames) {
    this.names = names;
  }

  /** Forgets everything: ids have got other names, since a rollback took some back. */
  clear(): void {
    this.shapes.fill(undefined);
    this.last = undefined;
  }

  /**
   * @param bytes  bytes[at, at + length) are the shape; borrowed
   * @throws CorruptionError SOMBRA_RECORD, SOMBRA_DICTIONARY
   */
  find(bytes: Uint8Array, at: number, length: number): Shape {
    const { last } = this;
    if (last !== undefined && sameBytes(last.bytes, bytes, at, length)) return last;
    if (length > CACHED_SHAPE_MAX) return parseShape(bytes, at, length, this.names);
    let hash = length;
    for (let i = 0; i < length; i += 1) hash = (Math.imul(hash, 31) + bytes[at + i]!) | 0;
    const place = (hash ^ (hash >>> 10)) & (CACHE_SIZE - 1);
    let shape = this.shapes[place];
    if (shape === undefined || !sameBytes(shape.bytes, bytes, at, length)) {
      shape = parseShape(bytes, at, length, this.names);
      this.shapes[place] = shape;
    }
    this.last = shape;
    return shape;
  }
}

function sameBytes(known: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (known.length !== length) return false;
  for (let i = 0; i < length; i += 1) if (known[i] !== bytes[at + i]) return false;
  return true;
}

/**
 * Parses shape bytes from a property record.
 * @throws CorruptionError SOMBRA_RECORD; SOMBRA_DICTIONARY for a label or key without a name
 */
export function parseShape(bytes: Uint8Array, at: number, length: number, names: RecordNames): Shape {
  const end = at + length;
  let position = at;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (position >= end) throw damagedRecord('its shape ends in the middle of a number');
      const byte = bytes[position++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw damagedRecord('its shape holds a number that is too large');
  };
  const labelIds: number[] = [];
  const keyIds: number[] = [];
  const tags: number[] = [];
  for (let rest = varint(); rest > 0; rest -= 1) labelIds.push(varint());
  for (let rest = varint(); rest > 0; rest -= 1) {
    keyIds.push(varint());
    if (position >= end) throw damagedRecord('its shape ends before the last tag');
    tags.push(bytes[position++]!);
  }
  if (position !== end) throw damagedRecord('its shape goes on behind the last property');
  const labels = labelIds.map((id) => names.labelName(id));
  const keys = keyIds.map((id) => names.keyName(id));
  return { bytes: bytes.slice(at, end), labelIds, labels, keyIds, keys, tags };
}

/** A record whose bytes make no sense. */
export function damagedRecord(what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_RECORD',
    `a property record is damaged: ${what}; run verify, restore from a backup`,
  );
}
