/** Ranges of keys. */
import { DataError } from '@sombra/vfs';
import { bytesOf, kindOf, type KeyValueInput } from './key-value-bytes.ts';
import { compareKeys } from '../page/keys.ts';

/** Which entries to visit, and in which order. Bounds and prefix together mean the entries that fulfil all of them. */
export interface RangeOptions {
  /** Lower bound. Default: the first entry. */
  readonly from?: KeyValueInput | undefined;
  /** Does an entry with the key `from` belong to the range? Default true. */
  readonly fromInclusive?: boolean | undefined;
  /** Upper bound. Default: the last entry. */
  readonly to?: KeyValueInput | undefined;
  /** Does an entry with the key `to` belong to the range? Default false. */
  readonly toInclusive?: boolean | undefined;
  /** Keys that begin with these bytes. */
  readonly prefix?: KeyValueInput | undefined;
  /** From the last entry to the first. Default false. */
  readonly reverse?: boolean | undefined;
  /** Entries at most. Default: all. */
  readonly limit?: number | undefined;
}

/** A range with everything worked out. Bounds are not copied. */
export interface KeyRange {
  readonly low: Uint8Array | undefined;
  readonly lowInclusive: boolean;
  readonly high: Uint8Array | undefined;
  readonly highInclusive: boolean;
  readonly reverse: boolean;
  readonly limit: number;
}

/** Names of the options of a range. */
export const RANGE_OPTIONS = ['from', 'fromInclusive', 'to', 'toInclusive', 'prefix', 'reverse', 'limit'];

/**
 * Checks options and fills in the defaults.
 * @throws DataError SOMBRA_OPTION, SOMBRA_VALUE_KIND, SOMBRA_TEXT_SURROGATE
 */
export function keyRange(options: RangeOptions | undefined): KeyRange {
  checkOptions(options, RANGE_OPTIONS);
  const { from, to, prefix, limit = Infinity } = options ?? {};
  if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new DataError('SOMBRA_OPTION', `limit is a whole number of at least 0, not ${kindOf(limit)}`);
  }
  let low = from === undefined ? undefined : bytesOf(from, 'from');
  let high = to === undefined ? undefined : bytesOf(to, 'to');
  let lowInclusive = flag(options?.fromInclusive, true, 'fromInclusive');
  let highInclusive = flag(options?.toInclusive, false, 'toInclusive');
  if (prefix !== undefined) {
    const first = bytesOf(prefix, 'prefix');
    const end = prefixEnd(first);
    if (low === undefined || compareKeys(first, first.length, low, low.length) > 0) {
      low = first;
      lowInclusive = true;
    }
    if (end !== undefined && (high === undefined || compareKeys(end, end.length, high, high.length) <= 0)) {
      high = end;
      highInclusive = false;
    }
  }
  return { low, lowInclusive, high, highInclusive, reverse: flag(options?.reverse, false, 'reverse'), limit };
}

/** Refuses what is no object of these options. @throws DataError SOMBRA_OPTION */
export function checkOptions(options: object | undefined, known: readonly string[]): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null)
    throw new DataError('SOMBRA_OPTION', `options are an object, not ${kindOf(options)}`);
  for (const name of Object.keys(options)) {
    if (!known.includes(name))
      throw new DataError('SOMBRA_OPTION', `there is no option '${name}'; known: ${known.join(', ')}`);
  }
}

function flag(value: boolean | undefined, fallback: boolean, name: string): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean')
    throw new DataError('SOMBRA_OPTION', `${name} is true or false, not ${kindOf(value)}`);
  return value;
}

/** The least key that sorts after all keys with this prefix; undefined when there is none. */
function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length -= 1;
  if (length === 0) return undefined;
  const end = prefix.slice(0, length);
  end[length - 1]! += 1;
  return end;
}
