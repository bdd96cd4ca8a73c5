import { StateError } from '@sombra/vfs';
import type { GraphReader, GraphSnapshot } from '@sombra/graph';
import { ReadMethods } from './read-methods.ts';
import type { SnapshotKeeper, SnapshotOptions } from './snapshot-keeper.ts';

/**
 * The database as it was at one commit, whatever is written meanwhile. Release it: while it is open, checkpoints cannot
 * pass it and the log grows. `using snapshot = db.snapshot()` does so by itself.
 */
export class Snapshot extends ReadMethods {
  /** Number of the commit that it shows. */
  readonly lsn: number;
  private readonly keeper: SnapshotKeeper;
  private readonly inner: GraphSnapshot;
  private released = false;

  /** @internal */
  constructor(keeper: SnapshotKeeper, options?: SnapshotOptions) {
    super();
    this.keeper = keeper;
    this.inner = keeper.take(options);
    this.lsn = this.inner.lsn;
    keeper.keepFor(this, this.inner);
  }

  /** Ends the snapshot. Idempotent. */
  release(): void {
    if (this.released) return;
    this.released = true;
    this.keeper.letGo(this, this.inner);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  protected override reads(): GraphReader {
    if (this.released) throw new StateError('SOMBRA_CLOSED', 'the snapshot was released: take a new one');
    return this.inner;
  }
}
