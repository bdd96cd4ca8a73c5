import { type GraphSnapshot, Rows } from '@sombra/graph';
import type { SnapshotKeeper } from './snapshot-keeper.ts';

/** What a started row stream holds. Separate from the stream, so that a stream dropped half way is noticed. */
interface Held {
  snapshot: GraphSnapshot | undefined;
}

/** Rows over a snapshot of their own, taken for the first row and released at the end, by `return` or on an error. */
export class HeldRows<T> extends Rows<T> {
  private readonly keeper: SnapshotKeeper;
  private readonly held: Held;

  /** @param begin  starts the iteration over a snapshot */
  constructor(keeper: SnapshotKeeper, begin: (snapshot: GraphSnapshot) => Iterator<T>) {
    const held: Held = { snapshot: undefined };
    super(() => {
      held.snapshot = keeper.take();
      return begin(held.snapshot);
    });
    this.keeper = keeper;
    this.held = held;
  }

  override next(): IteratorResult<T, undefined> {
    const fresh = this.held.snapshot === undefined;
    const step = this.step();
    const { snapshot } = this.held;
    if (fresh && snapshot !== undefined && !snapshot.closed) this.keeper.keepFor(this, snapshot);
    return step;
  }

  private step(): IteratorResult<T, undefined> {
    try {
      return super.next();
    } catch (error) {
      this.keeper.noteDamage(error);
      throw error;
    }
  }

  protected override letGo(): void {
    if (this.held.snapshot !== undefined) this.keeper.letGo(this, this.held.snapshot);
  }
}
