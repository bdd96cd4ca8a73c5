// One life with a fault somewhere: each step may fail, with a typed error; what must hold then is looked at, and life goes on.
import { SombraError } from '@sombra/vfs';
import type { LifeOptions } from './life.ts';
import { Life, PATH } from './life.ts';
import { compare, examine } from './model.ts';
import type { WrappedVfs } from './wrapped-vfs.ts';

type Step = 'open' | 'close' | ((life: Life) => void);

/** Everything that touches files, a little of each. */
const STEPS: readonly Step[] = [
  'open',
  (life) => life.commit(3),
  (life) => life.fill(2),
  (life) => life.checkpoint(),
  (life) => life.commit(3),
  (life) => life.fill(4), // a new segment
  (life) => life.snapshot(),
  (life) => life.commit(2),
  (life) => life.releaseSnapshots(),
  (life) => life.bulk(2),
  (life) => life.checkpoint(),
  (life) => life.commit(2),
  'close',
  'open',
  (life) => life.commit(2),
  'close',
];

/** What a fault led to. */
export interface Outcome {
  /** Codes of the errors that steps threw, in order. */
  readonly codes: string[];
  poisoned: boolean;
}

/** An expectation that did not hold after a fault. */
export class WrongAfterFault extends Error {
  static {
    this.prototype.name = 'WrongAfterFault';
  }
}

/** What to do on the way. */
export interface Watcher {
  /** A step failed; its consequences are about to be looked at. */
  heal?(): void;
  /** A poisoned database was opened again. */
  reopened?(life: Life): void;
}

/** Runs the steps. @throws WrongAfterFault */
export function runWithFaults(vfs: WrappedVfs, options: LifeOptions, seed: number, watcher: Watcher): Outcome {
  const life = new Life(vfs, options, seed);
  const outcome: Outcome = { codes: [], poisoned: false };
  for (const [at, step] of STEPS.entries()) {
    try {
      if (!life.isOpen) life.open();
      if (step === 'close') life.close();
      else if (step !== 'open') step(life);
    } catch (error) {
      watcher.heal?.();
      note(outcome, life, error, `step ${at}`);
      if (settle(outcome, life, vfs, `step ${at}`)) watcher.reopened?.(life);
    }
  }
  watcher.heal?.();
  if (life.isOpen) life.close();
  if (vfs.openFiles.size > 0)
    throw new WrongAfterFault(`left open: ${[...vfs.openFiles].map(({ path }) => path).join(', ')}`);
  lookAtTheEnd(life, vfs);
  return outcome;
}

function note(outcome: Outcome, life: Life, error: unknown, where: string): void {
  if (!(error instanceof SombraError) || !/^SOMBRA_[A-Z_]+$/.test(error.code) || error.code === 'SOMBRA_INVARIANT') {
    throw new WrongAfterFault(`${where}: not a typed error of files: ${String(error)}`, { cause: error });
  }
  outcome.codes.push(error.code);
  if (error.code !== 'SOMBRA_COMMIT_UNKNOWN') life.refused();
  else if (!life.pager.poisoned)
    throw new WrongAfterFault(`${where}: a commit is in doubt, and the database is not poisoned`);
}

/** After an error: reads are right; a poisoned connection says so and is opened again, any other goes on. @returns was it opened again? */
function settle(outcome: Outcome, life: Life, vfs: WrappedVfs, where: string): boolean {
  if (!life.isOpen) {
    if (vfs.openFiles.size > 0)
      throw new WrongAfterFault(`${where}: left open: ${[...vfs.openFiles].map(({ path }) => path).join(', ')}`);
    return false;
  }
  expectNone(where, readable(life));
  if (!life.pager.poisoned) return false;
  outcome.poisoned = true;
  const { syncs } = vfs;
  expectPoisoned(where, () => life.pager.begin());
  expectPoisoned(where, () => life.pager.checkpoint());
  expectPoisoned(where, () => life.pager.bulk());
  expectNone(where, readable(life));
  life.abandon();
  if (vfs.syncs !== syncs) throw new WrongAfterFault(`${where}: a file was synced after a sync had failed`);
  life.open();
  return true;
}

/** What is wrong with reads of the newest published commit; that may be one in doubt. */
function readable(life: Life): string[] {
  const { view } = life.pager;
  view.counter(0); // now it sees a commit
  const { afterKill, newest, states } = life.promised;
  const state = states.get(view.lsn);
  if (state === undefined || view.lsn > newest || (life.keepsLog && view.lsn < afterKill))
    return [`reads see commit ${view.lsn}, not ${afterKill} to ${newest}`];
  return compare(view, state);
}

function expectPoisoned(where: string, call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if ((error as SombraError).code === 'SOMBRA_LOCK_POISONED') return;
    throw new WrongAfterFault(`${where}: poisoned, and says ${String(error)}`, { cause: error });
  }
  throw new WrongAfterFault(`${where}: poisoned, and goes on`);
}

/** Everything that was promised is there, in a file that is whole; nothing is left over. */
function lookAtTheEnd(life: Life, vfs: WrappedVfs): void {
  life.open();
  expectNone('at the end', examine(life.pager, life.state));
  life.close();
  expectNone(
    'left over at the end',
    vfs.list('.').filter((name) => name !== PATH),
  );
}

function expectNone(where: string, wrong: readonly string[]): void {
  if (wrong.length > 0) throw new WrongAfterFault(`${where}: ${wrong.slice(0, 3).join('; ')}`);
}
