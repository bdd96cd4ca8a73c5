// Goal: whatever is done, in whatever order, the database reads like a plain Map.
// Method: seeded runs of transactions (page operations of every kind, allocations, frees, savepoints, trees, counters),
// rollbacks, snapshots, checkpoints, bulk loads and reopens, in modes with and without a log file, with a cache of 8 pages
// and segments of 16 KiB. After each step every page of the newest commit and of some snapshots is compared, check() must
// find nothing, and every page must be used or free. SOMBRA_SEED=n replays run n, SOMBRA_RUNS=n makes n runs.
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { Pager } from '../src/index.ts';
import type { View } from '../src/index.ts';
import type { ModelState } from './support/model.ts';
import { compare, EMPTY, examine, randomChanges } from './support/model.ts';
import { Random, seeds } from './support/random.ts';

/** One run. */
function run(seed: number): void {
  const random = new Random(seed);
  const vfs = new MemoryVfs();
  const pageSize = random.chance(0.8) ? 4096 : 8192;
  const options = {
    vfs,
    path: 'm.db',
    cacheSize: random.chance(0.8) ? 8 : 40,
    maxTransactionPages: 2000,
    maxWalSizeMb: random.chance(0.5) ? 0.0625 : 500,
    enableWal: random.chance(0.8),
    syncMode: random.pick(['full', 'normal', 'off'] as const),
  };
  // The writer takes frames over only while there are no concurrent readers.
  const readsBeside = random.chance(0.4);
  let pager = Pager.open({ ...options, pageSize });
  let state: ModelState = EMPTY;
  let snapshots: { view: View; state: ModelState }[] = [];
  for (let round = 0; round < 30; round += 1) {
    const kind = random.below(100);
    if (kind < 65) {
      const tx = pager.begin();
      const next = randomChanges(tx, state, 1 + random.below(30), random);
      expect(compare(tx.view, next)).toEqual([]);
      if (readsBeside) expect(compare(pager.view, state)).toEqual([]);
      if (random.chance(0.75)) {
        tx.commit();
        state = next;
      } else tx.rollback();
    } else if (kind < 75) snapshots.push({ view: pager.snapshot(), state });
    else if (kind < 80 && snapshots.length > 0) snapshots.splice(random.below(snapshots.length), 1)[0]!.view.release();
    else if (kind < 88) pager.checkpoint();
    else if (kind < 92) {
      const pages = new Map(state.pages);
      const bulk = pager.bulk();
      for (let i = random.below(20); i >= 0; i -= 1) {
        const page = random.bytes(pageSize);
        page[16] = 16 + random.below(100);
        const number = bulk.allocate();
        bulk.write(number, page, 0);
        pages.set(number, page.slice(16));
      }
      if (random.chance(0.7)) {
        const counter = random.below(1000);
        bulk.finish((tx) => tx.setCounter(2, counter));
        state = { ...state, pages, counters: state.counters.map((value, at) => (at === 2 ? counter : value)) };
      } else bulk.abort();
    } else {
      pager.close();
      for (const { view } of snapshots) expect(view.closed).toBe(true);
      snapshots = [];
      pager = Pager.open(options);
    }
    for (const snapshot of snapshots)
      if (random.chance(0.4)) expect(compare(snapshot.view, snapshot.state)).toEqual([]);
    expect(examine(pager, state)).toEqual([]);
  }
  pager.close();
  expect(vfs.list('.')).toEqual(['m.db']);
}

test.each(seeds(40))('seed %i', run);
