import type { Graph, GraphSnapshot } from '@sombra/graph';
import { runUpkeep } from '../base/warning.ts';
import type { Warning } from '../base/warning.ts';

/** How a snapshot is taken. */
export interface SnapshotOptions {
  /** It does not end in SOMBRA_SNAPSHOT_TOO_OLD: for backups and exports, which may keep the log beyond its limit. */
  readonly exempt?: boolean;
}

/**
 * Gives snapshots to holders (a `Snapshot`, an iterator) and notices when a holder is garbage collected without releasing its
 * snapshot. Nothing here refers to a holder.
 */
export class SnapshotKeeper {
  private readonly graph: Graph;
  /** Gets what reading rows threw. */
  readonly noteDamage: (error: unknown) => void;
  private readonly warn: (warning: Warning) => void;
  private readonly dropped: FinalizationRegistry<GraphSnapshot>;

  constructor(graph: Graph, warn: (warning: Warning) => void, noteDamage: (error: unknown) => void) {
    this.noteDamage = noteDamage;
    this.graph = graph;
    this.warn = warn;
    this.dropped = new FinalizationRegistry((snapshot) => this.letGoOfDropped(snapshot));
  }

  /** A snapshot of the newest commit. Name its holder with `keepFor`. @throws StateError SOMBRA_CLOSED */
  take(options?: SnapshotOptions): GraphSnapshot {
    return this.graph.snapshot(options);
  }

  /** From now on the snapshot is released, with a warning, when the holder is garbage collected. */
  keepFor(holder: object, snapshot: GraphSnapshot): void {
    this.dropped.register(holder, snapshot, holder);
  }

  /** The holder no longer needs it. */
  letGo(holder: object, snapshot: GraphSnapshot): void {
    this.dropped.unregister(holder);
    snapshot.release();
  }

  private letGoOfDropped(snapshot: GraphSnapshot): void {
    if (snapshot.closed) return; // by the database, which was closed
    runUpkeep(this.warn, () => snapshot.release());
    this.warn({
      code: 'SOMBRA_SNAPSHOT_LEAKED',
      message:
        'a snapshot or an iterator was dropped without being released; until now it kept checkpoints from passing it: release snapshots, and end iterators with for or return()',
    });
  }
}
