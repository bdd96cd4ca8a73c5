/** An archiver that goes on until it is stopped: a pass at every interval, again after a failure with growing pauses. */
import { callHook, SombraError, StateError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import { backOffMs } from '../base/pause.ts';
import type { RepositoryLock } from '../backup/lock.ts';
import type { ArchivePass, LogArchiver } from './archiver.ts';
import type { ArchiveSource } from './source.ts';
import { whenFree } from './when-free.ts';

/** What happens to an archiver. */
export type ArchiveEvent =
  | { readonly kind: 'archived'; readonly pass: ArchivePass }
  /** It will try again. `failures`: in a row. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly failures: number; readonly retryMs: number }
  /** What is not archived has passed a limit; told once, until it is below again. */
  | { readonly kind: 'behind'; readonly stats: ArchiverStats }
  /** It has ended by itself: nothing is archived any more. */
  | { readonly kind: 'ended'; readonly error: unknown };

/** How it stands. */
export interface ArchiverStats {
  /** The newest commit that is archived, and when it was made, ms since 1970; 0 without one. */
  readonly lsn: number;
  readonly time: number;
  /** Bytes of the log that are not archived; null before the first pass, and when the database does not tell. */
  readonly lagBytes: number | null;
  /** For how long there have been commits that are not archived, at most, ms. */
  readonly lagMs: number;
  readonly passes: number;
  /** Passes that failed in a row. */
  readonly failures: number;
  /** Written since it began. */
  readonly objects: number;
  readonly bytes: number;
}

/** How it works. */
export interface RunningOptions {
  readonly archiveIntervalMs: number;
  readonly maxLagBytes: number;
  readonly maxLagMs: number;
  readonly onEvent: ((event: ArchiveEvent) => void) | undefined;
}

const RETRY_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** Failures that another pass does not get past. */
const FATAL: ReadonlySet<string> = new Set([
  'SOMBRA_ARCHIVE_GAP',
  'SOMBRA_ARCHIVE_DAMAGED',
  'SOMBRA_ARCHIVE_RUNNING',
  'SOMBRA_ARCHIVE_NO_LOG',
  'SOMBRA_CLOSED',
  'SOMBRA_READ_ONLY',
  'SOMBRA_LOCK_POISONED',
]);

/** See the top of the file. `LogArchive.start` makes it. */
export class RunningArchiver {
  private readonly env: VfsEnv;
  private readonly archiver: LogArchiver;
  private readonly source: ArchiveSource;
  private readonly lock: RepositoryLock;
  private readonly options: RunningOptions;
  private readonly stopping = new AbortController();
  private timer: unknown;
  /** The pass that runs, or the last one that waits: one at a time. */
  private current: Promise<void> = Promise.resolve();
  private ended: unknown;
  private isOver = false;
  private isBehind = false;
  private passes = 0;
  private failures = 0;
  private objects = 0;
  private bytes = 0;
  private newest = { lsn: 0, time: 0 };
  /** When the last pass that succeeded began: everything committed before is archived. */
  private completeSince: number;

  /** @internal */
  constructor(
    env: VfsEnv,
    archiver: LogArchiver,
    source: ArchiveSource,
    lock: RepositoryLock,
    options: RunningOptions,
  ) {
    this.env = env;
    this.archiver = archiver;
    this.source = source;
    this.lock = lock;
    this.options = options;
    this.completeSince = env.monotonicMs();
    this.schedule(0);
  }

  /** How it stands. What cannot be seen is null. */
  stats(): ArchiverStats {
    const { lsn, time } = this.newest;
    const { passes, failures, objects, bytes } = this;
    const [lagBytes, isComplete] = this.lag();
    const lagMs = isComplete ? 0 : this.env.monotonicMs() - this.completeSince;
    return { lsn, time, lagBytes, lagMs, passes, failures, objects, bytes };
  }

  /** Archives everything that is committed now, behind a pass that runs. @throws what the pass throws; StateError SOMBRA_CLOSED after `stop` */
  async flush(): Promise<void> {
    await this.next(async () => {
      if (this.isOver)
        throw this.ended ?? new StateError('SOMBRA_CLOSED', 'the archiver was stopped: start another one');
      await this.pass(true);
    });
  }

  /**
   * Ends it, after a last pass.
   * @param options  `flush: false`: without one, and a pass that runs is given up
   * @throws what the last pass throws; it has ended then, too
   */
  async stop({ flush = true }: { readonly flush?: boolean } = {}): Promise<void> {
    if (this.isOver) return;
    this.env.clearTimer(this.timer);
    if (!flush) this.stopping.abort();
    try {
      await this.next(async () => {
        if (flush && !this.isOver) await this.pass(true);
      });
    } finally {
      await this.end();
    }
  }

  /** Does it behind the pass that runs. @throws what it throws */
  private async next(work: () => Promise<void>): Promise<void> {
    const run = this.current.then(work);
    // Who asked gets its error; the next one begins all the same.
    this.current = run.catch(() => undefined);
    await run;
  }

  private schedule(ms: number): void {
    this.timer = this.env.setTimer(
      () => {
        this.next(async () => {
          if (!this.isOver) await this.pass(false);
        }).catch((error: unknown) => this.fell(error));
      },
      ms,
      true,
    );
  }

  /** @param isAsked  a caller waits for it, and gets its error */
  private async pass(isAsked: boolean): Promise<void> {
    const began = this.env.monotonicMs();
    this.env.clearTimer(this.timer);
    try {
      this.lock.throwIfLost();
      const { signal } = this.stopping;
      const work = (): Promise<ArchivePass> => this.archiver.pass(signal);
      const pass = await (isAsked ? whenFree(this.env, signal, work) : work());
      this.passes += 1;
      this.failures = 0;
      this.objects += pass.objects;
      this.bytes += pass.bytes;
      this.newest = { lsn: pass.lsn, time: pass.time };
      this.completeSince = began;
      if (pass.objects > 0) this.tell({ kind: 'archived', pass });
      this.watch();
      if (!this.isOver) this.schedule(this.options.archiveIntervalMs);
    } catch (error) {
      await this.failed(error, isAsked);
      if (isAsked) throw error;
    }
  }

  private async failed(error: unknown, isAsked: boolean): Promise<void> {
    const code = error instanceof SombraError ? error.code : undefined;
    if (code === 'SOMBRA_ABORTED' || this.isOver) return;
    if (code !== undefined && FATAL.has(code)) {
      this.ended = error;
      await this.end();
      this.tell({ kind: 'ended', error });
      return;
    }
    // Another connection writes at this moment: no failure.
    const isBusy = code === 'SOMBRA_BUSY';
    if (!isBusy) this.failures += 1;
    const retryMs = isBusy
      ? Math.min(RETRY_MS, this.options.archiveIntervalMs)
      : backOffMs(this.env, this.failures, RETRY_MS, RETRY_MAX_MS);
    if (!isBusy && !isAsked) this.tell({ kind: 'failed', error, failures: this.failures, retryMs });
    this.watch();
    this.schedule(retryMs);
  }

  /** Something failed that is no failure of a pass: it ends, and that is told. */
  private fell(error: unknown): void {
    this.isOver = true;
    this.ended = error;
    this.env.clearTimer(this.timer);
    this.tell({ kind: 'ended', error });
  }

  private async end(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    this.env.clearTimer(this.timer);
    await this.lock.release();
  }

  /** Bytes that are not archived, and whether there are none. */
  private lag(): [bytes: number | null, isComplete: boolean] {
    try {
      const end = this.source.logEnd({ durable: false });
      const bytes = this.archiver.lagBytes(end) ?? null;
      return [bytes, bytes === 0 || end.lsn === this.newest.lsn];
    } catch (error) {
      if (error instanceof SombraError) return [null, false];
      throw error;
    }
  }

  private watch(): void {
    const { maxLagBytes, maxLagMs } = this.options;
    if (maxLagBytes === Infinity && maxLagMs === Infinity) return;
    const stats = this.stats();
    const isBehind = (stats.lagBytes ?? 0) > maxLagBytes || stats.lagMs > maxLagMs;
    if (isBehind && !this.isBehind) this.tell({ kind: 'behind', stats });
    this.isBehind = isBehind;
  }

  private tell(event: ArchiveEvent): void {
    const { onEvent } = this.options;
    callHook(this.env, 'the archiver', () => onEvent?.(event));
  }
}
