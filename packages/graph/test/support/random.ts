// Seeded randomness (sfc32): one seed replays a run.

/** Numbers from a seed. */
export class Random {
  private a: number;
  private b: number;
  private c = 0xb7e15162;
  private counter = 1;

  constructor(seed: number) {
    this.a = 0x9e3779b9 ^ seed;
    this.b = 0x243f6a88 ^ Math.floor(seed / 2 ** 32);
    for (let i = 0; i < 12; i += 1) this.next();
  }

  /** 32 random bits. */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + sum) | 0;
    return sum >>> 0;
  }

  /** An integer of 0 to `limit` - 1, `limit` up to 2^32. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }
}

/** Seed of a random suite: SOMBRA_SEED, else the given one, so that a push always runs the same. */
export function suiteSeed(fallback: number): number {
  const { SOMBRA_SEED } = process.env;
  return SOMBRA_SEED === undefined || SOMBRA_SEED === '' ? fallback : Number(SOMBRA_SEED);
}

/** Number of runs of a random suite: SOMBRA_RUNS, else the given one. */
export function suiteRuns(fallback: number): number {
  const { SOMBRA_RUNS } = process.env;
  return SOMBRA_RUNS === undefined || SOMBRA_RUNS === '' ? fallback : Number(SOMBRA_RUNS);
}
