// Kills one of several processes before each of its visible calls, lets the others go on, and takes crash images on the way.
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, Random, SimDisk } from '@sombra/vfs/testing';
import type { CrashPolicy } from '@sombra/vfs/testing';
import type { Succession } from './successions.ts';
import { BrokenPromise, World } from './world.ts';

/** How thorough a sweep is. */
export interface KillOptions {
  readonly seed: number;
  /** Kills before every so many calls, from `first` on. */
  readonly stride: number;
  readonly first: number;
  /** Images of random policies when it died, besides the death of all processes. Every second time there is one in the end, too. */
  readonly images: number;
  /** The disk as each process sees it; for faults that have to be noticed. */
  readonly seen?: (disk: Vfs) => Vfs;
}

/** What was tried. */
export interface KillCount {
  kills: number;
  images: number;
}

/**
 * Kills process `victim` of a succession before each of its visible calls.
 * @throws BrokenPromise for the first promise that is not kept
 */
export async function killSweep(succession: Succession, victim: number, options: KillOptions): Promise<KillCount> {
  const count: KillCount = { kills: 0, images: 0 };
  for (let call = options.first; ; call += options.stride) {
    const where = `${succession.name}, seed ${options.seed}, process ${victim} dies before its call ${call}`;
    try {
      if (!(await killOnce(succession, victim, call, options, count, where))) return count;
    } catch (error) {
      throw error instanceof BrokenPromise
        ? new BrokenPromise(`${where}: ${error.message}`, { cause: error })
        : new BrokenPromise(`${where}: ${String(error)}`, { cause: error });
    }
  }
}

/** @returns false when the process lived to the end */
async function killOnce(
  succession: Succession,
  victim: number,
  call: number,
  options: KillOptions,
  count: KillCount,
  where: string,
): Promise<boolean> {
  const random = new Random(options.seed).fork(`${succession.name} ${call}`);
  const world = new World(
    new SimDisk({ seed: options.seed }),
    new Random(options.seed),
    succession.options,
    options.seen,
  );
  const { vfs } = world.process(victim);
  vfs.dieBefore = call;
  vfs.tornSectors = random.chance(0.5) ? random.below(12) : 0;
  const crash = (when: string, policy?: CrashPolicy): void => {
    count.images += 1;
    world.tryCrash(`${where}, ${when}`, policy, random.fork(`${when} ${count.images}`));
  };
  if (call % 4 === 0) {
    world.onAcknowledged = () => {
      world.onAcknowledged = undefined;
      crash('when a commit is acknowledged', random.pick(CRASH_POLICIES));
    };
  }
  await succession.run(world);
  if (!vfs.dead) {
    world.discard();
    return false;
  }
  count.kills += 1;
  crash(`after ${vfs.deathbed}`);
  for (let i = 0; i < options.images; i += 1) crash(`after ${vfs.deathbed}`, random.pick(CRASH_POLICIES));
  await world.finish();
  if (count.kills % 2 === 0) crash('in the end', random.pick(CRASH_POLICIES));
  world.closeAll();
  return true;
}
