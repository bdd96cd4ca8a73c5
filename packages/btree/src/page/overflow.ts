/**
 * Values too large for a leaf: a chain of overflow pages. Each page says how many bytes the chain still holds from it
 * on; since that number falls from page to page, a damaged chain cannot lead a reader in circles.
 *
 * Source: docs/format/overflow.md.
 */
import type { View, WriteTransaction } from '@sombra/pager';
import { brokenChain } from './fault.ts';
import {
  KIND_OVERFLOW,
  OVERFLOW_DATA_OFFSET,
  OVERFLOW_NEXT_OFFSET,
  OVERFLOW_REMAINING_OFFSET,
  overflowPayload,
  VALUE_SIZE_MAX,
} from './layout.ts';
import { identityOf, pageIdentity } from './page.ts';

/**
 * Writes value[from, to) into new pages.
 * @param value  not the cache's own bytes
 * @returns number of the first page
 */
export function writeChain(tx: WriteTransaction, treeId: number, value: Uint8Array, from: number, to: number): number {
  const payload = overflowPayload(tx.view.cache.pageSize);
  const first = tx.allocate(KIND_OVERFLOW, treeId);
  for (let page = first, at = from; page !== 0; ) {
    const base = tx.edit(page);
    const remaining = to - at;
    const length = remaining < payload ? remaining : payload;
    page = remaining > length ? tx.allocate(KIND_OVERFLOW, treeId) : 0;
    tx.setU32(base, OVERFLOW_NEXT_OFFSET, page);
    tx.setU32(base, OVERFLOW_REMAINING_OFFSET, remaining);
    tx.setBytes(base, OVERFLOW_DATA_OFFSET, value, at, at + length);
    at += length;
  }
  return first;
}

/**
 * Base of a chain's page, after testing that it is what the chain needs at this place.
 * @throws CorruptionError SOMBRA_OVERFLOW_CHAIN
 */
export function chainPage(view: View, treeId: number, page: number, remaining: number): number {
  const base = view.page(page);
  const { words } = view.cache;
  if (pageIdentity(view.cache, base) !== identityOf(KIND_OVERFLOW, 0, treeId))
    throw brokenChain(page, 'is no overflow page of the tree');
  const found = words[(base + OVERFLOW_REMAINING_OFFSET) >> 2]!;
  if (found !== remaining) throw brokenChain(page, `${found} bytes left in the chain where ${remaining} are expected`);
  const next = words[(base + OVERFLOW_NEXT_OFFSET) >> 2]!;
  if ((next === 0) !== remaining <= overflowPayload(view.cache.pageSize))
    throw brokenChain(page, `next page is ${next} with ${remaining} bytes left`);
  return base;
}

/** Tests a chain's length before memory is allocated for it. @throws CorruptionError SOMBRA_OVERFLOW_CHAIN */
export function checkChainLength(view: View, first: number, length: number): void {
  if (length === 0 || length > VALUE_SIZE_MAX || length > view.pageCount * overflowPayload(view.cache.pageSize)) {
    throw brokenChain(first, `a length of ${length} bytes is not possible in this file`);
  }
}

/** Copies a chain of `length` bytes into `target` at `at`. @throws CorruptionError SOMBRA_OVERFLOW_CHAIN */
export function readChain(
  view: View,
  treeId: number,
  first: number,
  length: number,
  target: Uint8Array,
  at: number,
): void {
  const payload = overflowPayload(view.cache.pageSize);
  const { bytes, words } = view.cache;
  for (let page = first, remaining = length; remaining > 0; ) {
    const base = chainPage(view, treeId, page, remaining);
    const part = remaining < payload ? remaining : payload;
    target.set(
      bytes.subarray(base + OVERFLOW_DATA_OFFSET, base + OVERFLOW_DATA_OFFSET + part),
      at + length - remaining,
    );
    page = words[(base + OVERFLOW_NEXT_OFFSET) >> 2]!;
    remaining -= part;
  }
}

/**
 * Frees the pages of a chain of `length` bytes: only the reference that ends here leads to them. @throws CorruptionError
 * SOMBRA_OVERFLOW_CHAIN
 */
export function freeChain(tx: WriteTransaction, treeId: number, first: number, length: number): void {
  const { view } = tx;
  const payload = overflowPayload(view.cache.pageSize);
  for (let page = first, remaining = length; remaining > 0; remaining -= payload) {
    const base = chainPage(view, treeId, page, remaining);
    const next = view.cache.words[(base + OVERFLOW_NEXT_OFFSET) >> 2]!;
    if (!tx.freeUntouched(page)) throw brokenChain(page, 'belongs to two values');
    page = next;
  }
}
