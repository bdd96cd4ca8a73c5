// Lets one sync of a file fail within a script: what it should have made durable never reaches the disk, although reads see it.
import { CRASH_POLICIES, Random, SimDisk } from '@sombra/vfs/testing';
import type { Succession } from './successions.ts';
import { BrokenPromise, World } from './world.ts';

/** What happens after the failure. */
export type Aftermath =
  /** All close; the next opener recovers. */
  | 'close'
  /** The connections that have it open stay; the next opener cures it in place. */
  | 'cure'
  /** The process whose sync failed dies before it can report it; the others go on. */
  | 'die';

const REFUSALS = new Set(['SOMBRA_SYNC', 'SOMBRA_COMMIT_UNKNOWN', 'SOMBRA_LOCK_POISONED', 'SOMBRA_BUSY']);

/** @returns failures and images tried */
export async function syncFailures(
  succession: Succession,
  aftermath: Aftermath,
  options: { readonly seed: number; readonly first: number; readonly stride: number },
): Promise<{ failures: number; images: number }> {
  const count = { failures: 0, images: 0 };
  for (let number = options.first; ; number += options.stride) {
    const where = `${succession.name}, seed ${options.seed}, sync ${number} fails, then ${aftermath}`;
    try {
      if (!(await failOnce(succession, aftermath, number, options.seed, count, where))) return count;
    } catch (error) {
      throw new BrokenPromise(`${where}: ${error instanceof BrokenPromise ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

async function failOnce(
  succession: Succession,
  aftermath: Aftermath,
  number: number,
  seed: number,
  count: { failures: number; images: number },
  where: string,
): Promise<boolean> {
  const random = new Random(seed).fork(`${succession.name} ${number}`);
  const disk = new SimDisk({ seed });
  const world = new World(disk, new Random(seed), succession.options);
  world.tolerated = REFUSALS;
  let failed = '';
  let syncs = 0;
  disk.syncFault = (path) => {
    // Not the database itself as it is created; and what a failed sync of a directory leaves is not modelled.
    if (path === '.' || path.includes('.tmp-')) return undefined;
    syncs += 1;
    if (syncs !== number) return undefined;
    failed = path;
    world.syncFails();
    if (aftermath === 'die') {
      const culprit = world.processes.find(({ vfs }) => vfs.syncing);
      if (culprit !== undefined) culprit.vfs.dieBefore = culprit.vfs.calls + 1;
    }
    return { errno: 'EIO', reached: random.pick(['nothing', 'some'] as const) };
  };
  const crash = (when: string): void => {
    count.images += 1;
    world.tryCrash(`${where} (${failed}), ${when}`, random.pick(CRASH_POLICIES), random.fork(when));
  };
  await succession.run(world);
  if (failed === '') {
    world.discard();
    return false;
  }
  count.failures += 1;
  await world.pause(8);
  if (aftermath !== 'die') {
    for (const process of world.open) {
      await world.pause();
      world.read(process);
    }
    const refused = world.refusals;
    for (const process of world.open) world.commit(process);
    // A failure while a database was created, opened or closed concerns only the process that did that.
    const poisoned = world.refusals > refused;
    for (const process of world.open) while (process.snapshots.length > 0) world.release(process);
    await world.pause(8);
    if (aftermath === 'close') for (const process of world.open) world.close(process);
    crash('before recovery');
    const next = world.process(world.processes.length);
    world.tolerated = new Set();
    world.openBy(next);
    world.read(next);
    if (poisoned && aftermath === 'cure')
      for (const process of world.open.filter(({ pager }) => pager!.poisoned)) world.close(process);
  }
  world.tolerated = new Set();
  await world.finish();
  crash('in the end');
  world.closeAll();
  return true;
}
