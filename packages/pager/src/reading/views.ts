/**
 * The views of one connection: the implicit one, which sees the newest published commit, and snapshots.
 *
 * Invariant: with shm, a view that sees a commit is kept by a tenure or by a reader's mark. The implicit view has its mark until the
 * end of the turn of the event loop, or until this connection commits.
 */
import { StateError, TransactionError } from '@sombra/vfs';
import type { Catalogue } from '../format/catalogue.ts';
import type { Engine } from '../connection/engine.ts';
import { ENDED, IDLE, TOO_OLD, View } from './view.ts';

/** What becomes of the views of a connection. `engine.view` is the implicit one, `engine.snapshots` are the others. */
export class Views {
  /** Commits of others were followed, and the layer above has not been told. */
  advanced = false;
  /** Who keeps something in memory that commits of other connections may change. */
  onAdvanced: ((newest: View) => void) | undefined;

  private readonly engine: Engine;
  /** The implicit view sees a commit, and is kept by a reader's mark until the end of the turn. */
  private marked = false;
  private since = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** Limit of the implicit view while a reader's mark keeps it, else Infinity. */
  get markedLimit(): number {
    return this.marked ? this.engine.view.limit : Infinity;
  }

  /** This connection published a commit: its implicit view sees it (rule C5). */
  committed(catalogue: Catalogue): void {
    const { view, shm } = this.engine;
    if (view.limit >= 0 || shm === null) {
      view.catalogue = catalogue;
      view.limit = catalogue.lsn;
    }
    if (!this.marked) return;
    // From here on the tenure keeps the view, and the mark of the old one would keep the log from shrinking.
    this.marked = false;
    this.shrinkMarks();
  }

  /** A view without a commit is read through: the implicit one gets the newest, others have ended. */
  renew(view: View): void {
    this.engine.health.checkOpen();
    if (view.limit === TOO_OLD) {
      throw new TransactionError(
        'SOMBRA_SNAPSHOT_TOO_OLD',
        'the snapshot was older than readTimeoutMs while the log was over its limit, and was ended: take a new one, and release snapshots earlier',
      );
    }
    if (view.limit !== IDLE)
      throw new StateError('SOMBRA_CLOSED', 'this view has ended with its transaction or was released: take a new one');
    if (!this.engine.tenure.held) {
      this.engine.marks.begin();
      this.markImplicit();
    }
    this.engine.view.limit = this.engine.published.lsn;
    this.engine.view.catalogue = this.engine.published;
    this.tellAdvanced();
  }

  tellAdvanced(): void {
    if (!this.advanced) return;
    this.advanced = false;
    this.onAdvanced?.(new View(this.engine.cache, this.engine, this.engine.published.lsn, this.engine.published));
  }

  /** The turn of the event loop ends: the implicit view too. */
  private endMarked(): void {
    if (!this.marked) return;
    this.marked = false;
    if (this.engine.health.closed) return;
    // Also within a tenure: the view may be older than what the tenure keeps.
    this.engine.view.limit = IDLE;
    this.shrinkMarks();
  }

  /** The implicit view sees the newest commit from here on. */
  useNewest(): void {
    if (this.engine.shm === null) return;
    if (this.engine.tenure.held) this.engine.view.limit = IDLE;
    else if (this.marked) this.endMarked();
    this.renew(this.engine.view);
  }

  /** Ends the implicit view: the connection is being closed. */
  endImplicit(): void {
    this.marked = false;
    this.engine.view.limit = ENDED;
  }

  /**
   * A tenure ends, and an implicit view that only the tenure kept.
   * @param turnGoesOn  it may be in use in this turn of the event loop, and stays as it is until its end
   */
  endUnprotected(turnGoesOn: boolean): void {
    const { view } = this.engine;
    if (this.marked || view.limit < 0) return;
    if (turnGoesOn && this.engine.marks.tryBegin()) this.markImplicit();
    else view.limit = IDLE;
  }

  private markImplicit(): void {
    this.marked = true;
    this.since = this.engine.now();
    this.engine.vfs.env.defer(() => this.engine.health.runUpkeep(() => this.endMarked()));
  }

  /** A view that is older than this is renewed when `freshen` is called. */
  freshen(maxAgeMs: number): void {
    if (this.marked && !this.engine.tenure.held && this.engine.now() - this.since > maxAgeMs) this.endMarked();
  }

  release(view: View): void {
    if (view === this.engine.view || (this.engine.transaction !== null && view === this.engine.transaction.view))
      return;
    this.endView(view, ENDED);
  }

  /** Ends a snapshot. @param how  ENDED or TOO_OLD */
  endView(view: View, how: number): void {
    view.limit = how;
    this.engine.snapshots.delete(view);
    this.engine.limits.forget(view);
    this.updateLimits();
    if (!this.engine.health.closed) this.shrinkMarks();
  }

  /**
   * A view of the newest published commit that stays as it is until it is released.
   * @param exempt  it may be as old as it likes: a backup, an export, a check
   */
  snapshot(exempt = false): View {
    this.engine.health.checkOpen();
    if (this.engine.shm !== null) this.engine.marks.begin(true);
    const view = new View(this.engine.cache, this.engine, this.engine.published.lsn, this.engine.published);
    this.engine.snapshots.add(view);
    this.updateLimits();
    this.tellAdvanced();
    if (!exempt) this.engine.limits.watch(view);
    return view;
  }

  private shrinkMarks(): void {
    if (this.engine.shm === null) return;
    let oldest = this.marked ? this.engine.view.limit : Infinity;
    for (const view of this.engine.snapshots) oldest = Math.min(oldest, view.limit);
    this.engine.marks.shrink(oldest);
  }

  /** Tells the cache which old versions may still be read. */
  updateLimits(): void {
    const { snapshots, view, tail, published, cache } = this.engine;
    const limits = new Set([...snapshots].map(({ limit }) => limit));
    if (view.limit >= 0 && view.limit < published.lsn) limits.add(view.limit);
    // While commits wait for their sync, readers see the one before them.
    if (tail !== published) limits.add(published.lsn);
    cache.snapshotLimits = [...limits];
  }
}
