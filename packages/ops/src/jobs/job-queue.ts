/**
 * Work that is done later, in the order in which it was asked for, and again until it has succeeded: after a failure with growing pauses, after a crash
 * when the queue is opened again. better-queue hands the jobs to workers; what must not be lost stands in a file of ours (job-file.ts), written before a
 * job is handed over and after it has ended.
 *
 * A job that fails keeps its worker until it has succeeded or is given up: with one worker, jobs are done strictly in order.
 */
import { callHook, DataError, NodeVfs, PoisonedError, SombraError, StateError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type BetterQueue from 'better-queue';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { backOffMs, pause } from '../base/pause.ts';
import type { Job, JobHandler, JobPayload } from './job.ts';
import { JobFile } from './job-file.ts';
import { QueueStore } from './queue-store.ts';
import type { QueuedTask } from './queue-store.ts';

/** What happens in a queue. */
export type JobEvent =
  | { readonly event: 'done'; readonly job: Job }
  /** It will be tried again. */
  | { readonly event: 'failed'; readonly job: Job; readonly error: unknown; readonly retryMs: number }
  /** It is kept, and not tried any more: see `retry`. */
  | { readonly event: 'gave-up'; readonly job: Job; readonly error: unknown }
  /** The file of the queue cannot be written: nothing is done any more until it is opened again. */
  | { readonly event: 'ended'; readonly error: unknown };

export interface JobQueueOptions {
  /** Who does which kind of job. */
  readonly handlers: Readonly<Record<string, JobHandler>>;
  /** Jobs that run at a time. Default 1: in order. */
  readonly concurrency?: number | undefined;
  /** Times that a job is tried. Default: until it succeeds. */
  readonly maxAttempts?: number | undefined;
  /** Longest pause behind the first failure, ms; doubled with each further one. Default 1000. */
  readonly retryMs?: number | undefined;
  /** Longest pause of all, ms. Default five minutes. */
  readonly retryMaxMs?: number | undefined;
  readonly onEvent?: ((event: JobEvent) => void) | undefined;
  /** Where its files are. Default the file system. */
  readonly vfs?: Vfs | undefined;
}

export interface JobQueueStats {
  readonly waiting: number;
  readonly running: number;
  /** Kept and not tried any more. */
  readonly givenUp: number;
  /** Since it was opened. */
  readonly done: number;
  readonly failures: number;
}

const OPTIONS = ['handlers', 'concurrency', 'maxAttempts', 'retryMs', 'retryMaxMs', 'onEvent', 'vfs'];
const PAYLOAD_LENGTH_MAX = 1024 * 1024;

type Queue = BetterQueue<QueuedTask, undefined>;

/**
 * Opens the queue whose files begin with `path`, for example `jobs`: `jobs-wal`, `jobs-1-wal`, `jobs-lock`. Jobs that an earlier process left begin at once.
 * @throws DataError SOMBRA_OPTION, SOMBRA_CONFIG; IoError SOMBRA_BUSY: it is open elsewhere; SOMBRA_IO, SOMBRA_PERMISSION; CorruptionError SOMBRA_JOBS,
 *   SOMBRA_WAL_DAMAGED
 */
export async function openJobQueue(path: string, options: JobQueueOptions): Promise<JobQueue> {
  checkOptions('openJobQueue', options, OPTIONS);
  const { concurrency = 1, maxAttempts = Infinity, retryMs = 1000, retryMaxMs = 300_000 } = options;
  checkCount('concurrency', concurrency, 1);
  if (maxAttempts !== Infinity) checkCount('maxAttempts', maxAttempts, 1);
  checkCount('retryMs', retryMs, 1);
  checkCount('retryMaxMs', retryMaxMs, 1);
  for (const [kind, handler] of Object.entries(options.handlers))
    if (typeof handler !== 'function') throw new DataError('SOMBRA_OPTION', `the handler of ${kind} is a function`);
  const { default: Queue } = await import('better-queue');
  const vfs = options.vfs ?? new NodeVfs();
  return new JobQueue(vfs, new JobFile(vfs, path), Queue, {
    ...options,
    concurrency,
    maxAttempts,
    retryMs,
    retryMaxMs,
  });
}

interface Resolved extends JobQueueOptions {
  readonly concurrency: number;
  readonly maxAttempts: number;
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

/** See the top of the file. `openJobQueue` opens it. */
export class JobQueue {
  private readonly vfs: Vfs;
  private readonly file: JobFile;
  private readonly options: Resolved;
  private readonly queue: Queue;
  private readonly closing = new AbortController();
  /** Jobs that run, by id. */
  private readonly running = new Map<number, Promise<void>>();
  private readonly whenIdle: { resolve(): void; reject(error: unknown): void }[] = [];
  private adding = 0;
  private closed: Promise<void> | undefined;
  private done = 0;
  private failures = 0;
  private ended: { readonly error: unknown } | undefined;

  /** @internal */
  constructor(vfs: Vfs, file: JobFile, Queue: typeof BetterQueue, options: Resolved) {
    this.vfs = vfs;
    this.file = file;
    this.options = options;
    this.queue = new Queue<QueuedTask, undefined>({
      store: new QueueStore() as unknown as BetterQueue.Store<QueuedTask>,
      concurrent: options.concurrency,
      process: ({ id }: QueuedTask, finished) => this.start(id, () => finished(null)),
    });
    for (const { id } of file.waiting()) this.queue.push({ id });
  }

  /**
   * Asks for work. It is durable when this is fulfilled.
   * @param kind     that of a handler
   * @param payload  what the handler gets, at most 1 MiB as JSON
   * @returns number of the job
   * @throws DataError SOMBRA_OPTION; StateError SOMBRA_CLOSED; IoError SOMBRA_DISK_FULL, SOMBRA_IO: it was not added; SOMBRA_SYNC; PoisonedError
   *   SOMBRA_LOCK_POISONED
   */
  async add(kind: string, payload: JobPayload): Promise<number> {
    this.checkOpen();
    this.checkKind(kind);
    return await this.put(kind, ownPayload(payload));
  }

  /** Jobs that wait or run, in their order. */
  jobs(): readonly Job[] {
    return this.file.waiting();
  }

  /** Jobs that are kept, and not tried any more. */
  givenUp(): readonly Job[] {
    return this.file.givenUp();
  }

  /** Tries a job again that was given up, as a new one behind those that wait. @returns its number @throws as `add`; DataError SOMBRA_OPTION when there is none */
  async retry(id: number): Promise<number> {
    this.checkOpen();
    const { kind, payload } = this.givenUpJob(id);
    const again = await this.put(kind, payload);
    await this.file.remove(id);
    return again;
  }

  /** Forgets a job that was given up. @throws as `retry` */
  async forget(id: number): Promise<void> {
    this.checkOpen();
    await this.file.remove(this.givenUpJob(id).id);
  }

  stats(): JobQueueStats {
    const { done, failures, running, file } = this;
    const waiting = Math.max(0, file.waitingCount - running.size);
    return { waiting, running: running.size, givenUp: file.givenUpCount, done, failures };
  }

  /** Fulfilled when no job waits or runs. @throws StateError SOMBRA_CLOSED; what ended the queue */
  async idle(): Promise<void> {
    this.checkOpen();
    if (this.isIdle()) return;
    await new Promise<void>((resolve, reject) => this.whenIdle.push({ resolve, reject }));
  }

  /**
   * Ends it: handlers are asked to stop and waited for. Jobs that are not done stay in the file. Harmless when repeated.
   * @throws IoError SOMBRA_SYNC: it is closed nevertheless
   */
  close(): Promise<void> {
    return (this.closed ??= this.shut());
  }

  private async shut(): Promise<void> {
    this.closing.abort(new StateError('SOMBRA_CLOSED', 'the queue is being closed'));
    this.queue.pause();
    await Promise.all(this.running.values());
    this.settleIdle(
      new StateError('SOMBRA_CLOSED', 'the queue was closed before its jobs were done; they are in its file'),
    );
    await new Promise<void>((resolve) => this.queue.destroy(resolve));
    this.file.close();
  }

  // ---- adding

  private async put(kind: string, payload: JobPayload): Promise<number> {
    const id = this.file.takeId();
    const addedMs = this.vfs.env.wallTimeMs();
    this.adding += 1;
    try {
      await this.file.add({ id, kind, payload, addedMs, failures: 0, lastError: undefined });
    } finally {
      this.adding -= 1;
      if (this.isIdle()) this.settleIdle();
    }
    // When it is being closed, the job is in the file, and the next process does it.
    if (!this.closing.signal.aborted) this.queue.push({ id });
    return id;
  }

  private givenUpJob(id: number): Job {
    const job = this.file.givenUp().find((one) => one.id === id);
    if (job === undefined) throw new DataError('SOMBRA_OPTION', `there is no job ${id} that was given up`);
    return job;
  }

  // ---- working

  private start(id: number, finished: () => void): void {
    const work = this.work(id).then((isOver) => {
      this.running.delete(id);
      if (!isOver) return; // the worker keeps it: the queue has ended
      finished();
      if (this.isIdle()) this.settleIdle();
    });
    this.running.set(id, work);
  }

  /** @returns whether the job has ended: done, or given up. Never throws */
  private async work(id: number): Promise<boolean> {
    const { signal } = this.closing;
    try {
      for (;;) {
        const job = this.file.get(id);
        if (job === undefined) return true;
        const failure = await this.attempt(job);
        if (failure === undefined) {
          await this.written(job, () => this.file.remove(id));
          this.done += 1;
          this.tell({ event: 'done', job });
          return true;
        }
        if (signal.aborted) return false;
        if (!(await this.fail(job, failure.error))) return true;
      }
    } catch (error) {
      if (!signal.aborted) this.end(error);
      return false;
    }
  }

  private async attempt({ kind, payload, failures }: Job): Promise<{ readonly error: unknown } | undefined> {
    try {
      const handler = Object.hasOwn(this.options.handlers, kind) ? this.options.handlers[kind] : undefined;
      if (handler === undefined)
        throw new StateError(
          'SOMBRA_JOB_HANDLER',
          `the queue has no handler for jobs of kind ${kind}: open it with one`,
        );
      await handler(payload, { attempt: failures + 1, signal: this.closing.signal });
      return undefined;
    } catch (error) {
      return { error };
    }
  }

  /** @returns whether it is to be tried again, after the pause */
  private async fail(job: Job, error: unknown): Promise<boolean> {
    const { maxAttempts, retryMs, retryMaxMs } = this.options;
    const failures = job.failures + 1;
    this.failures += 1;
    await this.written(job, () => this.file.noteFailure(job.id, failures, messageOf(error)));
    const failed = this.file.get(job.id) ?? job;
    if (failures >= maxAttempts) {
      await this.written(failed, () => this.file.giveUp(job.id));
      this.tell({ event: 'gave-up', job: failed, error });
      return false;
    }
    const waitMs = Math.ceil(backOffMs(this.vfs.env, failures, retryMs, retryMaxMs));
    this.tell({ event: 'failed', job: failed, error, retryMs: waitMs });
    await pause(this.vfs.env, waitMs, this.closing.signal);
    return true;
  }

  /** Writes what has become of a job; while the disk is full, again and again: the work itself is not repeated for it. */
  private async written(job: Job, write: () => Promise<void>): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await write();
        return;
      } catch (error) {
        if (!(error instanceof SombraError) || error.code !== 'SOMBRA_DISK_FULL') throw error;
        const retryMs = Math.ceil(backOffMs(this.vfs.env, failures, this.options.retryMs, this.options.retryMaxMs));
        this.tell({ event: 'failed', job, error, retryMs });
        await pause(this.vfs.env, retryMs, this.closing.signal);
      }
    }
  }

  /** The file cannot be written. */
  private end(error: unknown): void {
    if (this.ended !== undefined) return;
    this.ended = { error };
    this.queue.pause();
    this.tell({ event: 'ended', error });
    this.settleIdle(error);
  }

  private isIdle(): boolean {
    return this.running.size === 0 && this.adding === 0 && this.file.waitingCount === 0;
  }

  private settleIdle(error?: unknown): void {
    for (const { resolve, reject } of this.whenIdle.splice(0)) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  private tell(event: JobEvent): void {
    callHook(this.vfs.env, 'jobs', () => this.options.onEvent?.(event));
  }

  // ---- checks

  private checkOpen(): void {
    if (this.ended !== undefined)
      throw new PoisonedError('SOMBRA_LOCK_POISONED', 'the file of the queue could not be written: open it again', {
        cause: this.ended.error,
      });
    if (this.closing.signal.aborted) throw new StateError('SOMBRA_CLOSED', 'the queue is closed: open it again');
  }

  private checkKind(kind: string): void {
    if (Object.hasOwn(this.options.handlers, kind)) return;
    const kinds = Object.keys(this.options.handlers).join(', ');
    throw new DataError('SOMBRA_OPTION', `the queue has no handler for jobs of kind ${String(kind)}; it has ${kinds}`);
  }
}

/** What a later process would find in the file: nothing that the caller may change. */
function ownPayload(payload: JobPayload): JobPayload {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (cause) {
    throw new DataError('SOMBRA_OPTION', 'the payload of a job is what JSON keeps', { cause });
  }
  if (text === undefined) throw new DataError('SOMBRA_OPTION', 'the payload of a job is what JSON keeps');
  if (text.length > PAYLOAD_LENGTH_MAX)
    throw new DataError(
      'SOMBRA_OPTION',
      `the payload of a job has at most ${PAYLOAD_LENGTH_MAX} characters as JSON, not ${text.length}`,
    );
  return JSON.parse(text) as JobPayload;
}

function messageOf(error: unknown): string {
  if (error instanceof SombraError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
