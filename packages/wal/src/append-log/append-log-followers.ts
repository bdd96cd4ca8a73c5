/** What is used of an `AbortSignal`. */
export interface FollowSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** The readers that wait for the next record of an append log. */
export class Followers {
  private readonly waiting = new Set<() => void>();

  /** Resolved by the next `wake`, or when the signal aborts. */
  wait(signal: FollowSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      this.waiting.add(wake);
      signal?.addEventListener('abort', wake);
    });
  }

  wake(): void {
    for (const wake of [...this.waiting]) wake();
  }
}
