/** Copies ids[from, to) into an array. */
export function toArray(ids: Float64Array, from: number, to: number): number[] {
  const array = new Array<number>(Math.max(0, to - from));
  for (let i = from; i < to; i += 1) array[i - from] = ids[i]!;
  return array;
}
