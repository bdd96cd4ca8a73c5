import type { BTree } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { HintTable } from '../ids/hint-table.ts';
import type { IdIndex } from '../ids/id-index.ts';
import type { RecordKind } from '../names/record-kind.ts';
import { damagedRecord } from '../records/record-shape.ts';
import { valueBytes, valueStart } from '../records/value-bytes.ts';

/** One hint stands for so many ids. */
const IDS_PER_HINT = 16;

/**
 * The nodes of a graph, or its edges: their records by id, and their ids by label or type. `find` looks a record up; the other methods
 * tell where the record is that it found last.
 */
export class RecordTable {
  readonly kind: RecordKind;
  readonly tree: BTree;
  readonly hints: HintTable;
  /** Ids by label or type. */
  readonly byName: IdIndex;

  /** @param hintMemory  bytes that hints may take */
  constructor(kind: RecordKind, tree: BTree, byName: IdIndex, hintMemory: number) {
    this.kind = kind;
    this.tree = tree;
    this.byName = byName;
    this.hints = new HintTable(hintMemory);
  }

  /** Offset of a record as BTree.find gives it, -1 if there is none. */
  find(view: View, id: number): number {
    const { tree, hints } = this;
    const place = hints.place(Math.floor(id / IDS_PER_HINT));
    const page = hints.pages[place]!;
    if (page !== 0) {
      const at = tree.findInLeafU48(view, page, id);
      if (at >= 0) return at;
    }
    const at = tree.findU48(view, id);
    if (at >= 0) hints.note(place, tree.foundPage, tree.foundSlot);
    return at;
  }

  /** Bytes that hold the record: borrowed, or a copy. */
  bytes(view: View): Uint8Array {
    return valueBytes(view, this.tree);
  }

  /** Where the record begins in them. @param at  what `find` gave */
  start(at: number): number {
    return valueStart(this.tree, at);
  }

  /** Bytes of the record. */
  get length(): number {
    return this.tree.foundLength;
  }

  /** Where its properties begin. @throws CorruptionError SOMBRA_RECORD when it is too short to have any */
  propertiesStart(at: number): number {
    const { tree, kind } = this;
    if (tree.foundLength < kind.propertiesAt) throw damagedRecord(`it has ${tree.foundLength} bytes`);
    return valueStart(tree, at) + kind.propertiesAt;
  }

  /** Bytes of its properties. */
  get propertiesLength(): number {
    return this.tree.foundLength - this.kind.propertiesAt;
  }

  /** Lets the hints grow with the records. */
  fitHints(view: View): void {
    this.hints.fit(Math.ceil(view.counter(this.kind.nextId) / IDS_PER_HINT));
  }
}
