// Many damaged files, from one seed.
import { Random } from '@sombra/vfs/testing';
import { damage, specimens } from './damage.ts';
import type { Verdict } from './damage-judge.ts';
import { judgeDamage, WrongAnswer } from './damage-judge.ts';

/** Cases in one turn of the event loop: what a database refers to weakly is not freed before the turn has ended. */
const TURN = 100;

/** Damages each specimen in turn. @throws WrongAnswer, with what was done */
export async function sweepDamage(
  seed: number,
  cases: number,
): Promise<{ cases: number; verdicts: Map<Verdict, number> }> {
  const random = new Random(seed);
  const all = specimens(seed);
  const verdicts = new Map<Verdict, number>();
  let done = 0;
  for (; done < cases; done += 1) {
    if (done % TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    const specimen = all[done % all.length]!;
    const one = damage(specimen, random.fork(`case ${done}`));
    try {
      const verdict = judgeDamage(specimen, one);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    } catch (error) {
      throw new WrongAnswer(
        `seed ${seed}, case ${done}: ${specimen.name}; ${one.file}: ${one.what}: ${String(error)}`,
        { cause: error },
      );
    }
  }
  return { cases: done, verdicts };
}
