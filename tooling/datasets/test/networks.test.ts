// Goal: counts, joins and paths of the social networks are what a plain computation without any database finds.
// Method: load each set whole by `bulkLoad`, put every question of truth/NAME.json, compare; then verify. The largest set is
// in networks.nightly.ts.
import { expect, it } from 'vitest';
import { readTruth } from './load.ts';
import { NETWORK_SOLVERS } from './network-questions.ts';
import { LARGE_NETWORK, SMALL_NETWORKS, testNetwork } from './networks.ts';

SMALL_NETWORKS.forEach(testNetwork);

it('has no way of answering that no question needs', () => {
  const ids = [...SMALL_NETWORKS, LARGE_NETWORK].flatMap(({ name }) => readTruth(name).map(({ id }) => id));
  const unused = NETWORK_SOLVERS.filter(([pattern]) => !ids.some((id) => pattern.test(id)));
  expect(unused.map(([pattern]) => String(pattern))).toEqual([]);
});
