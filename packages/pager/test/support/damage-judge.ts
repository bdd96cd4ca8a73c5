// What opening and reading a damaged database may give: the right answer, or an error of a kind that says so.
import { CorruptionError, DataError } from '@sombra/vfs';
import { Pager } from '../../src/index.ts';
import type { Damage, Specimen } from './damage.ts';
import { load } from './damage.ts';
import { PATH, TINY } from './life.ts';
import type { ModelState } from './model.ts';
import { compareCounters, comparePage, compareTrees } from './model.ts';

/** How a case went. */
export type Verdict = 'refused' | 'some pages refused' | 'unharmed' | 'older';

/** A damaged file gave a wrong answer, or an error that does not say what is wrong. */
export class WrongAnswer extends Error {
  static {
    this.prototype.name = 'WrongAnswer';
  }
}

/** Opens, reads everything, writes, closes, opens again and reads everything. @throws WrongAnswer */
export function judgeDamage(specimen: Specimen, damage: Damage): Verdict {
  const vfs = load(damage.files);
  const options = { vfs, path: PATH, ...TINY, pageSize: undefined, ...specimen.options, createIfMissing: false };
  const open = (): Pager | undefined => honest('open', () => Pager.open(options));
  const pager = open();
  if (pager === undefined) return 'refused';
  const { lsn } = pager.view;
  const state = specimen.promised.states.get(lsn);
  if (state === undefined || lsn < oldest(specimen, damage) || lsn > specimen.promised.newest) {
    throw new WrongAnswer(`opened as of commit ${lsn} of ${specimen.promised.newest}`);
  }
  let refused = read(pager, state);
  pager.check(); // whatever it finds, it finds without throwing
  // Commits to come must not make good pages of those that are not.
  const counters = [...state.counters];
  counters[9] = 4711;
  const tx = honest('begin', () => pager.begin());
  const committed = tx !== undefined && honest('commit', () => (tx.setCounter(9, 4711), tx.commit())) !== undefined;
  const after = committed ? { ...state, counters } : state;
  refused += read(pager, after);
  honest('close', () => pager.close());
  const again = open();
  if (again !== undefined) {
    refused += read(again, after);
    honest('close', () => again.close());
  }
  if (lsn < specimen.promised.newest) return 'older';
  return refused > 0 || again === undefined ? 'some pages refused' : 'unharmed';
}

/**
 * Oldest commit that may be taken for the newest one. Only later records of the log show that a record was there: so damage
 * to the last one looks like a write that a crash tore (rule F6), and a log that was cut like a shorter one.
 */
export function oldest(specimen: Specimen, { file, local, cut }: Damage): number {
  const { newest, afterPowerLoss } = specimen.promised;
  // With the log in memory, a batch that cannot be read is one that was never written, unless main has pages of it.
  if (file.endsWith('-dw')) return afterPowerLoss;
  if (!file.endsWith('-wal')) return newest;
  return local && !cut ? newest - 1 : specimen.checkpoint;
}

/** Reads everything. @returns number of reads that were refused */
function read(pager: Pager, state: ModelState): number {
  const { view } = pager;
  const wrong: string[] = [...compareCounters(view, state), ...compareTrees(view, state)];
  let refused = 0;
  for (const [page, body] of state.pages) {
    const found = honest(`page ${page}`, () => comparePage(view, page, body));
    if (found === undefined) refused += 1;
    else wrong.push(...found);
  }
  if (wrong.length > 0) throw new WrongAnswer(wrong.slice(0, 3).join('; '));
  return refused;
}

const REFUSALS = new Set(['SOMBRA_NOT_A_DATABASE', 'SOMBRA_FORMAT_VERSION']);

/** Runs; undefined when it was refused because of damage. */
function honest<T>(what: string, run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    if (error instanceof DataError && REFUSALS.has(error.code)) return undefined;
    throw new WrongAnswer(`${what}: ${String((error as Error).stack ?? error)}`, { cause: error });
  }
}
