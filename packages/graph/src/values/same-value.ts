import type { PropertyValue } from '../model/types.ts';

/** Are two values the same? Integers and floats by number, bigints too, dates by time, bytes and containers by content; NaN never. */
export function sameValue(a: PropertyValue, b: PropertyValue): boolean {
  // eslint-disable-next-line eqeqeq -- a number and a bigint of the same value are the same
  if (typeof a === 'bigint' || typeof b === 'bigint') return isNumeric(a) && isNumeric(b) && a == b;
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a === null || b === null) return false;
  if (a instanceof Date || b instanceof Date)
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return (
      a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i])
    );
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((value, i) => sameValue(value, b[i]!))
    );
  }
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key]!, b[key]!))
  );
}

function isNumeric(value: PropertyValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** Are all values of two lists of the same length the same? */
export function sameValues(a: readonly PropertyValue[], b: readonly PropertyValue[]): boolean {
  return a.every((value, i) => sameValue(value, b[i]!));
}
