/** Syncs of one connection: a failed one poisons (rule E1), and the asynchronous ones under way are counted (rule L5). */
import { isSyncFailure } from './failure.ts';
import type { VfsEnv } from '@sombra/vfs';
import type { Health } from './health.ts';
import type { Measures } from './stats.ts';

/** What can be synced: a file, or the log. */
export interface Syncing {
  sync(kind: 'data' | 'full'): void;
}

/** The syncs of one connection. */
export class Syncs {
  /** Asynchronous syncs under way: a tenure may not end while there are any, unless every file is synced once more. */
  inFlight = 0;

  private readonly health: Health;
  private readonly stats: Measures;
  private readonly env: VfsEnv;

  constructor(health: Health, stats: Measures, env: VfsEnv) {
    this.health = health;
    this.stats = stats;
    this.env = env;
  }

  /** Syncs a file. A failure poisons. */
  sync(file: Syncing): void {
    const begun = this.env.monotonicMs();
    try {
      file.sync('data');
    } catch (error) {
      this.failed(error);
      throw error;
    }
    this.count(begun);
  }

  /** Runs something that syncs; a failed sync poisons. */
  guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.failed(error);
      throw error;
    }
  }

  /** Starts an asynchronous sync, which is counted until it has been delivered. */
  async deliver(run: () => Promise<void>): Promise<void> {
    this.inFlight += 1;
    const begun = this.env.monotonicMs();
    try {
      await run();
      this.count(begun);
    } catch (error) {
      this.failed(error);
      throw error;
    } finally {
      this.inFlight -= 1;
    }
  }

  private count(begun: number): void {
    this.stats.syncs += 1;
    this.stats.latencies.sync.record(this.env.monotonicMs() - begun);
  }

  private failed(error: unknown): void {
    if (isSyncFailure(error)) this.health.poison(error);
  }
}
