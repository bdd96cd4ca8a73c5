// Opening small databases in tests.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { Pager } from '../../src/index.ts';
import type { PagerOptions, View, WriteTransaction } from '../../src/index.ts';

/** Small pages, the smallest cache: eviction all the time. */
export const SMALL = { pageSize: 4096, cacheSize: 8, maxTransactionPages: 1000 } as const;

/** Opens `t.db` on a file system, by default a new one in memory. */
export function openPager(options: Partial<PagerOptions> = {}, vfs: Vfs = new MemoryVfs()): Pager {
  return Pager.open({ vfs, path: 't.db', ...SMALL, ...options });
}

/** Runs a transaction and commits it. */
export function write<T>(pager: Pager, change: (tx: WriteTransaction) => T): T {
  const tx = pager.begin();
  const result = change(tx);
  tx.commit();
  return result;
}

/** A new page that holds a number at offset 24. */
export function newPage(tx: WriteTransaction, value: number): number {
  const page = tx.allocate(17, 1);
  tx.setU32(tx.edit(page), 24, value);
  return page;
}

/** The number at offset 24 of a page. */
export function valueOf(view: View, page: number): number {
  const base = view.page(page);
  return view.cache.words[(base + 24) >>> 2]!;
}

/** Code of the error that `run` throws. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return 'no error';
}
