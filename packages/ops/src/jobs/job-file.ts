/**
 * The jobs of one queue in a file: an append log of what happened to them. A job is there from when the promise of `add` is fulfilled until that
 * of `remove`, whatever crashes in between; which jobs were running is forgotten, so that they begin again. Their order is that of their ids.
 *
 * Records are JSON: `{ add: job }`, `{ failed: id, failures, error }`, `{ gaveUp: id }`, `{ done: id }`. Those of finished jobs go as the
 * oldest ones do. A job that keeps many of them is written again at the end, one for each job that ends.
 */
import { CorruptionError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { AppendLog } from '@sombra/wal';
import type { Job } from './job.ts';

type JobRecord =
  | { readonly add: Job; readonly gaveUp?: true }
  | { readonly failed: number; readonly failures: number; readonly error: string }
  | { readonly gaveUp: number }
  | { readonly done: number };

interface Kept {
  job: Job;
  /** Of the record that it was written with last. */
  position: number;
  /** It is not tried any more. */
  gaveUp: boolean;
  /** That it is done is being written: it must not be written again behind that. */
  ending: boolean;
}

const SEGMENT_BYTES = 1024 * 1024;
/** Records that are kept beside four for each job, before the oldest job is written again. */
const RECORDS_KEPT = 4096;
const ERROR_LENGTH_MAX = 1000;

/** See the top of the file. */
export class JobFile {
  private readonly log: AppendLog;
  private readonly path: string;
  private readonly kept = new Map<number, Kept>();
  private newest = 0;
  private nextId = 1;
  private gaveUpCount = 0;
  private tidying = false;

  /** @throws IoError SOMBRA_BUSY: another process has it open; SOMBRA_IO; CorruptionError SOMBRA_WAL_DAMAGED, SOMBRA_JOBS */
  constructor(vfs: Vfs, path: string) {
    this.path = path;
    this.log = AppendLog.open({ vfs, path, segmentSize: SEGMENT_BYTES });
    try {
      for (const { position, bytes } of this.log.read()) this.replay(position, bytes);
    } catch (error) {
      this.log.close();
      throw error;
    }
  }

  /** Jobs that wait to be done, or run. */
  get waitingCount(): number {
    return this.kept.size - this.gaveUpCount;
  }

  /** Jobs that are not tried any more. */
  get givenUpCount(): number {
    return this.gaveUpCount;
  }

  /** Jobs that wait to be done, or run, in their order. */
  waiting(): Job[] {
    return this.jobs(false);
  }

  /** Jobs that are not tried any more. */
  givenUp(): Job[] {
    return this.jobs(true);
  }

  /** Number of the next job: behind all others. */
  takeId(): number {
    return this.nextId++;
  }

  get(id: number): Job | undefined {
    return this.kept.get(id)?.job;
  }

  /** Writes a new job. Durable when fulfilled. @throws as `AppendLog.appendAsync`: then it is not there */
  async add(job: Job): Promise<void> {
    const position = await this.append({ add: job });
    this.kept.set(job.id, { job, position, gaveUp: false, ending: false });
  }

  /** A job has failed. @throws as `add` */
  async noteFailure(id: number, failures: number, error: string): Promise<void> {
    const lastError = error.slice(0, ERROR_LENGTH_MAX);
    await this.append({ failed: id, failures, error: lastError });
    this.noted(id, failures, lastError);
    await this.tidy();
  }

  /** It is not tried any more. @throws as `add`: then it is not tried by this process, and by the next one */
  async giveUp(id: number): Promise<void> {
    this.markGivenUp(id); // before: a job that is written again meanwhile says so
    await this.append({ gaveUp: id });
  }

  /** It is done. Harmless when it is not there. @throws as `add` */
  async remove(id: number): Promise<void> {
    const kept = this.kept.get(id);
    if (kept === undefined) return;
    kept.ending = true;
    try {
      await this.append({ done: id });
    } catch (error) {
      kept.ending = false;
      throw error;
    }
    this.forget(id);
    await this.tidy();
  }

  /** @throws as `AppendLog.close` */
  close(): void {
    this.log.close();
  }

  private jobs(gaveUp: boolean): Job[] {
    const found = [...this.kept.values()].filter((kept) => kept.gaveUp === gaveUp).map(({ job }) => job);
    return found.sort((a, b) => a.id - b.id);
  }

  private noted(id: number, failures: number, lastError: string): void {
    const kept = this.kept.get(id);
    if (kept !== undefined) kept.job = { ...kept.job, failures, lastError };
  }

  private markGivenUp(id: number): void {
    const kept = this.kept.get(id);
    if (kept === undefined || kept.gaveUp) return;
    kept.gaveUp = true;
    this.gaveUpCount += 1;
  }

  private forget(id: number): void {
    if (this.kept.get(id)?.gaveUp === true) this.gaveUpCount -= 1;
    this.kept.delete(id);
  }

  private async append(record: JobRecord): Promise<number> {
    const position = await this.log.appendAsync(new TextEncoder().encode(JSON.stringify(record)));
    this.newest = Math.max(this.newest, position);
    return position;
  }

  /** Gives up records that no job needs. */
  private async tidy(): Promise<void> {
    if (this.tidying) return;
    this.tidying = true;
    try {
      const oldest = this.oldest();
      const records = this.newest - (oldest?.position ?? this.newest);
      if (oldest !== undefined && !oldest.ending && records > RECORDS_KEPT + 4 * this.kept.size) {
        const { job, gaveUp } = oldest;
        // Appended at once: what happens to the job meanwhile is written behind it.
        oldest.position = await this.append(gaveUp ? { add: job, gaveUp } : { add: job });
      }
      this.log.truncateBefore(this.oldest()?.position ?? this.newest + 1);
    } finally {
      this.tidying = false;
    }
  }

  private oldest(): Kept | undefined {
    let oldest: Kept | undefined;
    for (const kept of this.kept.values()) if (oldest === undefined || kept.position < oldest.position) oldest = kept;
    return oldest;
  }

  private replay(position: number, bytes: Uint8Array): void {
    const record = parse(bytes);
    if (record === undefined) {
      throw new CorruptionError(
        'SOMBRA_JOBS',
        `record ${position} of the jobs in ${this.path} cannot be read; move the files ${this.path}-* away to begin without these jobs`,
        { details: { path: this.path, position } },
      );
    }
    this.newest = position;
    if ('add' in record) {
      const { add: job, gaveUp } = record;
      this.forget(job.id);
      this.kept.set(job.id, { job, position, gaveUp: false, ending: false });
      if (gaveUp === true) this.markGivenUp(job.id);
      this.nextId = Math.max(this.nextId, job.id + 1);
    } else if ('failed' in record) this.noted(record.failed, record.failures, record.error);
    else if ('done' in record) this.forget(record.done);
    else this.markGivenUp(record.gaveUp);
  }
}

function parse(bytes: Uint8Array): JobRecord | undefined {
  let record: unknown;
  try {
    record = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  return isRecord(record) ? record : undefined;
}

function isRecord(record: unknown): record is JobRecord {
  if (typeof record !== 'object' || record === null) return false;
  const { add, failed, failures, error, gaveUp, done } = record as Record<string, unknown>;
  if (add !== undefined) return isJob(add) && (gaveUp === undefined || gaveUp === true);
  if (failed !== undefined) return isCount(failed) && isCount(failures) && typeof error === 'string';
  return gaveUp === undefined ? isCount(done) : isCount(gaveUp);
}

function isJob(job: unknown): job is Job {
  if (typeof job !== 'object' || job === null) return false;
  const { id, kind, payload, addedMs, failures } = job as Record<string, unknown>;
  return (
    isCount(id) && typeof kind === 'string' && payload !== undefined && typeof addedMs === 'number' && isCount(failures)
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
