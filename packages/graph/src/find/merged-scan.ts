import type { View } from '@sombra/pager';
import type { IdSource } from '../ids/id-source.ts';

const BATCH = 128;

/** Ids of several ascending (or descending) sources, in the same order, each once. */
export class MergedScan implements IdSource {
  readonly ids = new Float64Array(BATCH);
  private readonly sources: readonly IdSource[];
  private readonly reverse: boolean;
  /** Of each source: ids of its batch, -1 before the first, and the next one of them. */
  private readonly counts: number[];
  private readonly places: number[];
  private last = 0;

  constructor(sources: readonly IdSource[], reverse: boolean) {
    this.sources = sources;
    this.reverse = reverse;
    this.counts = sources.map(() => -1);
    this.places = sources.map(() => 0);
  }

  next(view: View): number {
    let count = 0;
    while (count < BATCH) {
      const id = this.take(view);
      if (id === 0) break;
      if (id === this.last) continue;
      this.ids[count] = id;
      this.last = id;
      count += 1;
    }
    return count;
  }

  /** The id that comes next; 0 at the end. */
  private take(view: View): number {
    const { sources, counts, places, reverse } = this;
    let best = -1;
    let id = 0;
    for (let i = 0; i < sources.length; i += 1) {
      if (counts[i] !== 0 && (counts[i] === -1 || places[i] === counts[i])) {
        counts[i] = sources[i]!.next(view);
        places[i] = 0;
      }
      if (counts[i] === 0) continue;
      const own = sources[i]!.ids[places[i]!]!;
      if (best >= 0 && (reverse ? own <= id : own >= id)) continue;
      best = i;
      id = own;
    }
    if (best >= 0) places[best]! += 1;
    return id;
  }
}
