/**
 * Where better-queue keeps its tasks: ids of jobs, in memory, over the file that has the jobs. Which ones run is not kept over a crash, so that they
 * begin again.
 */
/** A task of better-queue. */
export interface QueuedTask {
  readonly id: number;
}

type Callback<T = undefined> = (error: unknown, result?: T) => void;

/** The store that better-queue asks for. Its calls never fail: what can fail is written before and after them. */
export class QueueStore {
  /** Tasks that no worker has taken, in their order. */
  private readonly order = new Set<string>();
  private readonly running = new Map<string, Record<string, QueuedTask>>();
  private locks = 0;

  connect(done: Callback<number>): void {
    done(null, this.order.size);
  }

  getTask(id: unknown, done: Callback<QueuedTask>): void {
    done(null, this.order.has(String(id)) ? { id: Number(id) } : undefined);
  }

  putTask(id: unknown, _task: QueuedTask, _priority: unknown, done: Callback): void {
    this.order.add(String(id));
    done(null);
  }

  deleteTask(id: unknown, done: Callback): void {
    this.order.delete(String(id));
    done(null);
  }

  takeFirstN(count: number, done: Callback<string>): void {
    const lock = String((this.locks += 1));
    const taken: Record<string, QueuedTask> = {};
    let left = count;
    for (const id of this.order) {
      if ((left -= 1) < 0) break;
      this.order.delete(id);
      taken[id] = { id: Number(id) };
    }
    if (Object.keys(taken).length > 0) this.running.set(lock, taken);
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
