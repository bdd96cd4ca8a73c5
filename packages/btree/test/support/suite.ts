// Length and seed of the random suites.

/** Seed of a random suite: SOMBRA_SEED, else the given one, so that a push always runs the same. */
export function suiteSeed(fallback: number): number {
  const { SOMBRA_SEED } = process.env;
  return SOMBRA_SEED === undefined || SOMBRA_SEED === '' ? fallback : Number(SOMBRA_SEED);
}

/** Number of runs of a random suite: SOMBRA_RUNS, else the given one. */
export function suiteRuns(fallback: number): number {
  const { SOMBRA_RUNS } = process.env;
  return SOMBRA_RUNS === undefined || SOMBRA_RUNS === '' ? fallback : Number(SOMBRA_RUNS);
}
