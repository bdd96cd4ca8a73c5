// Goal: a schedule keeps what a platform promises, leaves everything else to the seed, and is the same for the same seed.
// Method: a few processes that only note what they do, with many seeds; each promise is looked for in every order that comes.
import { describe, expect, test } from 'vitest';
import { Random, ScheduleError, SimDisk, SimProcess, SimSchedule } from '../src/testing/index.ts';

const SEEDS = Array.from({ length: 60 }, (_, seed) => seed);

/** Runs something with every seed, and gives the orders that came. */
async function orders(start: (note: (what: string) => void, schedule: SimSchedule) => void): Promise<string[]> {
  const found: string[] = [];
  for (const seed of SEEDS) {
    const noted: string[] = [];
    const schedule = new SimSchedule({ seed });
    start((what) => noted.push(what), schedule);
    await schedule.run();
    found.push(noted.join(' '));
  }
  return found;
}

const sorted = (list: readonly string[]): string[] => [...new Set(list)].sort();

describe('order', () => {
  test('tasks and deferred calls of one process run in turn, and in any order beside each other', async () => {
    const found = await orders((note, schedule) => {
      const env = schedule.process(2);
      for (const name of ['t1', 't2']) env.task(() => note(name));
      for (const name of ['d1', 'd2']) env.defer(() => note(name));
    });
    expect(sorted(found)).toEqual([
      'd1 d2 t1 t2',
      'd1 t1 d2 t2',
      'd1 t1 t2 d2',
      't1 d1 d2 t2',
      't1 d1 t2 d2',
      't1 t2 d1 d2',
    ]);
  });

  test('timers of one process fire by their time, equal ones as they were set, none before its time', async () => {
    const found = await orders((note, schedule) => {
      const env = schedule.process(2);
      const set = (name: string, ms: number): unknown => {
        const due = env.monotonicMs() + ms;
        return env.setTimer(() => note(env.monotonicMs() >= due ? name : `${name} too early`), ms);
      };
      set('5', 5);
      set('3a', 3);
      set('3b', 3);
      env.clearTimer(set('cleared', 4));
      schedule.process(3).task(() => schedule.jumpWall(-100_000));
    });
    expect(sorted(found)).toEqual(['3a 3b 5']);
  });

  test('two processes move in any order', async () => {
    const found = await orders((note, schedule) => {
      for (const [pid, name] of ['a', 'b', 'c'].entries()) schedule.process(2 + pid).task(() => note(name));
    });
    expect(sorted(found)).toHaveLength(6);
  });

  test('syncs end in any order, and what their end fulfils is followed before the next step of the process', async () => {
    const found = await orders((note, schedule) => {
      const disk = new SimDisk({ seed: 1 });
      const env = schedule.process(2);
      const file = new SimProcess(disk, env).open('a', { write: true, create: true });
      for (const name of ['1', '2']) {
        file.syncAsync('data').then(
          () => {
            note(`end-${name}`);
            env.defer(() => note('after'));
          },
          (error: unknown) => note(String(error)),
        );
      }
    });
    for (const order of found) expect(order).toMatch(/^end-(1|2) (after )?end-/);
    expect(sorted(found)).toHaveLength(4);
  });

  test('what a sync covers is durable when it ends, not before', async () => {
    const durable = await orders((note, schedule) => {
      const disk = new SimDisk({ seed: 1 });
      const env = schedule.process(2);
      const file = new SimProcess(disk, env).open('a', { write: true, create: true });
      disk.syncDir('.');
      file.pwrite([new Uint8Array([1])], 0);
      const look = (): number => disk.crash('none', new Random(1)).stat('a')!.size;
      note(String(look()));
      file.syncAsync('data').then(
        () => note(`end ${look()}`),
        (error: unknown) => note(String(error)),
      );
    });
    expect(sorted(durable)).toEqual(['0 end 1']);
  });
});

