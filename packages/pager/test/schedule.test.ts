// Goal: in whatever order syncs, deferred calls and timers of several processes come, acknowledged commits stay, every read sees one
// commit and never an older one than before, a process that does nothing keeps nothing, and everything comes to an end.
// Method: two to four processes on one simulated disk; a seed picks every step (SimSchedule of vfs), interrupts and kills processes, sets
// the clock both ways, lets a sync and the power fail; a ledger knows what was promised. Faults of the platform have to be noticed.
import type { ScheduledEnv } from '@sombra/vfs/testing';
import { SimDisk, SimProcess, SimSchedule } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Pager } from '../src/index.ts';
import { CANARIES } from './support/breakages.ts';
import { codeOf, newPage, openPager, write } from './support/open.ts';
import { seeds } from './support/random.ts';
import { runSchedule } from './support/schedule-run.ts';
import { groupsOf, Schedules } from './support/schedules.ts';

const SEEDS = seeds(500);
const schedules = new Schedules();

describe('schedules', () => {
  test.each(groupsOf(SEEDS, 50))('seeds %i to %i', async (_first, _last, group) => {
    for (const seed of group) await schedules.run(seed);
  });

  test('the floor is reached', () => {
    console.log(schedules.summary());
    schedules.expectFloor(expect, SEEDS.length);
  });
});

test('one seed is one schedule, down to the bytes on the disk; another seed is another', async () => {
  const [first, again, other] = [await runSchedule(7), await runSchedule(7), await runSchedule(8)];
  expect(again).toEqual(first);
  expect(other.trace).not.toBe(first.trace);
  expect(other.disk).not.toBe(first.disk);
});

test('a process that blocks for WRITE, which another one keeps until a promise is followed, is refused in time and gets it later', async () => {
  let refusals = 0;
  for (let seed = 0; seed < 40; seed += 1) {
    const schedule = new SimSchedule({ seed });
    const disk = new SimDisk({ seed });
    const [a, b] = [schedule.process(100), schedule.process(101)];
    const open = (env: ScheduledEnv): Pager => openPager({ busyTimeoutMs: 30 }, new SimProcess(disk, env));
    const done: string[] = [];
    a.task(() => {
      const pager = open(a);
      const tx = pager.begin();
      newPage(tx, 1);
      tx.commitAsync().then(
        () => done.push('a'),
        (error: unknown) => done.push(String(error)),
      );
    });
    const attempt = (pager: Pager) => (): void => {
      const before = b.monotonicMs();
      const code = codeOf(() => write(pager, (tx) => newPage(tx, 2)));
      if (code === 'no error') return void done.push('b');
      expect(code).toBe('SOMBRA_BUSY');
      expect(b.monotonicMs() - before).toBeGreaterThanOrEqual(30);
      refusals += 1;
      b.task(attempt(pager), 1);
    };
    b.task(() => attempt(open(b))());
    await schedule.run();
    expect(done.sort()).toEqual(['a', 'b']);
  }
  expect(refusals).toBeGreaterThan(3);
});

/** Seeds among which each fault is noticed. */
const TRIES = 40;

describe('noticed', () => {
  test.each(CANARIES)('$name', async ({ breakage, noticed }) => {
    let found: unknown;
    for (let seed = 1; seed <= TRIES && found === undefined; seed += 1) {
      await runSchedule(seed, breakage()).catch((error: unknown) => (found = error));
    }
    expect(String(found)).toMatch(noticed);
    expect(found).not.toBeInstanceOf(TypeError);
    expect((found as Error).cause).not.toBeInstanceOf(TypeError);
  });
});
