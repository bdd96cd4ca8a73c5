/** One page of a database file in words: what it is, what refers to it, its header, its checksum, its entries. No byte is changed. */
import { PageBuffer, readBranch, readLeaf } from '@sombra/btree';
import type { PageSource } from '@sombra/btree';
import { CommitPages, lookAtPage, PAGE_KIND_FREELIST, PAGE_KIND_ROOTS, rootsPage } from '@sombra/pager';
import type { PageLook, View } from '@sombra/pager';
import { CorruptionError, DataError, NodeVfs, readU32, toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { Examination } from './examination.ts';

/** Options of `inspectPage`. */
export interface InspectPageOptions {
  /** Entries to describe; 0 for all. Default 16. */
  readonly maxEntries?: number | undefined;
  /** Milliseconds to wait for a process that is opening or closing the database. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Default: that of Node. */
  readonly vfs?: Vfs | undefined;
}

/** A page as main has it; the log may have a newer version. */
export interface PageReport {
  readonly path: string;
  readonly page: number;
  readonly state: PageLook['state'];
  /** What is wrong; null when it is valid. */
  readonly problem: PageLook['problem'];
  /** In words: `leaf of tree 'nodes'`. What a damaged page says it is may be wrong. */
  readonly what: string;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly checksum: { readonly expected: number; readonly actual: number };
  readonly header: {
    readonly number: number;
    readonly commit: number;
    readonly kind: number;
    readonly level: number;
    readonly treeId: number;
  };
  /** Pages and fields that lead to it, as far as that can be found through roots and branches of trees and the freelist. */
  readonly referredBy: readonly string[];
  readonly entryCount: number | null;
  /** The first ones, in words. */
  readonly entries: readonly string[];
}

const BUSY_TIMEOUT_MS = 5000;
const MAX_ENTRIES = 16;
const LEVEL_OFFSET = 17;
const TREE_ID_OFFSET = 18;
const KIND_BRANCH = 16;
const KIND_LEAF = 17;
const KIND_OVERFLOW = 18;
/** Trees whose keys are ids of 6 bytes, and what these are. */
const RECORDS: Readonly<Record<string, string>> = { nodes: 'node', edges: 'edge' };
const NAME_KINDS: Readonly<Record<number, string>> = { 1: 'label', 2: 'edge type', 3: 'property key', 4: 'index' };

/**
 * Looks at a page.
 * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_NOT_A_DATABASE, SOMBRA_OPTION, SOMBRA_PAGE_RANGE for a number that no page has;
 *   CorruptionError SOMBRA_SUPERBLOCK when both slots are damaged; IoError SOMBRA_BUSY, SOMBRA_PERMISSION, SOMBRA_IO
 */
export function inspectPage(path: string, page: number, options: InspectPageOptions = {}): PageReport {
  checkOptions('inspectPage', options, ['maxEntries', 'busyTimeoutMs', 'vfs']);
  checkCount('page', page, 0);
  checkCount('maxEntries', options.maxEntries, 0);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const seen = new Examination(options.vfs ?? new NodeVfs(), path, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
  try {
    return new PageInspection(path, page, seen, (options.maxEntries ?? MAX_ENTRIES) || Infinity).report();
  } finally {
    seen.close();
  }
}

class PageInspection {
  private readonly path: string;
  private readonly page: number;
  private readonly look: PageLook;
  private readonly pageSize: number;
  private readonly most: number;
  /** null when the catalogue cannot be read. */
  private readonly view: View | null;
  private readonly seen: Examination;

  constructor(path: string, page: number, seen: Examination, most: number) {
    const { newest } = seen.header;
    if (newest === null) {
      throw new CorruptionError(
        'SOMBRA_SUPERBLOCK',
        `both superblock slots of ${path} are damaged, and without their salt no page can be checked: see sombra inspect header ${path}`,
        { details: { path } },
      );
    }
    const pageCount = Math.max(newest.pageCount, seen.pager?.view.pageCount ?? 0);
    const first = rootsPage(newest.pageSize);
    if (page < first || page >= pageCount) {
      throw new DataError(
        'SOMBRA_PAGE_RANGE',
        `${path} has pages ${first} to ${pageCount - 1}, and page ${page} is none of them; the superblock is shown by sombra inspect header ${path}`,
        { details: { page, pageCount } },
      );
    }
    this.path = path;
    this.page = page;
    this.seen = seen;
    this.most = most;
    this.pageSize = newest.pageSize;
    this.view = seen.pager?.view ?? null;
    this.look = lookAtPage(seen.vfs, seen.path, newest, page);
  }

  report(): PageReport {
    const { look, page, path } = this;
    const { state, problem, offset, number, lsn, kind, checksum, bytes } = look;
    const level = bytes[LEVEL_OFFSET]!;
    const treeId = bytes[TREE_ID_OFFSET]! | (bytes[TREE_ID_OFFSET + 1]! << 8);
    const all = state === 'valid' ? this.entries(treeId) : null;
    return {
      path,
      page,
      state,
      problem,
      what: state === 'empty' || state === 'cut' ? 'nothing' : this.what(kind, level, treeId),
      offset,
      checksum: { expected: checksum.stored, actual: checksum.computed },
      header: { number, commit: lsn, kind, level, treeId },
      referredBy: this.referrers(treeId),
      entryCount: all?.length ?? null,
      entries: all?.slice(0, this.most) ?? [],
    };
  }

  private treeName(treeId: number): string | undefined {
    return this.view?.trees().find(({ slot }) => slot + 1 === treeId)?.name;
  }

  private what(kind: number, level: number, treeId: number): string {
    const name = this.treeName(treeId);
    const tree = name === undefined ? `tree number ${treeId}` : `tree '${name}'`;
    if (kind === PAGE_KIND_ROOTS) return 'the roots page: catalogue of trees, counters, start of the freelist';
    if (kind === PAGE_KIND_FREELIST) return 'a page of the freelist, which names free pages';
    if (kind === KIND_LEAF) return `a leaf of ${tree}`;
    if (kind === KIND_BRANCH) return `a branch of ${tree}, level ${level}`;
    if (kind === KIND_OVERFLOW) return `an overflow page of ${tree}: a part of a value that is too large for its leaf`;
    return `a page of the unknown kind ${kind}`;
  }

  private entries(treeId: number): string[] {
    const { look, view, pageSize } = this;
    const { kind, bytes } = look;
    if (kind === PAGE_KIND_FREELIST) {
      const count = Math.min(readU32(bytes, 28), (pageSize - 32) / 4);
      return Array.from({ length: count }, (_, i) => `page ${readU32(bytes, 32 + i * 4)} is free`);
    }
    if (kind === PAGE_KIND_ROOTS)
      return view?.trees().map(({ name, root, count }) => `tree '${name}': root page ${root}, ${count} entries`) ?? [];
    if (kind !== KIND_LEAF && kind !== KIND_BRANCH) return [];
    const buffer = new PageBuffer(pageSize);
    buffer.bytes.set(bytes);
    try {
      if (kind === KIND_BRANCH)
        return readBranch(buffer, this.page).map(
          ({ page, low }) => `page ${page}: keys from ${low === undefined ? 'the start' : toHex(low)} on`,
        );
      const name = this.treeName(treeId) ?? '';
      return readLeaf(buffer, this.page, this.source(), new PageBuffer(pageSize)).map(({ key, value }) =>
        entryInWords(name, key, value),
      );
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      return [`its entries make no sense: ${error.message}`];
    }
  }

  private source(): PageSource {
    const { view, pageSize } = this;
    if (view !== null) return new CommitPages(view);
    return { pageSize, pageCount: 0, read: () => undefined };
  }

  /** Roots, branches and the freelist are read; not the leaves, which overflow pages hang on. */
  private referrers(treeId: number): string[] {
    const { view, page, seen } = this;
    const { pager } = seen;
    if (view === null || pager === null) return [];
    if (page === rootsPage(this.pageSize)) return ['the superblock'];
    const found: string[] = [];
    for (const { name, slot, root } of view.trees()) {
      if (root === page) found.push(`the catalogue: root of tree '${name}'`);
      if (slot + 1 === treeId || this.look.state !== 'valid')
        this.findInBranches(new CommitPages(view), name, root, found);
    }
    try {
      if (pager.freePages(view).has(page)) found.push('the freelist');
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
    }
    return found;
  }

  private findInBranches(source: CommitPages, name: string, root: number, found: string[]): void {
    const buffer = new PageBuffer(source.pageSize);
    const seen = new Set<number>();
    const open = [root];
    for (let page = open.pop(); page !== undefined; page = open.pop()) {
      if (seen.has(page)) continue;
      seen.add(page);
      try {
        source.read(page, buffer.bytes);
        const kind = buffer.treeKind;
        if (kind?.kind !== 'branch') continue;
        for (const child of readBranch(buffer, page)) {
          if (child.page === this.page) found.push(`page ${page}, a branch of tree '${name}'`);
          if (kind.level > 1) open.push(child.page);
        }
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error; // what hangs on a damaged branch is not found
      }
    }
  }
}

function entryInWords(tree: string, key: Uint8Array, value: Uint8Array | undefined): string {
  const size = value === undefined ? 'its overflow pages are damaged' : `${value.length} bytes`;
  const what = RECORDS[tree];
  if (what !== undefined && key.length === 6) return `${what} ${key.reduce((id, byte) => id * 256 + byte, 0)}: ${size}`;
  if (tree === 'dictionary' && key.length === 5 && value !== undefined) {
    const number = key.subarray(1).reduce((id, byte) => id * 256 + byte, 0);
    const kind = NAME_KINDS[key[0]!] ?? `kind ${key[0]!}`;
    return key[0]! < 4
      ? `${kind} ${number}: '${new TextDecoder().decode(value)}'`
      : `${kind} ${number}: its definition, ${size}`;
  }
  return `key ${toHex(key)}: ${size}`;
}
