/**
 * Builds a tree from entries in key order, bottom up: each page is filled, written once, and its number handed to the
 * level above. Memory: two pages per level.
 *
 * Pages are numbered in the order in which they are begun (leaves) or written (branches, overflow pages).
 */
import type { BulkWriter } from '@sombra/pager';
import { DataError, StateError } from '@sombra/vfs';
import { checkEntry } from './entry-limits.ts';
import { commonPrefix, compareKeys, prefixFor, separatorLength } from '../page/keys.ts';
import {
  align4,
  inlineSizeMax,
  keySizeMax,
  KIND_BRANCH,
  KIND_LEAF,
  KIND_OFFSET,
  KIND_OVERFLOW,
  LEVEL_OFFSET,
  OVERFLOW_DATA_OFFSET,
  OVERFLOW_FLAG,
  OVERFLOW_NEXT_OFFSET,
  OVERFLOW_REMAINING_OFFSET,
  overflowPayload,
  PREFIX_OFFSET,
  REFERENCE_LENGTH_OFFSET,
  REFERENCE_PAGE_OFFSET,
  REFERENCE_SIZE,
  TREE_ID_OFFSET,
} from '../page/layout.ts';
import { entryBytes, PageBuilder, rangeBytes } from '../page/page-builder.ts';

/** What a bulk build made. */
export interface BulkTree {
  /** Root page, for WriteTransaction.setTreeRoot. */
  readonly root: number;
  /** Entries, for WriteTransaction.addTreeCount. */
  readonly count: number;
  /** Pages, overflow pages included. */
  readonly pages: number;
}

/** The page of one level that is being filled. */
class OpenPage {
  builder: PageBuilder;
  spare: PageBuilder;
  /** First key (leaf) or separator (branch) in the page. */
  readonly firstKey: Uint8Array;
  firstLength = 0;
  /** Last key or separator. */
  readonly lastKey: Uint8Array;
  lastLength = 0;
  lastChild = 0;
  shortest = 0;
  /** Separates this page from the one before it on its level. */
  readonly separator: Uint8Array;
  separatorLength = 0;
  firstChild = 0;
  /** Pages of this level that are complete. */
  closed = 0;
  private readonly leaf: boolean;
  /** Bytes to leave free. */
  private readonly slack: number;

  constructor(pageSize: number, leaf: boolean, slack: number) {
    const keySize = keySizeMax(pageSize);
    this.builder = new PageBuilder(pageSize);
    this.spare = new PageBuilder(pageSize);
    this.firstKey = new Uint8Array(keySize);
    this.lastKey = new Uint8Array(keySize);
    this.separator = new Uint8Array(keySize);
    this.leaf = leaf;
    this.slack = slack;
  }

  /** Makes the page ready to take an entry of this key, with a shorter prefix if need be. @returns false if it is full */
  prepare(key: Uint8Array, keyLength: number, payload: number): boolean {
    const { builder } = this;
    if (builder.count === 0) {
      this.firstLength = copyKey(key, keyLength, this.firstKey);
      this.shortest = keyLength;
      builder.begin(this.leaf, key, prefixFor(this.leaf, keyLength, keyLength, 0), this.firstChild);
      return true;
    }
    const shared = commonPrefix(this.firstKey, this.firstLength, key, keyLength);
    if (shared >= builder.prefixLength) {
      if (builder.gap - entryBytes(keyLength - builder.prefixLength, payload) < this.slack) return false;
    } else {
      const prefix = prefixFor(this.leaf, shared, keyLength < this.shortest ? keyLength : this.shortest, 0);
      builder.finish();
      const total =
        align4(prefix) +
        rangeBytes(builder, 0, 0, builder.count, this.leaf, prefix) +
        entryBytes(keyLength - prefix, payload);
      if (total > builder.pageSize - PREFIX_OFFSET - this.slack) return false;
      this.spare.begin(this.leaf, this.firstKey, prefix, this.firstChild);
      this.spare.copyEntries(builder, 0, 0, builder.count);
      this.builder = this.spare;
      this.spare = builder;
    }
    if (keyLength < this.shortest) this.shortest = keyLength;
    return true;
  }

