// Many scheduled runs, and what they have tried together.
import type { ExpectStatic } from 'vitest';
import { Broken } from './ledger.ts';
import { runSchedule } from './schedule-run.ts';

/** Parts of a list, each with its first and its last element. */
export function groupsOf(list: readonly number[], size: number): [first: number, last: number, group: number[]][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => {
    const group = list.slice(at * size, (at + 1) * size);
    return [group[0]!, group[group.length - 1]!, group];
  });
}

export class Schedules {
  private readonly sum = {
    runs: 0,
    steps: 0,
    commits: 0,
    kills: 0,
    images: 0,
    refusals: 0,
    requested: 0,
    late: 0,
    failures: 0,
    interruptions: 0,
  };
  private readonly traces = new Set<number>();
  private longest = 0;
  private readonly started = process.cpuUsage();

  /** Runs one schedule. @throws Broken, naming the seed */
  async run(seed: number): Promise<void> {
    try {
      const result = await runSchedule(seed);
      this.sum.runs += 1;
      this.sum.steps += result.steps;
      this.sum.commits += result.commits;
      this.sum.kills += result.kills;
      this.sum.images += result.images;
      this.sum.refusals += result.refusals;
      this.sum.requested += result.requested;
      this.sum.late += result.late;
      this.sum.failures += result.failures;
      this.sum.interruptions += result.interruptions;
      this.traces.add(result.trace);
      this.longest = Math.max(this.longest, result.steps);
    } catch (error) {
      throw new Broken(`seed ${seed}: ${String(error)}`, { cause: error });
    }
  }

  summary(): string {
    const { runs, steps, commits, kills, images, refusals, requested, late, failures, interruptions } = this.sum;
    const { user, system } = process.cpuUsage(this.started);
    return `schedules: ${runs}, ${this.traces.size} of them different, ${steps} steps, at most ${this.longest} in one; ${commits} commits, ${kills} kills, ${interruptions} interruptions, ${refusals} refusals, ${requested} checkpoints in turns, ${late} transactions that took too long, ${failures} failed syncs, ${images} crash images; ${Math.round((user + system) / 1_000_000)} s of one core, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`;
  }

  /** Was everything tried that so many runs should try? */
  expectFloor(expect: ExpectStatic, runs: number): void {
    expect(this.sum.runs).toBe(runs);
    if (runs < 100) return; // a replay
    expect(this.traces.size).toBeGreaterThan(runs * 0.99);
    expect(this.sum.steps).toBeGreaterThan(runs * 60);
    expect(this.sum.commits).toBeGreaterThan(runs * 15);
    expect(this.sum.images).toBeGreaterThan(runs * 2);
    expect(this.sum.kills).toBeGreaterThan(runs / 5);
    expect(this.sum.interruptions).toBeGreaterThan(runs);
    expect(this.sum.refusals).toBeGreaterThan(runs);
    expect(this.sum.requested).toBeGreaterThan(runs / 2);
    expect(this.sum.failures).toBeGreaterThan(runs / 10);
    expect(this.sum.late).toBeGreaterThan(runs / 20);
  }
}
