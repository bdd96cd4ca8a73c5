/** This thread's end of the loading thread. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort, Transferable } from 'node:worker_threads';
import { CorruptionError, SombraError } from '@sombra/vfs';
import type { Feed, LoadResult, LoadTask, Report, RowError, RowPlace } from './messages.ts';
import { receivedError } from '../errors/sent-error.ts';
import { GIVE_UP, SENT } from './messages.ts';

/** Messages on their way, at most: bounds memory when the engine is slower than the files. */
const WINDOW = 16;

/** A row that the engine refuses, for example for a label that is too long. */
export class RefusedRow extends Error {
  readonly row: RowPlace;
  readonly error: SombraError;

  constructor(row: RowPlace, error: SombraError) {
    super(error.message);
    this.row = row;
    this.error = error;
  }
}

/** What the loading thread tells meanwhile. */
export interface LoaderEvents {
  progress(phase: string, rows: number): void;
  warning(code: string, message: string): void;
}

/** Starts the loading thread, feeds it, and gives its result. */
export class Loader {
  /** Is the database open, and does it hold nothing yet? */
  openedEmpty = false;
  /** Settles when the thread has ended and the database is closed. undefined: it was given up. */
  readonly result: Promise<LoadResult | undefined>;

  private readonly shared = new Int32Array(new SharedArrayBuffer(8));
  private readonly port: MessagePort;
  private readonly worker: Worker;
  private readonly events: LoaderEvents;
  private underway = 0;
  private wake: (() => void) | undefined;
  private opened = false;
  private killWhenOpened = false;
  private outcome: { result: LoadResult | undefined } | { error: Error } | undefined;

  constructor(database: string, maxTransactionPages: number | undefined, events: LoaderEvents) {
    this.events = events;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const task: LoadTask = { database, maxTransactionPages, shared: this.shared, port: port2 };
    this.worker = new Worker(new URL('./load-worker.js', import.meta.url), { workerData: task, transferList: [port2] });
    this.worker.on('message', (report: Report) => this.receive(report));
    this.result = new Promise((resolve, reject) => {
      this.worker.on('error', (error) => (this.outcome = { error }));
      this.worker.on('exit', (code) => {
        this.port.close();
        const outcome = this.outcome ?? { error: new Error(`the loading thread ended with ${code}`) };
        this.outcome = outcome;
        this.wake?.();
        if ('error' in outcome) reject(outcome.error);
        else resolve(outcome.result);
      });
    });
    // The feeding side looks at it when it is done; until then it is no unhandled rejection.
    this.result.catch(() => undefined);
  }

  /**
   * Sends a message, when there is room for it.
   * @returns false when nothing more is wanted, because the thread has ended or was given up
   */
  async send(feed: Feed): Promise<boolean> {
    while (this.underway >= WINDOW && this.outcome === undefined) {
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    if (this.outcome !== undefined || this.givenUp) return false;
    const transfer: Transferable[] =
      feed.kind === 'edges' ? [feed.sources.buffer as ArrayBuffer, feed.targets.buffer as ArrayBuffer] : [];
    this.port.postMessage(feed, transfer);
    this.underway += 1;
    this.notify();
    return true;
  }

  get givenUp(): boolean {
    return Atomics.load(this.shared, GIVE_UP) === 1;
  }

  /** Tells the thread to roll back, close and end. `result` says when it has. */
  giveUp(): void {
    Atomics.store(this.shared, GIVE_UP, 1);
    this.notify();
    this.wake?.();
  }

  /**
   * Ends the thread wherever it is, as a crash would; but not before it has told what it opened: only it knows whether a file
   * that it leaves is its own.
   */
  async kill(): Promise<void> {
    this.killWhenOpened = true;
    if (!this.opened) return;
    this.outcome ??= { result: undefined };
    await this.worker.terminate();
  }

  private notify(): void {
    Atomics.add(this.shared, SENT, 1);
    Atomics.notify(this.shared, SENT);
  }

  private receive(report: Report): void {
    switch (report.kind) {
      case 'opened':
        this.openedEmpty = report.empty;
        this.opened = true;
        if (this.killWhenOpened) void this.kill();
        return;
      case 'consumed':
        this.underway -= 1;
        this.wake?.();
        return;
      case 'progress':
        this.events.progress(report.phase, report.rows);
        return;
      case 'warning':
        this.events.warning(report.code, report.message);
        return;
      case 'done':
        this.outcome = { result: report.result };
        return;
      case 'given-up':
        this.outcome = { result: undefined };
        this.wake?.();
        return;
      case 'failed':
        this.outcome = { error: revive(report.error) };
        this.wake?.();
        return;
    }
  }
}

function revive(sent: RowError): Error {
  const error = receivedError(sent);
  const refused = sent.row !== undefined && error instanceof SombraError && !(error instanceof CorruptionError);
  return refused ? new RefusedRow(sent.row, error) : error;
}
