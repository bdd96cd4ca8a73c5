import type { View } from '@sombra/pager';
import type { GraphStore } from '../store/store.ts';
import type { Workspace } from '../traversal/workspace.ts';
import { GraphReader } from './reader.ts';

/** The graph as of one commit, until it is released. */
export class GraphSnapshot extends GraphReader {
  /** Number of the commit. */
  get lsn(): number {
    return this.view.lsn;
  }

  /** Has it ended? */
  get closed(): boolean {
    return this.view.closed;
  }

  /** Lets go of the commit: reads then throw StateError SOMBRA_CLOSED. Idempotent. */
  release(): void {
    this.view.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** Ends the views of iterators that were dropped before their end. Runs between the turns of the program, so nothing may come out. */
const dropped = new FinalizationRegistry<View>((view) => {
  try {
    view.release();
  } catch {
    // The view has ended; what could not be written is written when the next one ends, or the file is closed.
  }
});

/** A snapshot that a call or an iterator of `graph.reader` works on. */
class HeldSnapshot extends GraphSnapshot {
  constructor(store: GraphStore, workspace: Workspace, view: View) {
    super(store, workspace, view);
    dropped.register(this, view, this);
  }

  protected override letGo(): void {
    dropped.unregister(this);
    this.release();
  }
}

/** Reader of the newest commit. Its iterators work on a snapshot of their own. */
export class LiveReader extends GraphReader {
  /** Renewed here, before any name is looked up, so that the names of what it sees are known. @internal */
  protected override get view(): View {
    const { ownView, store } = this;
    void ownView.lsn;
    if (store.behind) store.catchUp(ownView);
    return ownView;
  }

  protected override holding(): GraphReader {
    return new HeldSnapshot(this.store, this.workspace, this.store.snapshot());
  }
}
