/**
 * The jobs of one queue in a file: an append log of what happened to them. A job is there from when the promise of `add` is fulfilled until that
 * of `remove`, whatever crashes in between; which jobs were running is forgotten, so that they begin again.
 *
 * Records are JSON: `{ add: job }`, `{ failed: id, failures, error }`, `{ gaveUp: id }`, `{ done: id }`. Those of finished jobs go as the
 * oldest ones do; a job that stays long is written again at the end, so that it does not keep the file long.
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
}

const SEGMENT_BYTES = 1024 * 1024;
/** Records of which a job that is kept may be the oldest before it is written again. */
const RECORDS_BEFORE_REWRITE = 4096;

/** See the top of the file. */
export class JobFile {
  private readonly log: AppendLog;
  private readonly path: string;
  /** By id, in the order of ids. */
  private readonly kept = new Map<number, Kept>();
  private newest = 0;
  private nextId = 1;

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
  waiting(): Job[] {
    return this.jobs(false);
  }

  /** Jobs that are not tried any more. */
  givenUp(): Job[] {
    return this.jobs(true);
  }

  /** The number that the next new job gets. */
  takeId(): number {
    return this.nextId++;
  }

  get(id: number): Job | undefined {
    return this.kept.get(id)?.job;
  }

  /** Writes a job, or in the place of one with its id. Durable when fulfilled. @throws as `AppendLog.appendAsync` */
  async put(job: Job, gaveUp = false): Promise<void> {
    const position = await this.append(gaveUp ? { add: job, gaveUp } : { add: job });
    this.kept.set(job.id, { job, position, gaveUp });
  }

  /** A job has failed. @throws as `put` */
  async noteFailure(id: number, failures: number, error: string): Promise<void> {
    await this.append({ failed: id, failures, error });
    this.change(id, { failures, lastError: error });
  }

  /** It is not tried any more. @throws as `put` */
  async giveUp(id: number): Promise<void> {
    await this.append({ gaveUp: id });
    const kept = this.kept.get(id);
    if (kept !== undefined) kept.gaveUp = true;
  }

  /** It is done. Harmless when it is not there. @throws as `put` */
  async remove(id: number): Promise<void> {
    if (!this.kept.has(id)) return;
    await this.append({ done: id });
    this.kept.delete(id);
    await this.tidy();
  }

  close(): void {
    this.log.close();
  }

  private jobs(gaveUp: boolean): Job[] {
    return [...this.kept.values()].filter((kept) => kept.gaveUp === gaveUp).map(({ job }) => job);
  }

  private change(id: number, change: Partial<Job>): void {
    const kept = this.kept.get(id);
    if (kept !== undefined) kept.job = { ...kept.job, ...change };
  }

  private async append(record: JobRecord): Promise<number> {
    const position = await this.log.appendAsync(new TextEncoder().encode(JSON.stringify(record)));
    this.newest = Math.max(this.newest, position);
    return position;
  }

  /** Gives up records that no job needs. */
  private async tidy(): Promise<void> {
    for (const kept of [...this.kept.values()]) {
      if (this.newest - kept.position < RECORDS_BEFORE_REWRITE) continue;
      await this.put(kept.job, kept.gaveUp);
    }
    const oldest = Math.min(this.newest + 1, ...[...this.kept.values()].map(({ position }) => position));
    this.log.truncateBefore(oldest);
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
      const { add: job, gaveUp = false } = record;
      this.kept.delete(job.id); // the order of ids is that of the map
      this.kept.set(job.id, { job, position, gaveUp });
      this.nextId = Math.max(this.nextId, job.id + 1);
    } else if ('failed' in record) this.change(record.failed, { failures: record.failures, lastError: record.error });
    else if ('done' in record) this.kept.delete(record.done);
    else {
      const kept = this.kept.get(record.gaveUp);
      if (kept !== undefined) kept.gaveUp = true;
    }
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
  const { id, kind, payload, key, addedMs, failures } = job as Record<string, unknown>;
  return (
    isCount(id) &&
    typeof kind === 'string' &&
    payload !== undefined &&
    (key === undefined || typeof key === 'string') &&
    typeof addedMs === 'number' &&
    isCount(failures)
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
