/** Binary heap of numbers, least first. */
export class IndexHeap {
  length = 0;
  private readonly entries: Uint32Array;

  /** @param entries  memory, with room for as many as are in the heap at once */
  constructor(entries: Uint32Array) {
    this.entries = entries;
  }

  push(index: number): void {
    const { entries } = this;
    let at = this.length++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (entries[up]! <= index) break;
      entries[at] = entries[up]!;
      at = up;
    }
    entries[at] = index;
  }

  /** Removes the least one and returns it. */
  pop(): number {
    const { entries } = this;
    const least = entries[0]!;
    const size = --this.length;
    const last = entries[size]!;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= size) break;
      if (down + 1 < size && entries[down + 1]! < entries[down]!) down += 1;
      if (entries[down]! >= last) break;
      entries[at] = entries[down]!;
      at = down;
    }
    entries[at] = last;
    return least;
  }
}
