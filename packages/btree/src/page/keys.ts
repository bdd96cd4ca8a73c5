/** Byte keys: order, common prefix, separators. */

/** memcmp order: negative, 0 or positive. A key that is a prefix of another sorts before it. */
export function compareKeys(a: Uint8Array, aLength: number, b: Uint8Array, bLength: number): number {
  const common = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < common; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

/** Number of leading bytes that two keys share. */
export function commonPrefix(a: Uint8Array, aLength: number, b: Uint8Array, bLength: number): number {
  const limit = aLength < bLength ? aLength : bLength;
  let i = 0;
  while (i < limit && a[i] === b[i]) i++;
  return i;
}

/**
 * Length of the shortest prefix of `right` that sorts after `left`; that prefix separates the two (Bayer and
 * Unterauer, "Prefix B-trees", 1977).
 * @param left   less than `right`
 */
export function separatorLength(left: Uint8Array, leftLength: number, right: Uint8Array, rightLength: number): number {
  return commonPrefix(left, leftLength, right, rightLength) + 1;
}

/**
 * Length of the prefix that a page stores once. In a leaf it leaves every key four bytes or more: these lie in the
 * slot and cost nothing, and a key that arrives later rarely contradicts the prefix.
 * @param common    bytes that all keys of the page share
 * @param shortest  length of the shortest key
 * @param kept      prefix that the page had before and that all of its keys share; never given up
 */
export function prefixFor(leaf: boolean, common: number, shortest: number, kept: number): number {
  const free = leaf ? shortest - 4 : shortest;
  const length = common < free ? common : free;
  return length > kept ? length : kept;
}
