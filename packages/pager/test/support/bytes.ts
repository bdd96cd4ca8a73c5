/** Offset of the first byte in which two arrays differ, -1 if they are the same. (A matcher over thousands of bytes is slow.) */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  for (let at = 0; at < a.length; at += 1) if (a[at] !== b[at]) return at;
  return -1;
}
