/**
 * Finds the leaves of a damaged tree: from its root down as far as branches can be read; below damaged branches, and where the root is not
 * known, among all pages of the file.
 *
 * A leaf that no branch leads to is of the tree only if it is not free: freed pages keep what they held, and would bring deleted entries
 * back. In a sound file every page is either in use or on the freelist. So a leaf of the tree that was found by looking at all pages
 * counts if the whole freelist is known and does not name it, and if its keys lie in a part of the tree that could not be read.
 */
import { CorruptionError } from '@sombra/vfs';
import { compareKeys } from '../page/keys.ts';
import { PageBuffer, type PageSource, readBranch, readLeaf } from './leaf-scan.ts';

/** Keys from `low` (included) to `high` (not included); undefined: no bound. */
export interface KeySpan {
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
}

/** A leaf, and the keys of the tree that it surely has if there are such entries. */
export interface FoundLeaf extends KeySpan {
  readonly page: number;
}

/** A part of the tree that cannot be read by way of its branches. */
export interface TreeHole extends KeySpan {
  /** Page that is damaged; 0: the root is not known. */
  readonly page: number;
  /** Level of that page, 0 for a leaf; -1 when it is not known. */
  readonly level: number;
}

/** One tree. */
export interface DamagedTree {
  readonly treeId: number;
  /** 0: not known. */
  readonly root: number;
}

/** What a walk found. */
export interface TreeLeaves {
  /** In no order. */
  readonly leaves: FoundLeaf[];
  readonly holes: readonly TreeHole[];
}

/**
 * Walks a tree from its root.
 * @param visit  called for each page of the tree that can be read
 * @throws IoError SOMBRA_IO
 */
export function walkLeaves(
  source: PageSource,
  { treeId, root }: DamagedTree,
  visit: (pageNumber: number) => void,
): TreeLeaves {
  const leaves: FoundLeaf[] = [];
  const holes: TreeHole[] = [];
  if (root === 0) return { leaves, holes: [{ page: 0, level: -1, low: undefined, high: undefined }] };
  const buffer = new PageBuffer(source.pageSize);
  const seen = new Set<number>();
  const overflow = new PageBuffer(source.pageSize);
  const descend = (page: number, level: number, low: Uint8Array | undefined, high: Uint8Array | undefined): void => {
    let children;
    try {
      if (seen.has(page)) throw wrong(page, 'is used twice');
      seen.add(page);
      source.read(page, buffer.bytes);
      const kind = buffer.treeKind;
      if (kind?.treeId !== treeId || (level >= 0 && kind.level !== level)) throw wrong(page, 'is not of this tree');
      if (kind.kind === 'leaf') {
        readLeaf(buffer, page, source, overflow);
        leaves.push({ page, low, high });
        visit(page);
        return;
      }
      children = readBranch(buffer, page).map((child) => ({ ...child, level: kind.level - 1 }));
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      holes.push({ page, level, low, high });
      return;
    }
    visit(page);
    for (const child of children) descend(child.page, child.level, child.low ?? low, child.high ?? high);
  };
  descend(root, -1, undefined, undefined);
  return { leaves, holes };
}

/** Does the key span of a leaf lie in a part of the tree that could not be read? */
export function isInHole(holes: readonly TreeHole[], first: Uint8Array, last: Uint8Array): boolean {
  return holes.some(
    ({ level, low, high }) =>
      level !== 0 &&
      (low === undefined || compareKeys(first, first.length, low, low.length) >= 0) &&
      (high === undefined || compareKeys(last, last.length, high, high.length) < 0),
  );
}

function wrong(pageNumber: number, what: string): CorruptionError {
  return new CorruptionError('SOMBRA_TREE_PAGE', `page ${pageNumber} ${what}`, { details: { pageNumber } });
}
