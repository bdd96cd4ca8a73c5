// Runs the scripts of shared-steps.ts once for each call of a connection, with that call failing.
import type { Fault } from '@sombra/vfs/testing';
import { SharedLife } from './shared-life.ts';
import { PRELUDE, SCRIPTS, type Script } from './shared-steps.ts';

/** A kind of call that fails; which one of them is counted. */
export type Kind = Omit<Fault, 'nth'>;

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
export async function sweep(kind: Kind, oneOf: number, seed: number): Promise<SweepResult> {
  const result = new SweepResult();
  const before = await begun(seed);
  for (const [at, script] of SCRIPTS.entries()) {
    for (const victim of [0, 1]) {
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
  const life = new SharedLife(seed, sameProcess, script.fromNothing === true ? undefined : await begun(seed));
  await life.run(script.steps, life.connections[0]);
  return life.codes;
}

async function begun(seed: number): Promise<SharedLife> {
  const life = new SharedLife(seed, false);
  await life.run(PRELUDE, life.connections[0]);
  return life;
}

/** @returns whether a call failed: if not, there are no more calls of the kind */
async function tryFault(
  script: Script,
  victim: number,
  fault: Fault,
  seed: number,
  sameProcess: boolean,
  before: SharedLife,
  result: SweepResult,
): Promise<boolean> {
  const life = new SharedLife(seed, sameProcess, script.fromNothing === true ? undefined : before);
  const { vfs } = life.connections[victim]!;
  vfs.add(fault);
  try {
    await life.run(script.steps, life.connections[victim]!);
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
