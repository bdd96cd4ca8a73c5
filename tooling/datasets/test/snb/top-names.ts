// The most frequent names, ties by name: the answer of IC4 and IC6.
import { byKeys } from './network.ts';

export const topNames = (counts: ReadonlyMap<string, number>, limit: number): [string, number][] =>
  [...counts]
    .sort(
      byKeys(
        ([, count]) => -count,
        ([name]) => name,
      ),
    )
    .slice(0, limit);
