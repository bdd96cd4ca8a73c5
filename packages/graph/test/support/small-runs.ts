// Bulk loads and indexes with little memory to gather in, so that small data makes many runs in scratch space.
import {
  type BulkAsked,
  bulkLoad as load,
  type BulkOptions,
  type BulkResult,
  type BulkSource,
  parseBulk,
} from '../../src/bulk/bulk-load.ts';
import { createIndex as create, type CreateIndexOptions, parseIndex } from '../../src/bulk/create-index.ts';
import { runSteps } from '../../src/model/steps.ts';
import { Watch } from '../../src/model/watch.ts';
import type { GraphStore } from '../../src/store/store.ts';

/** @param runRows  rows to gather before they go to scratch space */
export function bulkLoad(
  store: GraphStore,
  source: BulkSource,
  options: BulkOptions | undefined,
  runRows?: number,
): BulkResult {
  const asked: BulkAsked = parseBulk(source, options);
  return runSteps(load(store, asked, false, runRows), new Watch(options, store.pager.env, undefined));
}

/** @param sortBytes  bytes of keys to gather */
export function createIndex(
  store: GraphStore,
  on: 'node' | 'edge',
  name: string,
  keys: string | readonly string[],
  options: CreateIndexOptions | undefined,
  sortBytes?: number,
): boolean {
  const asked = parseIndex(on, name, keys, options);
  return runSteps(create(store, asked, false, sortBytes), new Watch(options, store.pager.env, undefined));
}
