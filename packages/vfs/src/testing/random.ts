/** Seeded randomness: one seed replays a run. Generator sfc32 (PractRand), its state from SplitMix64 of the seed. */
import { xxh32 } from '../checksum.ts';
import { encodeText } from '../text.ts';

const MASK = 2n ** 64n - 1n;

function splitMix(seed: bigint): { next: bigint; value: bigint } {
  const next = (seed + 0x9e3779b97f4a7c15n) & MASK;
  let value = ((next ^ (next >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  value = ((value ^ (value >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return { next, value: value ^ (value >> 31n) };
}

/** Numbers from a seed. */
export class Random {
  readonly seed: number;
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /** @param seed  an integer of 0 to 2^53 - 1 */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`a seed is an integer of 0 to 2^53 - 1, not ${seed}`);
    this.seed = seed;
    const first = splitMix(BigInt(seed));
    const second = splitMix(first.next);
    this.a = Number(first.value & 0xffffffffn) | 0;
    this.b = Number(first.value >> 32n) | 0;
    this.c = Number(second.value & 0xffffffffn) | 0;
    for (let i = 0; i < 12; i += 1) this.next();
  }

  /** Independent randomness for one part of a run: what it draws shifts nothing elsewhere. It depends on seed and name only. */
  fork(name: string): Random {
    const bytes = encodeText(name);
    const low = xxh32(bytes, 0, bytes.length, this.seed % 2 ** 32);
    const high = xxh32(bytes, 0, bytes.length, low ^ Math.floor(this.seed / 2 ** 32));
    return new Random((high % 2 ** 21) * 2 ** 32 + low);
  }

  /** 32 random bits, 0 to 2^32 - 1. */
  next(): number {
    const t = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** An integer of 0 to `limit` - 1; `limit` is 1 to 2^53. */
  below(limit: number): number {
    if (limit <= 2 ** 32) return Math.floor((this.next() / 2 ** 32) * limit);
    return Math.floor(((this.next() * 2 ** 21 + (this.next() >>> 11)) / 2 ** 53) * limit);
  }

  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  /** One of a list that is not empty. */
  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError('nothing to pick from');
    return from[this.below(from.length)]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.next();
      bytes[at] = word;
      bytes[at + 1] = word >>> 8;
      bytes[at + 2] = word >>> 16;
      bytes[at + 3] = word >>> 24;
    }
    return bytes;
  }
}

const FIRST_SEED = 1000;

/**
 * Seeds of a random suite, from `first` on.
 * @param runs  how many, unless SOMBRA_RUNS in the environment says otherwise; SOMBRA_SEED replays one
 * @throws RangeError when a variable is no number
 */
export function seeds(runs: number, first = FIRST_SEED): number[] {
  const replay = numberFrom('SOMBRA_SEED');
  if (replay !== undefined) return [replay];
  return Array.from({ length: numberFrom('SOMBRA_RUNS') ?? runs }, (_, index) => first + index);
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${variable}=${text}: give an integer of 0 to 2^53 - 1`);
  return value;
}
