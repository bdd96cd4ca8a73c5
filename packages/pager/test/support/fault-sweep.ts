// Runs a life once for each call of the file system, with that call failing.
import { FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import type { Fault, SyncFault } from '@sombra/vfs/testing';
import { runWithFaults } from './fault-run.ts';
import type { Outcome } from './fault-run.ts';
import type { LifeOptions, Promised } from './life.ts';
import { Life } from './life.ts';
import { examine } from './model.ts';
import { WrappedVfs } from './wrapped-vfs.ts';

/** What was tried. */
export class FaultCount {
  runs = 0;
  /** Runs in which the database was poisoned, and opened again. */
  poisoned = 0;
  /** Power losses after that. */
  images = 0;
}

export const MODES: [name: string, options: LifeOptions][] = [
  ['exclusive', { locking: 'exclusive' }],
  ['shared', { locking: 'shared' }],
  ['log in memory', { enableWal: false }],
  ['sync mode normal', { syncMode: 'normal', locking: 'exclusive' }],
];

/** A kind of call that fails; which one of them is counted. */
export type Kind = Omit<Fault, 'nth'>;

/**
 * Lets every call of a kind fail in turn.
 * @param oneOf  only each so many
 * @returns codes that callers saw
 */
export function sweepCalls(
  kind: Kind,
  options: LifeOptions,
  oneOf: number,
  seed: number,
  count: FaultCount,
): Set<string> {
  const codes = new Set<string>();
  for (let nth = 1 + (seed % oneOf); ; nth += oneOf) {
    const faulty = new FaultyVfs(new SimDisk({ seed }), [{ ...kind, nth }]);
    const outcome = named({ ...kind, nth, seed }, () =>
      runWithFaults(new WrappedVfs(faulty), options, seed, { heal: () => faulty.heal() }),
    );
    if (faulty.failed.length === 0) return codes;
    note(count, outcome, codes);
  }
}

/**
 * Lets every sync of a file fail in turn, once; what it should have made durable is lost, but reads still see it (as after a
 * failed write-back of the system). When the database was opened again the power fails, too. Not the syncs of directories: no
 * later sync could make such a name durable, and recovery cannot create names again.
 * @returns codes that callers saw
 */
export function sweepSyncs(
  reached: NonNullable<SyncFault['reached']>,
  options: LifeOptions,
  seed: number,
  count: FaultCount,
): Set<string> {
  const codes = new Set<string>();
  for (let nth = 1; ; nth += 1) {
    const disk = new SimDisk({ seed });
    const random = new Random(seed).fork(`sync ${nth}`);
    let syncs = 0;
    disk.syncFault = (path) => {
      if (path !== '.') syncs += 1;
      return path !== '.' && syncs === nth ? { errno: 'EIO', reached } : undefined;
    };
    const heal = (): void => void (disk.syncFault = undefined);
    const reopened = (life: Life): void => loseThePower(disk, life.promised, options, random, count);
    const outcome = named({ sync: nth, reached, seed }, () =>
      runWithFaults(new WrappedVfs(disk), options, seed, { heal, reopened }),
    );
    if (syncs < nth) return codes;
    note(count, outcome, codes);
  }
}

/** What a recovered database shows is durable, whatever only the system's cache held before. */
function loseThePower(
  disk: SimDisk,
  promised: Promised,
  options: LifeOptions,
  random: Random,
  count: FaultCount,
): void {
  for (const keep of ['none', 'random', 'all'] as const) {
    count.images += 1;
    const life = new Life(new WrappedVfs(disk.crash({ keep }, random)), options, random.next(), {
      ...promised,
      afterKill: promised.afterPowerLoss,
    });
    life.open();
    const wrong = examine(life.pager, life.state);
    if (wrong.length > 0) throw new Error(`after a power loss (${keep}): ${wrong.slice(0, 3).join('; ')}`);
    life.close();
  }
}

function note(count: FaultCount, outcome: Outcome, codes: Set<string>): void {
  count.runs += 1;
  if (outcome.poisoned) count.poisoned += 1;
  for (const code of outcome.codes) codes.add(code);
}

/** Runs, and says in the message of an error what was being tried. */
function named<T>(what: object, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`${JSON.stringify(what)}: ${String(error)}`, { cause: error });
  }
}
