/** This thread's end of creating an index. */
import { Worker } from 'node:worker_threads';
import type { IndexPhase } from '@sombra/db';
import { receivedError } from '../errors/sent-error.ts';
import type { IndexReport, IndexTask } from './messages.ts';

/** What the thread tells meanwhile, and what ends it. */
export interface IndexEvents {
  /** Asks for a clean end. */
  readonly signal: AbortSignal;
  progress(phase: IndexPhase, rows: number): void;
  warning(code: string, message: string): void;
}

/**
 * Creates an index.
 * @returns created: false when there was this index already
 * @throws what `GraphDB.createPropertyIndex` throws; StateError SOMBRA_ABORTED after the signal
 */
export async function createIndex(
  task: Omit<IndexTask, 'stop'>,
  { signal, progress, warning }: IndexEvents,
): Promise<{ created: boolean; entries: number }> {
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const abort = (): void => void Atomics.store(stop, 0, 1);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  let outcome: { created: boolean; entries: number } | Error | undefined;
  try {
    const worker = new Worker(new URL('./create-worker.js', import.meta.url), { workerData: { ...task, stop } });
    await new Promise<void>((resolve, reject) => {
      worker.on('error', reject).on('exit', () => resolve());
      worker.on('message', (report: IndexReport) => {
        if (report.kind === 'progress') progress(report.phase, report.rows);
        else if (report.kind === 'warning') warning(report.code, report.message);
        else outcome = report.kind === 'done' ? report : receivedError(report.error);
      });
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
  if (outcome === undefined) throw new Error('the thread that creates the index ended without a result');
  if (outcome instanceof Error) throw outcome;
  return { created: outcome.created, entries: outcome.entries };
}
