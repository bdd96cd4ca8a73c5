/** The leaves that are left of the trees of a damaged graph, and the ids that may be lost with the others. */
import {
  compareKeys,
  type FoundLeaf,
  isInHole,
  type LeafEntry,
  PageBuffer,
  type PageSource,
  readLeaf,
  type TreeHole,
  walkLeaves,
} from '@sombra/btree';
import { CorruptionError } from '@sombra/vfs';
import { TREES } from '../store/store.ts';

/** What is known of a damaged file besides its pages. */
export interface SalvageSource {
  readonly pages: PageSource;
  /** First page behind the superblock and the catalogue. */
  readonly firstPage: number;
  /** Root of a tree, 0 when it is not known. */
  readonly rootOf: (tree: string) => number;
  /** Free pages, as far as they are known. */
  readonly free: ReadonlySet<number>;
  /** Are these all? */
  readonly freeComplete: boolean;
  /**
   * Take leaves that no branch leads to, although not all free pages are known? Then deleted records may come back, and old versions of
   * others.
   */
  readonly unproven: boolean;
}

/** One tree: what is left of it. */
export interface SalvagedTree {
  /** In the order of their keys. */
  readonly leaves: readonly FoundLeaf[];
  /** Parts whose entries may be lost. */
  readonly holes: readonly TreeHole[];
}

interface Orphan {
  readonly page: number;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
  /** One more than the last key. */
  readonly end: Uint8Array;
}

/** See the top of the file. */
export class SalvageTrees {
  /** Leaves that cannot be proved to be in use, and were left out or, when asked for, taken. */
  unprovenLeaves = 0;
  private readonly source: SalvageSource;
  private readonly buffer: PageBuffer;
  private readonly overflow: PageBuffer;
  private readonly trees = new Map<string, SalvagedTree>();

  /** Reads branches, and all pages where branches are damaged. @throws IoError SOMBRA_IO */
  constructor(source: SalvageSource) {
    this.source = source;
    this.buffer = new PageBuffer(source.pages.pageSize);
    this.overflow = new PageBuffer(source.pages.pageSize);
    this.find();
  }

  tree(name: (typeof TREES)[number]): SalvagedTree {
    return this.trees.get(name)!;
  }

  /** Entries of a leaf. @throws CorruptionError, IoError */
  entries(page: number): LeafEntry[] {
    const { pages } = this.source;
    pages.read(page, this.buffer.bytes);
    return readLeaf(this.buffer, page, pages, this.overflow);
  }

  private find(): void {
    const { pages, rootOf, free, freeComplete, unproven } = this.source;
    const visited = new Set<number>(free);
    const walks = TREES.map((name, slot) => {
      const treeId = slot + 1; // the trees of a graph are created first of all, in this order
      return { name, treeId, ...walkLeaves(pages, { treeId, root: rootOf(name) }, (page) => visited.add(page)) };
    });
    const isWhole = walks.every(({ holes }) => holes.every(({ level }) => level === 0));
    const { orphans, hidden } = isWhole
      ? { orphans: new Map<number, Orphan[]>(), hidden: false }
      : this.scan(visited, walks);
    for (const { name, treeId, leaves, holes } of walks) {
      const found = (orphans.get(treeId) ?? []).filter(({ first, last }) => isInHole(holes, first, last));
      const proven = freeComplete || unproven ? found : [];
      if (!freeComplete) this.unprovenLeaves += found.length;
      const all = [...leaves, ...proven.map(({ page, first, end }) => ({ page, low: first, high: end }))].sort(byLow);
      // A damaged root may have been the only leaf, unless there are others.
      const isLeaf = ({ level, page }: TreeHole): boolean =>
        level === 0 || (level < 0 && page !== 0 && found.length === 0);
      const complete = freeComplete && !hidden;
      this.trees.set(name, { leaves: all, holes: holes.filter((hole) => isLeaf(hole) || !complete) });
    }
  }

  /**
   * Looks at every page that no branch leads to.
   * @returns leaves by tree; whether there are pages that cannot be read, and of which nothing says what they were
   */
  private scan(
    visited: ReadonlySet<number>,
    walks: readonly { readonly holes: readonly TreeHole[] }[],
  ): { orphans: Map<number, Orphan[]>; hidden: boolean } {
    const { pages, firstPage } = this.source;
    const explained = new Set(walks.flatMap(({ holes }) => holes.map(({ page }) => page)));
    const orphans = new Map<number, Orphan[]>();
    let hidden = false;
    for (let page = firstPage; page < pages.pageCount; page += 1) {
      if (visited.has(page) || explained.has(page)) continue;
      try {
        pages.read(page, this.buffer.bytes);
        const kind = this.buffer.treeKind;
        if (kind?.kind !== 'leaf') continue;
        const entries = readLeaf(this.buffer, page, pages, this.overflow);
        if (entries.length === 0) continue;
        const [first, last] = [entries[0]!.key, entries.at(-1)!.key];
        const list = orphans.get(kind.treeId) ?? [];
        list.push({ page, first, last, end: Uint8Array.of(...last, 0) });
        orphans.set(kind.treeId, list);
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        hidden = true;
      }
    }
    return { orphans, hidden };
  }
}

function byLow(a: FoundLeaf, b: FoundLeaf): number {
  if (a.low === undefined || b.low === undefined) return (a.low === undefined ? 0 : 1) - (b.low === undefined ? 0 : 1);
  return compareKeys(a.low, a.low.length, b.low, b.low.length);
}
