/**
 * The views of one connection: the implicit one, which sees the newest published commit, and snapshots.
 *
 * Invariants:
 * 1. With shm, a view that sees a commit is kept by a tenure or by a reader's mark. The implicit view has its mark until the end of
 *    the turn of the event loop, or until this connection commits.
 * 2. A view sees a commit only after the listener of the layer above has been called for the commits of others up to it. When the listener
 *    throws, no view moves, nothing is kept, and the next read calls it again.
 */
import { StateError, TransactionError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { Health } from '../base/health.ts';
import { Retry } from '../base/retry.ts';
import type { Catalogue } from '../format/catalogue.ts';
import type { FollowedLog } from '../files/followed-log.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { ReadMarks, Reads } from '../sharing/read-marks.ts';
import type { Tenure } from '../sharing/tenure.ts';
import type { Commits } from './commits.ts';
import type { LogLimits } from './log-limits.ts';
import type { PageSource } from './page-source.ts';
import { ENDED, IDLE, TOO_OLD, View } from './view.ts';
import type { ViewOwner } from './view.ts';

/** What views are made of. */
export interface ViewsParts {
  readonly env: VfsEnv;
  readonly health: Health;
  /** May other connections have the database open? */
  readonly shared: boolean;
  readonly cache: PageCache;
  readonly pages: PageSource;
  readonly commits: Commits;
  readonly marks: ReadMarks;
  readonly tenure: Tenure;
  readonly followed: FollowedLog;
  readonly limits: LogLimits;
  /** Brings the connection to the newest commit of the header, which a tenure or a mark keeps. */
  readonly follow: () => void;
}

/** The views of one connection. */
export class Views implements ViewOwner {
  /** The implicit view. */
  readonly view: View;
  readonly snapshots = new Set<View>();
  /** Called when commits of others have been followed, before anything is read at or behind them. */
  onAdvanced: ((newest: View) => void) | undefined;

  private readonly parts: ViewsParts;
  private readonly retry: Retry;
  /** Commits of others were followed, and the listener has not been called, or has thrown. */
  private advanced = false;
  private calling = false;
  /** The implicit view sees a commit, and is kept by a reader's mark until the end of the turn. */
  private marked = false;
  private since = 0;

  constructor(parts: ViewsParts) {
    this.parts = parts;
    this.retry = new Retry(parts.env, () => this.shrinkMarks());
    const { published } = parts.commits;
    this.view = new View(parts.cache, this, parts.shared ? IDLE : published.lsn, published);
  }

  // ---- reading

  fault(view: View, pageNumber: number): number {
    if (view.limit < 0) this.renew(view);
    return this.parts.pages.fault(view, pageNumber);
  }

  /** A view that sees no commit is read: the implicit one gets the newest, others have ended. */
  renew(view: View): void {
    const { health, tenure, commits } = this.parts;
    health.checkOpen();
    if (view.limit === TOO_OLD) {
      throw new TransactionError(
        'SOMBRA_SNAPSHOT_TOO_OLD',
        'the snapshot was older than readTimeoutMs while the log was over its limit, and was ended: take a new one, and release snapshots earlier',
      );
    }
    if (view.limit !== IDLE)
      throw new StateError('SOMBRA_CLOSED', 'this view has ended with its transaction or was released: take a new one');
    if (tenure.held) this.callAdvanced();
    else {
      this.catchUp('turn');
      this.keepImplicit();
    }
    this.view.limit = commits.published.lsn;
    this.view.catalogue = commits.published;
  }

  /**
   * A view of the newest published commit that stays as it is until it is released.
   * @param exempt  it may be of any age: a backup, an export, a check
   */
  snapshot(exempt = false): View {
    const { health, shared, commits, cache, limits } = this.parts;
    health.checkOpen();
    if (shared) this.catchUp('snapshot');
    else this.callAdvanced();
    const view = new View(cache, this, commits.published.lsn, commits.published);
    this.snapshots.add(view);
    this.updateLimits();
    limits.watch(view, exempt === true);
    return view;
  }

  /** Keeps everything from the newest commit on by a reader's mark, follows the log to it, and calls the listener. */
  private catchUp(reads: Reads): void {
    this.parts.marks.begin(reads);
    try {
      this.parts.follow();
      this.callAdvanced();
    } catch (error) {
      this.keepLess(); // nothing new is kept
      throw error;
    }
  }

  /** Calls the listener when commits of others have been followed. When it throws, it is called again at the next read. */
  callAdvanced(): void {
    if (!this.advanced || this.calling) return;
    const { cache, commits } = this.parts;
    const { published } = commits;
    this.calling = true;
    try {
      this.onAdvanced?.(new View(cache, this, published.lsn, published));
      this.advanced = false;
    } catch (error) {
      this.view.limit = IDLE; // a read by the listener itself does not mean that it succeeded
      throw error;
    } finally {
      this.calling = false;
    }
  }

  /** The log was followed to commits of others. */
  followed(): void {
    this.advanced = true;
  }

  // ---- the implicit view

  /** This connection published a commit: its implicit view sees it (rule C5). */
  committed(catalogue: Catalogue): void {
    const { view } = this;
    if (view.limit >= 0 || !this.parts.shared) {
      view.catalogue = catalogue;
      view.limit = catalogue.lsn;
    }
    if (!this.marked) return;
    // From here on the tenure keeps the view, and the mark of the old one would keep the log from shrinking.
    this.marked = false;
    this.keepLess();
  }

  /** The turn of the event loop ends: the implicit view too. */
  private endMarked(): void {
    if (!this.marked) return;
    this.marked = false;
    if (this.parts.health.closed) return;
    // Also within a tenure: the view may be older than what the tenure keeps.
    this.view.limit = IDLE;
    this.keepLess();
  }

  /** The implicit view sees the newest commit from here on. */
  useNewest(): void {
    if (!this.parts.shared) return;
    if (this.parts.tenure.held) this.view.limit = IDLE;
    else if (this.marked) this.endMarked();
    this.renew(this.view);
  }

  /** Ends the implicit view: the connection is being closed. */
  endImplicit(): void {
    this.marked = false;
    this.view.limit = ENDED;
    this.retry.stop();
  }

  /**
   * A tenure ends, and an implicit view that only the tenure kept.
   * @param turnGoesOn  it may be in use in this turn of the event loop, and stays as it is until its end
   */
  endUnprotected(turnGoesOn: boolean): void {
    const { view } = this;
    const { marks } = this.parts;
    if (this.marked || view.limit < 0) return;
    let kept = false;
    try {
      kept = turnGoesOn && marks.begin('turn', false);
    } finally {
      if (kept) this.keepImplicit();
      else view.limit = IDLE;
    }
  }

  /** The implicit view is kept by the mark that was begun, until the end of the turn. */
  private keepImplicit(): void {
    const { env, health } = this.parts;
    this.marked = true;
    this.since = env.monotonicMs();
    health.defer(() => this.endMarked());
  }

  /** A view that is older than this is renewed when `freshen` is called. */
  freshen(maxAgeMs: number): void {
    const { env, tenure } = this.parts;
    if (this.marked && !tenure.held && env.monotonicMs() - this.since > maxAgeMs) this.endMarked();
  }

  // ---- ends and limits

  release(view: View): void {
    if (view !== this.view) this.endView(view, ENDED);
  }

  /** Ends a snapshot. @param how  ENDED or TOO_OLD */
  endView(view: View, how: number): void {
    view.limit = how;
    if (!this.snapshots.delete(view)) return;
    this.parts.limits.forget(view);
    this.updateLimits();
    this.keepLess();
  }

  /** K1: the least commit that a view of this connection may read, at most `bound`. */
  horizon(bound: number): number {
    let lowest = bound;
    for (const view of this.snapshots) lowest = Math.min(lowest, view.limit);
    return this.marked && this.view.limit >= 0 ? Math.min(lowest, this.view.limit) : lowest;
  }

  /** Views ended. Keeping more than is needed is not the caller's error: it is released later. */
  private keepLess(): void {
    const { health } = this.parts;
    try {
      this.shrinkMarks();
    } catch (error) {
      this.retry.later();
      health.warnOfUpkeep(error);
    }
  }

  private shrinkMarks(): void {
    const { health, shared, marks, followed } = this.parts;
    if (shared && !health.closed) marks.shrink(this.oldestMarked(), followed.floor);
  }

  /** Least limit of the views that a mark keeps; Infinity without any. */
  private oldestMarked(): number {
    let oldest = this.marked && this.view.limit >= 0 ? this.view.limit : Infinity;
    for (const view of this.snapshots) oldest = Math.min(oldest, view.limit);
    return oldest;
  }

  /** Informs the cache which old versions may still be read. */
  updateLimits(): void {
    const { cache, commits } = this.parts;
    const { tail, published } = commits;
    const limits = new Set([...this.snapshots].map(({ limit }) => limit));
    if (this.view.limit >= 0 && this.view.limit < published.lsn) limits.add(this.view.limit);
    // While commits wait for their sync, readers see the one before them.
    if (tail !== published) limits.add(published.lsn);
    cache.snapshotLimits = [...limits];
  }
}
