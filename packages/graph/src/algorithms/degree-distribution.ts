import { EdgeColumns } from '../adjacency/edge-columns.ts';
import { directionOption, ownOptions } from '../model/options.ts';
import type { Direction } from '../model/types.ts';
import type { ReadSource } from '../traversal/read-source.ts';
import { SLICE, type Steps } from '../model/steps.ts';
import { type AlgorithmOptions, readSubgraph } from './subgraph.ts';

/** Options of `degreeDistribution`. `direction`: `out` by default, as in `degree`. */
export interface DegreeOptions extends AlgorithmOptions {
  readonly direction?: Direction;
}

/**
 * How many nodes have which degree, by degree; degrees that no node has are left out. Degrees are those of `degree`: `label`
 * chooses the nodes that are counted and leaves no edge out. Memory: the 12 bytes per node of a Subgraph.
 */
export function* degreeDistribution(
  source: ReadSource,
  options: DegreeOptions | undefined,
): Steps<{ degree: number; nodes: number }[]> {
  options = ownOptions(options);
  const { store, view, filter, ids } = yield* readSubgraph(source, options, ['direction'], 'degreeDistribution');
  const direction = directionOption(options?.direction);
  const columns = new EdgeColumns();
  const counts = new Map<number, number>();
  for (let i = 0; i < ids.length; ) {
    for (const end = Math.min(ids.length, i + (SLICE >> 3)); i < end; i += 1) {
      let degree = 0;
      if (direction !== 'in') degree += store.out.degree(view, ids[i]!, filter, columns);
      if (direction !== 'out') degree += store.in.degree(view, ids[i]!, filter, columns);
      counts.set(degree, (counts.get(degree) ?? 0) + 1);
    }
    yield;
  }
  return [...counts].sort((a, b) => a[0] - b[0]).map(([degree, nodes]) => ({ degree, nodes }));
}
