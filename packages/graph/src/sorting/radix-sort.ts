/** Digits have at most so many bits: 2048 counters and write positions stay in the first-level cache. */
const DIGIT_BITS_MAX = 11;

/** Sorts by whole numbers, stably; least significant digit first, without the bits that all keys share. Memory is reused. */
export class RadixSorter {
  private order = new Uint32Array(0);
  private spare = new Uint32Array(0);
  private readonly starts = new Uint32Array(1 << DIGIT_BITS_MAX);

  /**
   * @param keys   keys[0, count)
   * @returns places in `keys`, in the order of their keys and equal ones in ascending order; valid until the next call
   */
  sort(keys: Uint32Array | Uint16Array, count: number): Uint32Array {
    if (this.order.length < count) {
      this.order = new Uint32Array(count);
      this.spare = new Uint32Array(count);
    }
    let { order, spare } = this;
    for (let i = 0; i < count; i += 1) order[i] = i;
    const bits = 32 - Math.clz32(differingBits(keys, count));
    const passes = Math.ceil(bits / DIGIT_BITS_MAX);
    const digitBits = Math.ceil(bits / passes);
    for (let pass = 0; pass < passes; pass += 1) {
      this.scatter(keys, order, spare, count, pass * digitBits, (1 << digitBits) - 1);
      [order, spare] = [spare, order];
    }
    this.order = order;
    this.spare = spare;
    return order;
  }

  /** Copies places from `from` to `to`, ordered by one digit of their keys. */
  private scatter(
    keys: Uint32Array | Uint16Array,
    from: Uint32Array,
    to: Uint32Array,
    count: number,
    shift: number,
    mask: number,
  ): void {
    const { starts } = this;
    starts.fill(0);
    for (let i = 0; i < count; i += 1) starts[(keys[i]! >>> shift) & mask]! += 1;
    for (let digit = 0, start = 0; digit <= mask; digit += 1) {
      const size = starts[digit]!;
      starts[digit] = start;
      start += size;
    }
    for (let i = 0; i < count; i += 1) {
      const place = from[i]!;
      const digit = (keys[place]! >>> shift) & mask;
      to[starts[digit]!] = place;
      starts[digit]! += 1;
    }
  }
}

/** Bits in which at least one key differs from another. */
function differingBits(keys: Uint32Array | Uint16Array, count: number): number {
  const first = keys[0]!;
  let bits = 0;
  for (let i = 1; i < count; i += 1) bits |= keys[i]! ^ first;
  return bits;
}
