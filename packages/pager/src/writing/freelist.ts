/**
 * Freelist: a list of trunk pages, each naming free pages. Little-endian. Source: docs/format/freelist.md.
 *
 *   offset  size  field
 *        0    24  page header, kind 2
 *       24     4  next trunk page, 0 = last
 *       28     4  number of free pages named here
 *       32     4  first free page, and so on
 *
 * Invariants: a trunk page is free itself; the roots page holds the first trunk page and the number of all free pages,
 * trunk pages included. A page freed by one commit may be reused by the next: old versions of it live in the log, and main
 * is not overwritten beyond what snapshots may still read (rules R4, K1). What a free page that is no trunk page holds means nothing.
 */
import { CorruptionError, readU32, StateError } from '@sombra/vfs';
import type { Catalogue } from '../format/catalogue.ts';
import { KIND_OFFSET, PAGE_HEADER_SIZE, PAGE_KIND_FREELIST } from '../format/page-header.ts';
import { PageSet } from '../pages/page-set.ts';
import type { View } from '../reading/view.ts';

export const FREELIST_NEXT = PAGE_HEADER_SIZE;
export const FREELIST_COUNT = FREELIST_NEXT + 4;
export const FREELIST_PAGES = FREELIST_COUNT + 4;

/** How many free pages a trunk page can name. */
export function trunkCapacity(pageSize: number): number {
  return (pageSize - FREELIST_PAGES) / 4;
}

/** What the freelist needs of a write transaction. */
export interface FreelistWriter {
  readonly view: View;
  edit(pageNumber: number): number;
  /** Makes `pageNumber` a new, zeroed page of this kind. */
  initialise(pageNumber: number, kind: number, treeId: number): void;
  setU32(base: number, offset: number, value: number): void;
  setBytes(base: number, offset: number, source: Uint8Array, from: number, to: number): void;
}

/** What is thrown about a trunk page that makes no sense. */
export function wrongTrunk(pageNumber: number, what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_FREELIST',
    `freelist page ${pageNumber} ${what}; restore a backup, or export and import`,
    {
      details: { pageNumber },
    },
  );
}

/** Reads the number of free pages that a trunk page names, after checking it. */
export function trunkCount(bytes: Uint8Array, base: number, pageNumber: number, pageSize: number): number {
  if (bytes[base + KIND_OFFSET] !== PAGE_KIND_FREELIST)
    throw wrongTrunk(pageNumber, `is of kind ${bytes[base + KIND_OFFSET]}`);
  const count = readU32(bytes, base + FREELIST_COUNT);
  if (count > trunkCapacity(pageSize)) throw wrongTrunk(pageNumber, `names ${count} pages`);
  return count;
}

/**
 * Takes a page off the freelist.
 * @returns page number, or 0 when the list is empty
 * @throws CorruptionError SOMBRA_FREELIST
 */
export function takeFree(tx: FreelistWriter, catalogue: Catalogue, firstValid: number): number {
  const head = catalogue.freelistHead;
  if (head === 0) return 0;
  const { cache } = tx.view;
  let base = tx.view.page(head);
  const count = trunkCount(cache.bytes, base, head, cache.pageSize);
  const taken = readU32(cache.bytes, count > 0 ? base + FREELIST_PAGES + (count - 1) * 4 : base + FREELIST_NEXT);
  const last = count === 0 && taken === 0;
  if (!last && (taken < firstValid || taken >= catalogue.pageCount || taken === head))
    throw wrongTrunk(head, `names page ${taken}`);
  if (catalogue.freeCount === 0) throw wrongTrunk(head, 'exists although no page is free');
  catalogue.freeCount -= 1;
  if (count === 0) {
    catalogue.freelistHead = taken;
    return head;
  }
  base = tx.edit(head);
  tx.setU32(base, FREELIST_COUNT, count - 1);
  return taken;
}

/**
 * Puts a page on the freelist.
 * @throws CorruptionError SOMBRA_FREELIST; StateError SOMBRA_PAGE_FREE when the page heads the list already
 */
export function putFree(tx: FreelistWriter, catalogue: Catalogue, pageNumber: number): void {
  const head = catalogue.freelistHead;
  if (pageNumber === head) throw new StateError('SOMBRA_PAGE_FREE', `page ${pageNumber} is free already`);
  const { cache } = tx.view;
  if (head !== 0) {
    let base = tx.view.page(head);
    const count = trunkCount(cache.bytes, base, head, cache.pageSize);
    if (count < trunkCapacity(cache.pageSize)) {
      base = tx.edit(head);
      tx.setU32(base, FREELIST_PAGES + count * 4, pageNumber);
      tx.setU32(base, FREELIST_COUNT, count + 1);
      catalogue.freeCount += 1;
      return;
    }
  }
  tx.initialise(pageNumber, PAGE_KIND_FREELIST, 0);
  const base = tx.edit(pageNumber);
  tx.setU32(base, FREELIST_NEXT, head);
  catalogue.freelistHead = pageNumber;
  catalogue.freeCount += 1;
}

/**
 * Every free page of a commit.
 * @param head   first trunk page
 * @param count  free pages that there should be
 * @param read   gives the bytes of a trunk page, good until the next call
 * @throws CorruptionError SOMBRA_FREELIST; what `read` throws
 */
export function allFree(head: number, count: number, pageSize: number, read: (trunk: number) => Uint8Array): PageSet {
  const free = new PageSet();
  for (let trunk = head, found = 0; trunk !== 0; ) {
    const bytes = read(trunk);
    const names = trunkCount(bytes, 0, trunk, pageSize);
    found += names + 1;
    if (found > count) throw wrongTrunk(trunk, `names page after page, and ${count} are counted as free`);
    free.add(trunk);
    for (let i = 0; i < names; i += 1) free.add(readU32(bytes, FREELIST_PAGES + i * 4));
    trunk = readU32(bytes, FREELIST_NEXT);
  }
  return free;
}
