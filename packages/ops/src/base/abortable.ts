import { throwIfAborted } from './abort.ts';

/**
 * The same values, until the signal: then it rejects at once, also while the source is waited for. However it ends, the source is told.
 * @throws StateError SOMBRA_ABORTED; what the source throws
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  throwIfAborted(signal);
  if (signal === undefined) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  const steps = new Steps(iterator, signal);
  try {
    for (;;) {
      const step = await steps.next();
      throwIfAborted(signal);
      if (step === undefined || step.done === true) return;
      yield step.value;
    }
  } finally {
    await steps.end();
  }
}

/** Steps of an iterator, each of which the signal may cut short. */
class Steps<T> {
  private readonly iterator: AsyncIterator<T>;
  private readonly signal: AbortSignal;
  private isEnded = false;
  /** Ends the waiting for this step. One for each step: a promise for all of them, in a race with each, would keep every value. */
  private giveUp: (() => void) | undefined;
  private readonly onAbort = (): void => this.giveUp?.();

  constructor(iterator: AsyncIterator<T>, signal: AbortSignal) {
    this.iterator = iterator;
    this.signal = signal;
    signal.addEventListener('abort', this.onAbort);
  }

  /** @returns undefined after the signal */
  next(): Promise<IteratorResult<T> | undefined> {
    return new Promise((resolve, reject) => {
      this.giveUp = () => resolve(undefined);
      this.iterator.next().then(
        (step) => {
          this.isEnded = step.done === true;
          resolve(step);
        },
        (error: unknown) => {
          this.isEnded = true;
          reject(error as Error);
        },
      );
    });
  }

  async end(): Promise<void> {
    this.giveUp = undefined;
    this.signal.removeEventListener('abort', this.onAbort);
    if (this.isEnded) return;
    const ending = this.iterator.return?.();
    if (!this.signal.aborted) await ending;
    // A source that hangs would keep the call that was aborted; what it throws at last, nobody asked for.
    else ending?.catch(() => undefined);
  }
}
