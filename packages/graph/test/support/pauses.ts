// What tests of asynchronous calls need, on a `slowVfs`: signals that abort at a look, and a count of the turns of the event loop that
// others get meanwhile. Nothing is measured in time.
import type { AbortSignalLike } from '../../src/index.ts';

/** A signal that counts how often it is looked at, and aborts at the look of a number. */
export class CountingSignal implements AbortSignalLike {
  readonly reason = new Error('enough');
  looks = 0;
  private readonly abortAt: number;

  /** @param abortAt  Infinity: never */
  constructor(abortAt = Infinity) {
    this.abortAt = abortAt;
  }

  get aborted(): boolean {
    this.looks += 1;
    return this.looks >= this.abortAt;
  }
}

/**
 * Counts the turns of the event loop until a call is settled.
 * @param each  called in every one
 */
export async function turnsDuring<T>(
  call: Promise<T>,
  each: (turn: number) => void = () => undefined,
): Promise<{ turns: number; result: T }> {
  let turns = 0;
  let settled = false;
  const turn = (): void => {
    if (settled) return;
    turns += 1;
    each(turns);
    setImmediate(turn);
  };
  setImmediate(turn);
  try {
    return { result: await call, turns };
  } finally {
    settled = true;
  }
}
