/**
 * What ends the use of a connection, and whom it notifies: closing, poison (rule E1), hooks. One object per connection; its other parts
 * are built on it.
 *
 * Invariants:
 * 1. `closed` and `poisoned` never go back to false. After poison nothing is written any more; reads at published commits go on.
 * 2. A hook never disturbs what calls it, whatever it throws.
 */
import { callHook, CorruptionError, PoisonedError, StateError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import { isSyncFailure } from './failure.ts';
import type { PagerHooks, PagerWarning, ResolvedOptions } from './options.ts';

/** How far a poison goes. */
export type PoisonReach =
  /** Every connection: what was written may not be there, and no connection may write any more. */
  | 'all'
  /** This connection only: it would write to the wrong file. */
  | 'own';

/** Work for the end of the turn. What the event loop holds refers to nothing of a closed connection, however many are opened in one turn. */
interface Deferred {
  run: (() => void) | undefined;
}

/** Not a closure of a method: that would refer to its object. */
function runLater(env: VfsEnv, later: Deferred): void {
  env.defer(() => later.run?.());
}

/** The state of one connection that all of its parts must respect. */
export class Health {
  private readonly options: ResolvedOptions;
  private readonly listeners: ((cause: unknown, reach: PoisonReach) => void)[] = [];
  private readonly deferred = new Set<Deferred>();
  private isClosed = false;
  private isPoisoned = false;
  private poisonCause: unknown = undefined;
  private damageMet = 0;
  /** Errors that have been counted: one passes several layers. */
  private readonly toldDamage = new WeakSet<CorruptionError>();

  constructor(options: ResolvedOptions) {
    this.options = options;
  }

  /** Has the connection been closed? */
  get closed(): boolean {
    return this.isClosed;
  }

  /** Has it stopped writing? */
  get poisoned(): boolean {
    return this.isPoisoned;
  }

  /** How often damage was met. */
  get corruptions(): number {
    return this.damageMet;
  }

  /** What a read threw: damage is counted, and passed to the operator, once for each error. */
  noteDamage(error: unknown): void {
    if (!(error instanceof CorruptionError) || this.toldDamage.has(error)) return;
    this.toldDamage.add(error);
    this.damageMet += 1;
    this.callHook((hooks) => hooks.corruption?.(error));
  }

  /** The connection is being closed; later calls are refused. */
  close(): void {
    this.isClosed = true;
    for (const later of this.deferred) later.run = undefined;
    this.deferred.clear();
  }

  /** @throws StateError SOMBRA_CLOSED */
  checkOpen(): void {
    if (this.isClosed) throw new StateError('SOMBRA_CLOSED', 'the database is closed: open it again');
  }

  /** May this connection write? @throws StateError SOMBRA_CLOSED, SOMBRA_READ_ONLY; PoisonedError SOMBRA_LOCK_POISONED */
  checkWritable(): void {
    this.checkOpen();
    if (this.options.readOnly)
      throw new StateError(
        'SOMBRA_READ_ONLY',
        `${this.options.path} was opened read-only: open it with readOnly false`,
      );
    if (this.isPoisoned) this.refusePoisoned();
  }

  private refusePoisoned(): never {
    throw new PoisonedError(
      'SOMBRA_LOCK_POISONED',
      'a sync failed or a write could not be taken back: close the database and open it again',
      { cause: this.poisonCause },
    );
  }

  /** Registers a listener that runs when the connection is poisoned; listeners run in the order of registration. */
  onPoison(listener: (cause: unknown, reach: PoisonReach) => void): void {
    this.listeners.push(listener);
  }

  /** E1: nothing is written any more until the database has been opened again. Only the first call does anything. */
  poison(cause: unknown, reach: PoisonReach = 'all'): void {
    if (this.isPoisoned) return;
    this.isPoisoned = true;
    this.poisonCause = cause;
    for (const listener of this.listeners) {
      try {
        listener(cause, reach);
      } catch (error) {
        // The held mark stays set instead: the next holder of WRITE trusts nothing that only the page cache holds.
        const message = `a sync failed (${String(cause)}), and other connections could not be notified: close them, and open the database again`;
        this.poisonCause = new PoisonedError('SOMBRA_LOCK_POISONED', message, { cause: error });
      }
    }
    this.callHook((hooks) => hooks.poisoned?.(this.poisonCause));
  }

  /** Runs something that syncs; a failed sync poisons. */
  guardSync<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (isSyncFailure(error)) this.poison(error);
      throw error;
    }
  }

  /** Calls a hook. What it throws becomes a warning of the environment. */
  callHook(call: (hooks: PagerHooks) => unknown): void {
    const { hooks, path, vfs } = this.options;
    callHook(vfs.env, path, () => call(hooks));
  }

  /** Passes a warning to the operator. */
  warn(warning: PagerWarning): void {
    this.callHook((hooks) => hooks.warning?.(warning));
  }

  /** Work that no caller waits for has failed: the release of a lock after a commit, work of a timer. Data and commits are unaffected. */
  warnOfUpkeep(cause: unknown): void {
    this.warn({
      code: 'SOMBRA_UPKEEP_FAILED',
      message: `${this.options.path}: work between two calls failed, such as giving a lock back or ending an old view; it is tried again by a timer, and by the calls that follow`,
      cause,
    });
  }

  /**
   * Runs work of a timer or of a later turn of the event loop. It has no caller, so what it throws becomes a warning: an exception
   * there would end the whole program.
   */
  runUpkeep(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.warnOfUpkeep(error);
    }
  }

  /** Does upkeep at the end of this turn of the event loop, unless the connection is closed by then. */
  defer(work: () => void): void {
    const later: Deferred = {
      run: () => {
        this.deferred.delete(later);
        this.runUpkeep(work);
      },
    };
    this.deferred.add(later);
    runLater(this.options.vfs.env, later);
  }
}