  noteLast(key: Uint8Array, keyLength: number): void {
    this.lastLength = copyKey(key, keyLength, this.lastKey);
  }
}

export class BulkBuilder {
  /** Leaf and slot of the entry added last, for hints. */
  lastPage = 0;
  lastSlot = -1;

  private readonly writer: BulkWriter;
  private readonly treeId: number;
  private readonly pageSize: number;
  private readonly slack: number;
  private readonly leaf: OpenPage;
  private readonly branches: OpenPage[] = [];
  private readonly reference = new Uint8Array(REFERENCE_SIZE);
  private readonly referenceWords = new Uint32Array(this.reference.buffer);
  private overflow: PageBuilder | undefined;
  private count = 0;
  private pages = 0;
  private finished = false;

  /**
   * @param writer    where pages go
   * @param treeId    catalogue slot + 1 of the tree
   * @param pageSize  of the database
   * @param fill      part of each leaf to fill, 0.5 to 1
   * @throws DataError SOMBRA_OPTION for another `fill`
   */
  constructor(writer: BulkWriter, treeId: number, pageSize: number, fill = 1) {
    if (!(fill >= 0.5 && fill <= 1))
      throw new DataError('SOMBRA_OPTION', `fill is ${fill}: give a part of a page between 0.5 and 1`);
    this.writer = writer;
    this.treeId = treeId;
    this.pageSize = pageSize;
    this.slack = Math.floor((pageSize - PREFIX_OFFSET) * (1 - fill));
    this.leaf = new OpenPage(pageSize, true, this.slack);
  }

  /**
   * Adds an entry. Parameters as in BTree.put.
   * @throws DataError SOMBRA_KEY_ORDER when the key is not greater than the one before; SOMBRA_KEY_TOO_LONG,
   *   SOMBRA_VALUE_TOO_LARGE; RangeError as BTree.put; StateError SOMBRA_BULK_DONE; what BulkWriter throws
   */
  add(key: Uint8Array, keyLength: number, value: Uint8Array, from: number, to: number, capacity = 0): void {
    const { leaf } = this;
    this.checkUnfinished();
    checkEntry(this.pageSize, key, keyLength, value, from, to);
    if (this.count > 0 && compareKeys(leaf.lastKey, leaf.lastLength, key, keyLength) >= 0) {
      throw new DataError(
        'SOMBRA_KEY_ORDER',
        'a bulk build takes each key once, in ascending order: sort the entries first',
      );
    }
    const limit = inlineSizeMax(this.pageSize, keyLength);
    const length = to - from;
    const inline = length <= limit;
    let room = REFERENCE_SIZE;
    if (inline) {
      room = align4(capacity > length ? capacity : length);
      if (room > limit) room = limit;
    }
    if (!leaf.prepare(key, keyLength, room)) {
      this.closeLeaf();
      leaf.separatorLength = separatorLength(leaf.lastKey, leaf.lastLength, key, keyLength);
      copyKey(key, leaf.separatorLength, leaf.separator);
      leaf.prepare(key, keyLength, room);
    }
    if (leaf.builder.count === 0) {
      this.lastPage = this.writer.allocate();
      this.lastSlot = -1;
    }
    if (inline) leaf.builder.addValue(key, keyLength, length, room, value, from, to);
    else {
      this.referenceWords[REFERENCE_PAGE_OFFSET >> 2] = this.writeChain(value, from, to);
      this.referenceWords[REFERENCE_LENGTH_OFFSET >> 2] = length;
      leaf.builder.addValue(key, keyLength, OVERFLOW_FLAG | REFERENCE_SIZE, room, this.reference, 0, REFERENCE_SIZE);
    }
    leaf.noteLast(key, keyLength);
    this.lastSlot += 1;
    this.count += 1;
  }

