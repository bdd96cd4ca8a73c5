// Many damaged files, from one seed.
import { Random } from '@sombra/vfs/testing';
import { damage, specimens } from './damage.ts';
import type { Verdict } from './damage-judge.ts';
import { judgeDamage, WrongAnswer } from './damage-judge.ts';

/** Damages each specimen in turn. @throws WrongAnswer, with what was done */
export function sweepDamage(seed: number, cases: number): { cases: number; verdicts: Map<Verdict, number> } {
  const random = new Random(seed);
  const all = specimens(seed);
  const verdicts = new Map<Verdict, number>();
  let done = 0;
  for (; done < cases; done += 1) {
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
