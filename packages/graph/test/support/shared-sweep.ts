// Runs the scripts of shared-steps.ts once for each call of a connection, with that call failing.
import type { Fault } from '@sombra/vfs/testing';
import { SharedLife, type Begun } from './shared-life.ts';
import { PRELUDE, SCRIPTS, type Script } from './shared-steps.ts';

/** A kind of call that fails; which one of them is counted. */
export type Kind = Omit<Fault, 'nth'>;

/** A kind, and what may come of it. */
export interface KindCase {
  readonly name: string;
  readonly kind: Kind;
  /** Only each so many calls at a push. */
  readonly oneOf: number;
  /** Codes that callers see, among others; empty: no caller notices. */
  readonly expected: readonly string[];
  /** First failures that may poison the database; default any. */
  readonly poisonedBy?: RegExp;
}

const NAMES = ['open', 'link', 'rename', 'unlink'] as const;
const NOT_SHM = /^(?!.*-shm)/; // its blocks are all allocated when it is made
/** A rotation that is cut between its two renames leaves names that only recovery puts right. */
const CUT_ROTATION = /^rename g\.db-wal$/;
/** So does one that cannot look at the file it is about to name. */
const CUT_OR_UNSEEN = /^(?:rename g\.db-wal|stat g\.db-wal\.spare)$/;

/** Whatever the system refuses, once and until the end of the step. */
export const KINDS: readonly KindCase[] = [
  {
    name: 'the device fails from one call on',
    kind: { op: 'any', action: 'EIO', sticky: true },
    oneOf: 4,
    expected: ['SOMBRA_IO', 'SOMBRA_SYNC', 'SOMBRA_COMMIT_UNKNOWN'],
  },
  ...[false, true].flatMap((sticky): KindCase[] => {
    const until = sticky ? ', until the end of the step' : '';
    return [
      {
        name: `the disk is full${until}`,
        kind: { op: ['pwrite', 'truncate', ...NAMES], file: NOT_SHM, action: 'ENOSPC', sticky },
        oneOf: 1,
        expected: ['SOMBRA_DISK_FULL'],
        poisonedBy: CUT_ROTATION,
      },
      {
        name: `descriptors have run out${until}`,
        kind: { op: 'open', action: 'EMFILE', sticky },
        oneOf: 1,
        expected: ['SOMBRA_IO'],
        poisonedBy: CUT_ROTATION,
      },
      {
        name: `permission is missing${until}`,
        kind: { op: [...NAMES, 'list', 'stat'], action: 'EACCES', sticky },
        oneOf: sticky ? 2 : 1,
        expected: ['SOMBRA_PERMISSION'],
        poisonedBy: CUT_OR_UNSEEN,
      },
      {
        name: `reads and writes are short${until}`,
        kind: { op: ['pread', 'pwrite'], action: { short: 7 }, sticky },
        oneOf: 9,
        expected: [],
      },
    ];
  }),
];

/** What was tried, and what callers saw. */
export class SweepResult {
  runs = 0;
  /** Runs in which a sync failed, so that the database was opened again. */
  poisoned = 0;
  /** Operation and path of the first failure in each of these. */
  readonly poisonedBy = new Set<string>();
  readonly codes = new Set<string>();
  /** Expectations that did not hold; at most a few are kept. */
  readonly wrong: string[] = [];
}

const WRONG_KEPT = 10;

/**
 * Lets every call of a kind fail in turn, in each connection of each script, of one process and of two.
 * @param oneOf  only each so many
 */
export async function sweep(
  kind: Kind,
  oneOf: number,
  seed: number,
  scripts: readonly Script[] = SCRIPTS,
): Promise<SweepResult> {
  const result = new SweepResult();
  const before = await begun(seed);
  for (const [at, script] of scripts.entries()) {
    for (const victim of new Set(script.steps.map(([by]) => by))) {
      for (let nth = 1 + ((seed + at) % oneOf); ; nth += oneOf) {
        const fault = { ...kind, nth };
        // Every other fault meets two connections of one process.
        const sameProcess = Math.floor(nth / oneOf) % 2 === 1;
        if (!(await tryFault(script, victim, fault, seed, sameProcess, before, result))) break;
      }
    }
  }
  return result;
}

/** A life that goes as planned. @returns codes of errors; none are expected */
export async function undisturbed(script: Script, seed: number, sameProcess: boolean): Promise<readonly string[]> {
  const before = script.fromNothing === true ? undefined : await begun(seed);
  const life = new SharedLife({ seed, steps: script.steps, sameProcess, before });
  await life.run(life.connections[0]!);
  return life.codes;
}

async function begun(seed: number): Promise<Begun> {
  const life = new SharedLife({ seed, steps: PRELUDE, sameProcess: false });
  await life.run(life.connections[0]!);
  return life.begun;
}

/** @returns whether a call failed: if not, there are no more calls of the kind */
async function tryFault(
  script: Script,
  victim: number,
  fault: Fault,
  seed: number,
  sameProcess: boolean,
  before: Begun,
  result: SweepResult,
): Promise<boolean> {
  const { steps, fromNothing } = script;
  const life = new SharedLife({ seed, steps, sameProcess, before: fromNothing === true ? undefined : before });
  const { vfs } = life.connections[victim]!;
  vfs.add(fault);
  try {
    await life.run(life.connections[victim]!);
  } catch (error) {
    const what = JSON.stringify({ script: script.name, victim, ...fault, file: String(fault.file), seed, sameProcess });
    if (result.wrong.length < WRONG_KEPT) result.wrong.push(`${what}: ${String(error)}`);
  }
  if (vfs.failed.length === 0) return false;
  result.runs += 1;
  if (life.poisoned) {
    result.poisoned += 1;
    result.poisonedBy.add(`${vfs.failed[0]!.op} ${vfs.failed[0]!.path}`);
  }
  for (const code of life.codes) result.codes.add(code);
  return true;
}
