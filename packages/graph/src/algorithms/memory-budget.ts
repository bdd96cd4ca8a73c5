import { DataError } from '@sombra/vfs';
import { describe } from '../model/options.ts';

/** Default of `maxMemoryMb`. */
export const MEMORY_DEFAULT_MB = 1024;

const MB = 1024 * 1024;

/** What an algorithm may allocate in proportion to the graph. Every typed array of that kind comes from here. */
export class MemoryBudget {
  private readonly limit: number;
  private used = 0;

  /** @throws DataError SOMBRA_OPTION */
  constructor(maxMemoryMb: number | undefined) {
    if (maxMemoryMb !== undefined && !(typeof maxMemoryMb === 'number' && maxMemoryMb > 0))
      throw new DataError('SOMBRA_OPTION', `maxMemoryMb is a number above 0, not ${describe(maxMemoryMb)}`);
    this.limit = (maxMemoryMb ?? MEMORY_DEFAULT_MB) * MB;
  }

  /** Counts bytes before they are allocated. @throws DataError SOMBRA_MEMORY_LIMIT */
  take(bytes: number): void {
    this.used += bytes;
    if (this.used > this.limit) throw tooMuch(this.used, `maxMemoryMb is ${this.limit / MB}`);
  }

  /** Bytes that are no longer referred to. */
  give(bytes: number): void {
    this.used -= bytes;
  }

  floats(length: number): Float64Array<ArrayBuffer> {
    this.take(length * 8);
    return allocated(length * 8, () => new Float64Array(length));
  }

  words(length: number): Uint32Array<ArrayBuffer> {
    this.take(length * 4);
    return allocated(length * 4, () => new Uint32Array(length));
  }

  /** A copy with room for at least `length`, and twice as much as before. */
  grownWords(from: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
    const to = this.words(Math.max(length, from.length * 2));
    to.set(from);
    this.give(from.byteLength);
    return to;
  }
}

/** The runtime has limits of its own, which say so by a RangeError. */
function allocated<T>(bytes: number, allocate: () => T): T {
  try {
    return allocate();
  } catch (cause) {
    if (cause instanceof RangeError) throw tooMuch(bytes, 'the runtime gives no more', cause);
    throw cause;
  }
}

function tooMuch(bytes: number, why: string, cause?: unknown): DataError {
  return new DataError(
    'SOMBRA_MEMORY_LIMIT',
    `the algorithm needs at least ${Math.ceil(bytes / MB)} MiB and ${why}: raise it, or work on a part by 'label' or 'type'`,
    { cause, details: { bytes } },
  );
}
