/** Binary heap of (cost, place), least first, ties by place. */
export class CostHeap {
  length = 0;
  private costs = new Float64Array(1024);
  private places = new Uint32Array(1024);

  /** The least cost. */
  get least(): number {
    return this.costs[0]!;
  }

  push(cost: number, place: number): void {
    if (this.length === this.places.length) this.grow();
    const { costs, places } = this;
    let at = this.length++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const above = costs[up]!;
      if (above < cost || (above === cost && places[up]! <= place)) break;
      costs[at] = above;
      places[at] = places[up]!;
      at = up;
    }
    costs[at] = cost;
    places[at] = place;
  }

  /** Removes the least entry. @returns its place */
  pop(): number {
    const { costs, places } = this;
    const least = places[0]!;
    const size = --this.length;
    const cost = costs[size]!;
    const place = places[size]!;
    let at = 0;
    for (;;) {
      let down = at * 2 + 1;
      if (down >= size) break;
      if (down + 1 < size && this.less(down + 1, down)) down += 1;
      const below = costs[down]!;
      if (below > cost || (below === cost && places[down]! >= place)) break;
      costs[at] = below;
      places[at] = places[down]!;
      at = down;
    }
    costs[at] = cost;
    places[at] = place;
    return least;
  }

  private less(a: number, b: number): boolean {
    const difference = this.costs[a]! - this.costs[b]!;
    // Infinite costs differ by NaN; they are the same.
    return difference < 0 || (!(difference > 0) && this.places[a]! < this.places[b]!);
  }

  private grow(): void {
    const costs = new Float64Array(this.length * 2);
    costs.set(this.costs);
    this.costs = costs;
    const places = new Uint32Array(this.length * 2);
    places.set(this.places);
    this.places = places;
  }
}
