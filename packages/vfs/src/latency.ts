/**
 * How long one kind of work takes: a histogram with fixed bounds, which adds up over time and over connections, and the newest
 * durations themselves, from which quantiles are exact. Recording allocates nothing.
 */

/** Upper bounds of the buckets, seconds: 1 us to 10 s, as Prometheus counts them (a duration on a bound belongs below it). */
export const LATENCY_BOUNDS: readonly number[] = Object.freeze([
  0.000001, 0.0000025, 0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]);
const BOUNDS_MS = LATENCY_BOUNDS.map((seconds) => seconds * 1000);

/** What was recorded until a moment. Seconds. It does not change any more. */
export interface LatencySnapshot {
  /** Upper bounds of the buckets, ascending. */
  readonly bounds: readonly number[];
  /** Durations in each bucket; the last one, one more than there are bounds, holds those above all bounds. */
  readonly counts: readonly number[];
  /** How many there were. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** The newest ones, ascending. */
  readonly newest: readonly number[];
}

/** The durations of one kind of work. */
export class Latency {
  private readonly counts = new Float64Array(BOUNDS_MS.length + 1);
  private readonly newest: Float64Array;
  private readonly totals = new Float64Array(2); // how many, and their sum in ms

  /** @param kept  how many of the newest durations are kept for quantiles */
  constructor(kept: number) {
    this.newest = new Float64Array(kept);
  }

  /** @param ms  less than 0 counts as 0 */
  record(ms: number): void {
    const duration = ms > 0 ? ms : 0;
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && duration > BOUNDS_MS[bucket]!) bucket += 1;
    this.counts[bucket]! += 1;
    this.newest[this.totals[0]! % this.newest.length] = duration;
    this.totals[0]! += 1;
    this.totals[1]! += duration;
  }

  /** How many there were. */
  get count(): number {
    return this.totals[0]!;
  }

  /** A new object. */
  snapshot(): LatencySnapshot {
    const [count, ms] = [this.totals[0]!, this.totals[1]!];
    const newest = this.newest.slice(0, Math.min(count, this.newest.length)).sort();
    return {
      bounds: LATENCY_BOUNDS,
      counts: [...this.counts],
      count,
      sum: ms / 1000,
      newest: Array.from(newest, (duration) => duration / 1000),
    };
  }
}

/**
 * The duration that a part `q` of the newest ones does not exceed (nearest rank).
 * @param q  0 to 1: 0.95 for p95
 * @returns seconds; undefined when nothing was recorded
 */
export function quantileOf({ newest }: LatencySnapshot, q: number): number | undefined {
  return newest[Math.max(0, Math.ceil(q * newest.length) - 1)];
}
