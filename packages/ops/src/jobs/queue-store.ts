/**
 * Where better-queue keeps its tasks: ids of jobs, in memory, over the file that has the jobs. Which ones run is not kept over a crash, so that they
 * begin again.
 */
import type { JobFile } from './job-file.ts';

/** A task of better-queue. */
export interface QueuedTask {
  readonly id: number;
}

type Callback<T = undefined> = (error: unknown, result?: T) => void;

/** The store that better-queue asks for. Its calls never fail: what can fail is written before and after them. */
export class QueueStore {
  private readonly order: string[];
  private readonly running = new Map<string, Record<string, QueuedTask>>();
  private locks = 0;

  constructor(file: JobFile) {
    this.order = file.waiting().map(({ id }) => String(id));
  }

  connect(done: Callback<number>): void {
    done(null, this.order.length);
  }

  getTask(id: string, done: Callback<QueuedTask>): void {
    done(null, this.order.includes(String(id)) ? { id: Number(id) } : undefined);
  }

  putTask(id: string, _task: QueuedTask, _priority: unknown, done: Callback): void {
    if (!this.order.includes(String(id))) this.order.push(String(id));
    done(null);
  }

  deleteTask(id: string, done: Callback): void {
    const at = this.order.indexOf(String(id));
    if (at >= 0) this.order.splice(at, 1);
    done(null);
  }

  takeFirstN(count: number, done: Callback<string>): void {
    const lock = String((this.locks += 1));
    const taken = this.order.splice(0, count);
    if (taken.length > 0) this.running.set(lock, Object.fromEntries(taken.map((id) => [id, { id: Number(id) }])));
    done(null, lock);
  }

  getLock(lock: string, done: Callback<Record<string, QueuedTask>>): void {
    done(null, this.running.get(lock));
  }

  getRunningTasks(done: Callback<Record<string, Record<string, QueuedTask>>>): void {
    done(null, {});
  }

  releaseLock(lock: string, done: Callback): void {
    this.running.delete(lock);
    done(null);
  }
}
