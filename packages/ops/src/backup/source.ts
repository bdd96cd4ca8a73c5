/** What is backed up, read as bytes. */
import { IoError } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { CopyChanges, DatabaseCopy } from '@sombra/pager';
import { throwIfAborted } from '../base/abort.ts';
import { nextTurn, pause } from '../base/pause.ts';
import type { Throttle } from './throttle.ts';

/** An open database: `GraphDB` of `@sombra/db`, `Pager` of `@sombra/pager`, or what wraps one. */
export interface BackupSource {
  /** Of the file, or `:memory:`. */
  readonly path: string;
  /** The newest commit, as bytes of a database file. */
  copy(): DatabaseCopy;
}

/** How a run reads. */
export interface ReadOptions {
  readonly env: VfsEnv;
  readonly throttle: Throttle;
  readonly signal: AbortSignal | undefined;
  /** @param done  bytes of the database that have been looked at */
  readonly onRead: (done: number) => void;
}

/** Bytes of the database that are read between two turns of the event loop. */
const STEP_BYTES = 256 * 1024;
const BUSY_PAUSE_MS = 5;

/**
 * Makes the commit durable in the database, before a backup says that it holds it: a later incremental one relies on it.
 * @param timeoutMs  how long to wait while others write
 * @throws as `DatabaseCopy.makeDurable`; StateError SOMBRA_ABORTED
 */
export async function makeDurable(
  copy: DatabaseCopy,
  env: VfsEnv,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const until = env.monotonicMs() + timeoutMs;
  for (;;) {
    throwIfAborted(signal);
    try {
      copy.makeDurable(0);
      return;
    } catch (error) {
      if (!(error instanceof IoError && error.code === 'SOMBRA_BUSY') || env.monotonicMs() >= until) throw error;
    }
    await pause(env, BUSY_PAUSE_MS, signal);
  }
}

/** A whole copy. @throws as `DatabaseCopy.read`; StateError SOMBRA_ABORTED */
export async function* bytesOfCopy(
  copy: DatabaseCopy,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { env, throttle, signal, onRead } = options;
  while (copy.done < copy.size) {
    throwIfAborted(signal);
    // Others may keep the bytes for a while.
    const step = new Uint8Array(Math.max(STEP_BYTES, copy.pageSize));
    const count = copy.read(step);
    yield step.subarray(0, count);
    onRead(copy.done);
    await throttle.passed(count);
    await nextTurn(env);
  }
}

/** Changes. What is read counts for the throttle, whether it has changed or not. @throws as `bytesOfCopy` */
export async function* bytesOfChanges(
  changes: CopyChanges,
  pageSize: number,
  options: ReadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { env, throttle, signal, onRead } = options;
  yield changes.header();
  while (!changes.ended) {
    throwIfAborted(signal);
    const step = new Uint8Array(Math.max(STEP_BYTES, pageSize));
    const before = changes.done;
    const count = changes.read(step);
    if (count > 0) yield step.subarray(0, count);
    onRead(changes.done);
    await throttle.passed(changes.done - before);
    await nextTurn(env);
  }
}
