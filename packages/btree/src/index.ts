/** @sombra/btree: ordered, transactional trees over the pages of @sombra/pager, and a key-value store of them. */
export { BTree } from './tree/tree.ts';
export { Cursor } from './tree/cursor.ts';
export { BulkBuilder, type BulkTree } from './tree/bulk.ts';
export { PageBuffer, readBranch, readLeaf } from './tree/leaf-scan.ts';
export type { BranchChild, LeafEntry, PageSource, TreePageKind } from './tree/leaf-scan.ts';
export { isInHole, walkLeaves } from './tree/tree-leaves.ts';
export type { DamagedTree, FoundLeaf, KeySpan, TreeHole, TreeLeaves } from './tree/tree-leaves.ts';
export { inlineSizeMax, keySizeMax, VALUE_SIZE_MAX } from './page/layout.ts';
export { writeU48 } from './page/page.ts';
export { compareKeys } from './page/keys.ts';
export { KeyValueSnapshot, KeyValueStore, KeyValueTransaction } from './key-value/key-value-store.ts';
export type {
  BulkLoadOptions,
  BulkLoadResult,
  KeyValueStats,
  KeyValueStoreOptions,
} from './key-value/key-value-store.ts';
export { KeyValueEntry, KeyValueReader, KeyValueTree } from './key-value/key-value-tree.ts';
export type { TreeInfo } from './key-value/key-value-tree.ts';
export type { KeyValueInput } from './key-value/key-value-bytes.ts';
export type { KeyValuePair } from './key-value/key-value-bulk.ts';
export type { RangeOptions } from './key-value/key-value-range.ts';
export type { RangeIterator } from './key-value/range-iterator.ts';
