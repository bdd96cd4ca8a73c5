/** A checkpoint that a caller waits for without blocking the thread: the active one, and those that follow it at once. */

/** How it ended. */
export type CheckpointEnd =
  /** `lsn`: main holds everything up to this commit. `newestLsn`: the newest published then. `keptBack`: by a reader, so that more tries are in vain. */
  | { readonly how: 'done'; readonly lsn: number; readonly newestLsn: number; readonly keptBack: boolean }
  /** The right to write had to go first, and so did the checkpoint. Nothing is lost: ask again. */
  | { readonly how: 'givenUp' }
  | { readonly how: 'failed'; readonly error: unknown };

/** What the caller sees of it. */
export interface CheckpointRequest {
  /** How it ended; undefined until then. */
  readonly end: CheckpointEnd | undefined;
  /** Pages that it has written to main. */
  readonly pages: number;
  /** Newest commit when it was asked for, be it published or about to be. */
  readonly newestLsn: number;
  /** Fulfilled after the next turn of the event loop that it had, at its end at the latest. Never rejected. */
  turned(): Promise<void>;
  /** The caller does not wait any more. A checkpoint that nobody else wants is given up. Harmless after its end. */
  abandon(): void;
}

/** A request, as the checkpoint sees it. */
export class PendingRequest implements CheckpointRequest {
  end: CheckpointEnd | undefined;
  pages = 0;
  readonly newestLsn: number;

  private readonly onAbandoned: (request: PendingRequest) => void;
  private turn: Promise<void> | undefined;
  private wake: (() => void) | undefined;

  constructor(newestLsn: number, onAbandoned: (request: PendingRequest) => void) {
    this.newestLsn = newestLsn;
    this.onAbandoned = onAbandoned;
  }

  turned(): Promise<void> {
    this.turn ??= new Promise((resolve) => {
      this.wake = resolve;
    });
    return this.turn;
  }

  abandon(): void {
    if (this.end === undefined) this.onAbandoned(this);
  }

  /** It had a turn. */
  tell(): void {
    const { wake } = this;
    this.turn = this.wake = undefined;
    wake?.();
  }

  /** It has ended. */
  endWith(end: CheckpointEnd): void {
    this.end = end;
    this.tell();
  }
}
