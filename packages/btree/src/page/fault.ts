/** Constructors of the errors that damaged tree pages give: kept out of the hot functions, which only test and call. */
import { CorruptionError } from '@sombra/vfs';
import type { PageMemory } from './layout.ts';

/** A page whose own fields contradict each other. `base` is its byte offset in `memory`. */
export function damagedPage(memory: PageMemory, base: number, what: string): CorruptionError {
  const page = memory.words[(base + 4) >> 2]!;
  return new CorruptionError(
    'SOMBRA_TREE_PAGE',
    `tree page ${page}: ${what}; the file is damaged: run verify, restore from a backup`,
    { details: { page } },
  );
}

/** A page that is not what the page or catalogue entry pointing at it says. */
export function wrongPage(pageNumber: number, what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_TREE_PAGE',
    `page ${pageNumber} ${what}; the file is damaged: run verify, restore from a backup`,
    { details: { page: pageNumber } },
  );
}

/** Pages that are sound one by one but whose keys are out of order from one to the next. */
export function wrongOrder(pageNumber: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_TREE_ORDER',
    `leaf ${pageNumber} holds keys out of the tree's order; the file is damaged: run verify, restore from a backup`,
    { details: { page: pageNumber } },
  );
}

/** A chain of overflow pages that breaks off, has wrong lengths or leads to other pages. */
export function brokenChain(pageNumber: number, what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_OVERFLOW_CHAIN',
    `overflow page ${pageNumber}: ${what}; the file is damaged: run verify, restore from a backup`,
    { details: { page: pageNumber } },
  );
}