  /**
   * Writes what is still open.
   * @returns the tree, to be published in BulkWriter.finish
   */
  finish(): BulkTree {
    this.checkUnfinished();
    this.finished = true;
    const { leaf } = this;
    if (this.count === 0) {
      this.lastPage = this.writer.allocate();
      leaf.builder.begin(true, leaf.firstKey, 0, 0);
    }
    let root = this.writeLeaf();
    if (leaf.closed > 1) {
      this.addChild(0, leaf.separator, leaf.separatorLength, root);
      for (let at = 0; ; at++) {
        const branch = this.branches[at]!;
        root = this.writeBranch(at);
        if (branch.closed === 1) break;
        this.addChild(at + 1, branch.separator, branch.separatorLength, root);
      }
    }
    return { root, count: this.count, pages: this.pages };
  }

  private closeLeaf(): void {
    const { leaf } = this;
    const page = this.writeLeaf();
    this.addChild(0, leaf.separator, leaf.separatorLength, page);
    leaf.builder.begin(true, leaf.firstKey, 0, 0);
  }

  private writeLeaf(): number {
    this.write(this.lastPage, this.leaf.builder, KIND_LEAF, 0);
    this.leaf.closed += 1;
    return this.lastPage;
  }

  /** Adds a finished page to the branch above it: `branches[at]` has level at + 1. */
  private addChild(at: number, separator: Uint8Array, length: number, child: number): void {
    let branch = this.branches[at];
    if (branch === undefined) {
      branch = this.branches[at] = new OpenPage(this.pageSize, false, 0);
      branch.firstChild = child;
      return;
    }
    if (!branch.prepare(separator, length, 0)) {
      // The next page begins with the last child of this one, so that no page is left with a single child.
      branch.builder.removeLast();
      const page = this.writeBranch(at);
      this.addChild(at + 1, branch.separator, branch.separatorLength, page);
      branch.separatorLength = copyKey(branch.lastKey, branch.lastLength, branch.separator);
      branch.firstChild = branch.lastChild;
      branch.builder.begin(false, separator, 0, branch.firstChild);
      branch.prepare(separator, length, 0);
    }
    branch.builder.addChild(separator, length, child);
    branch.noteLast(separator, length);
    branch.lastChild = child;
  }

  private writeBranch(at: number): number {
    const branch = this.branches[at]!;
    const page = this.writer.allocate();
    this.write(page, branch.builder, KIND_BRANCH, at + 1);
    branch.closed += 1;
    return page;
  }

  private write(page: number, builder: PageBuilder, kind: number, level: number): void {
    builder.finish();
    builder.bytes[KIND_OFFSET] = kind;
    builder.bytes[LEVEL_OFFSET] = level;
    builder.halves[TREE_ID_OFFSET >> 1] = this.treeId;
    this.writer.write(page, builder.bytes, 0);
    this.pages += 1;
  }

  private writeChain(value: Uint8Array, from: number, to: number): number {
    const page = (this.overflow ??= new PageBuilder(this.pageSize));
    const payload = overflowPayload(this.pageSize);
    const first = this.writer.allocate();
    for (let number = first, at = from; at < to; ) {
      const remaining = to - at;
      const next = remaining > payload ? this.writer.allocate() : 0;
      page.bytes.fill(0);
      page.bytes[KIND_OFFSET] = KIND_OVERFLOW;
      page.halves[TREE_ID_OFFSET >> 1] = this.treeId;
      page.words[OVERFLOW_NEXT_OFFSET >> 2] = next;
      page.words[OVERFLOW_REMAINING_OFFSET >> 2] = remaining;
      const end = remaining > payload ? at + payload : to;
      page.bytes.set(value.subarray(at, end), OVERFLOW_DATA_OFFSET);
      this.writer.write(number, page.bytes, 0);
      this.pages += 1;
      at = end;
      number = next;
    }
    return first;
  }

  private checkUnfinished(): void {
    if (this.finished) throw new StateError('SOMBRA_BULK_DONE', 'this bulk build is finished: begin a new one');
  }
}

function copyKey(source: Uint8Array, length: number, target: Uint8Array): number {
  for (let i = 0; i < length; i++) target[i] = source[i]!;
  return length;
}