describe('a process that blocks', () => {
  test('lets others move on top of it, and never itself', async () => {
    const found = await orders((note, schedule) => {
      const [a, b] = [schedule.process(2), schedule.process(3)];
      a.task(() => {
        note('a');
        a.sleep(50);
        note('/a');
      });
      a.defer(() => note('own'));
      b.setTimer(() => note('b'), 10);
    });
    for (const order of found) expect(order).not.toMatch(/(^| )a (b )?own/);
    expect(sorted(found)).toContain('a b /a own');
    expect(sorted(found)).toContain('own a /a b');
  });

  test('waits as long as it asked for, also below one that blocks on top of it', async () => {
    const found = await orders((note, schedule) => {
      for (const pid of [2, 3, 4]) {
        const env = schedule.process(pid);
        env.task(() => {
          const before = env.monotonicMs();
          env.sleep(20);
          note(env.monotonicMs() - before >= 20 ? 'slept' : 'woken');
        });
      }
    });
    expect(sorted(found)).toEqual(['slept slept slept']);
  });

  test('for something that only a promise could end it waits in vain, and comes to its end', async () => {
    const found = await orders((note, schedule) => {
      const [a, b] = [schedule.process(2), schedule.process(3)];
      let free = false;
      const file = new SimProcess(new SimDisk({ seed: 1 }), b).open('a', { write: true, create: true });
      b.task(() => {
        file.syncAsync('data').then(
          () => (free = true),
          (error: unknown) => note(String(error)),
        );
      });
      const attempt = (): void => {
        for (let tries = 0; !free && tries < 5; tries += 1) a.sleep(3);
        note(free ? 'got it' : 'refused');
        if (!free) a.task(attempt, 2);
      };
      a.task(attempt);
    });
    for (const order of found) expect(order).toMatch(/^(refused )*got it$/);
    expect(sorted(found).length).toBeGreaterThan(1);
  });

  test('is not reached by what fails on top of it', async () => {
    for (const seed of SEEDS) {
      const schedule = new SimSchedule({ seed });
      const [a, b] = [schedule.process(2), schedule.process(3)];
      let reached = false;
      a.task(() => {
        try {
          a.sleep(50);
        } catch {
          reached = true;
        }
      });
      b.task(() => {
        throw new RangeError('of b');
      });
      await expect(schedule.run()).rejects.toThrow(/process 3, task, step \d: RangeError: of b/);
      expect(reached).toBe(false);
    }
  });
});

test('one clock for all: it passes for every process, and a jump moves the time of day alone', async () => {
  const schedule = new SimSchedule({ seed: 1, wallTimeMs: 1_000_000 });
  const [a, b] = [schedule.process(2), schedule.process(3)];
  const [startA, startB] = [a.monotonicMs(), b.monotonicMs()];
  expect(startA).not.toBe(startB);
  a.task(() => a.sleep(100));
  b.task(() => schedule.jumpWall(-5000));
  await schedule.run();
  expect(a.monotonicMs() - startA).toBe(b.monotonicMs() - startB);
  expect(a.wallTimeMs()).toBe(b.wallTimeMs());
  expect(a.wallTimeMs()).toBe(Math.floor(1_000_000 - 5000 + schedule.now));
});

test('a process that dies has no next step; its syncs happen or not, and nobody is told', async () => {
  const sizes = await orders((note, schedule) => {
    const disk = new SimDisk({ seed: 1 });
    const [victim, other] = [schedule.process(2), schedule.process(3)];
    const file = new SimProcess(disk, victim).open('a', { write: true, create: true });
    disk.syncDir('.');
    file.pwrite([new Uint8Array([1])], 0);
    const told = (): void => note('told');
    file.syncAsync('data').then(told, told);
    victim.defer(told);
    victim.task(told);
    victim.setTimer(told, 1);
    victim.stop();
    victim.defer(told);
    expect([other.identify(2), other.identify(3)]).toEqual([null, 'simulated']);
    note(String(disk.crash('none', new Random(1)).stat('a')!.size));
  });
  expect(sorted(sizes)).toEqual(['0', '1']);
});

test('the same seed is the same trace, another seed another', async () => {
  const trace = async (seed: number): Promise<[number, readonly string[]]> => {
    const schedule = new SimSchedule({ seed });
    for (const pid of [2, 3, 4]) {
      const env = schedule.process(pid);
      const again = (left: number) => (): void => {
        if (left > 0) env.setTimer(again(left - 1), left);
        env.defer(() => env.sleep(1));
      };
      env.task(again(5));
    }
    await schedule.run();
    return [schedule.traceHash, schedule.trace];
  };
  expect(await trace(1)).toEqual(await trace(1));
  const hashes = await Promise.all(SEEDS.map(async (seed) => (await trace(seed))[0]));
  expect(new Set(hashes).size).toBe(SEEDS.length);
});

test('what does not end is told, with the last steps', async () => {
  const schedule = new SimSchedule({ seed: 1, stepsMax: 100 });
  const env = schedule.process(2);
  const again = (): unknown => env.setTimer(again, 2);
  again();
  await expect(schedule.run()).rejects.toThrow(ScheduleError);
  await expect(schedule.run()).rejects.toThrow(/does not end: 10\d steps[^]*2 timer/);
});
