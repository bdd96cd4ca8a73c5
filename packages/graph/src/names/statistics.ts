/**
 * Number of nodes per label and of edges per type: tree `statistics`, key kind (as in the dictionary) and id, value a u64.
 * Changes are collected and written once, at commit.
 */
import type { BTree } from '@sombra/btree';
import type { View, WriteTransaction } from '@sombra/pager';
import { CorruptionError } from '@sombra/vfs';
import { DICTIONARY_KEY_SIZE, type NameKind, writeDictionaryKey } from './dictionary.ts';

/** Size of a value: a safe, non-negative integer. */
export const STATISTIC_SIZE = 8;

const TWO_32 = 0x1_0000_0000;

export class Statistics {
  readonly tree: BTree;
  private readonly key = new Uint8Array(DICTIONARY_KEY_SIZE);
  private readonly value = new Uint8Array(STATISTIC_SIZE);
  /** kind * 2^32 + id -> change that is not written yet. */
  private pending = new Map<number, number>();

  constructor(tree: BTree) {
    this.tree = tree;
  }

  /** What a view holds, without pending changes. @throws CorruptionError SOMBRA_STATISTICS */
  stored(view: View, kind: NameKind, id: number): number {
    writeDictionaryKey(this.key, kind, id);
    const at = this.tree.find(view, this.key, DICTIONARY_KEY_SIZE);
    if (at < 0) return 0;
    const { words } = view.cache;
    const count = words[at >> 2]! + words[(at >> 2) + 1]! * TWO_32;
    if (this.tree.foundLength !== STATISTIC_SIZE || !Number.isSafeInteger(count)) throw damaged();
    return count;
  }

  /** Change that the running transaction has made. */
  change(kind: NameKind, id: number): number {
    return this.pending.get(kind * TWO_32 + id) ?? 0;
  }

  /** Notes a change. */
  add(kind: NameKind, id: number, delta: number): void {
    const key = kind * TWO_32 + id;
    this.pending.set(key, (this.pending.get(key) ?? 0) + delta);
  }

  /** Copy of the pending changes, for a savepoint. */
  mark(): Map<number, number> {
    return new Map(this.pending);
  }

  /** Goes back to a copy, which stays usable; without one, drops all. */
  restore(mark?: Map<number, number>): void {
    this.pending = new Map(mark);
  }

  /** Writes the pending changes. @throws CorruptionError SOMBRA_STATISTICS when a count would fall below zero */
  write(tx: WriteTransaction): void {
    for (const [key, delta] of this.pending) {
      if (delta === 0) continue;
      const kind = Math.floor(key / TWO_32) as NameKind;
      const id = key % TWO_32;
      const count = this.stored(tx.view, kind, id) + delta;
      if (count < 0) throw damaged();
      if (this.tree.foundSlot >= 0) this.replaceFound(tx, count);
      else this.put(tx, kind, id, count);
    }
    this.pending.clear();
  }

  /** Gives the count that `stored` has just found another value, where it stands. */
  private replaceFound(tx: WriteTransaction, count: number): void {
    const at = this.tree.editFound(tx);
    tx.setU64(this.tree.foundBase, at - this.tree.foundBase, count);
  }

  private put(tx: WriteTransaction, kind: NameKind, id: number, count: number): void {
    writeDictionaryKey(this.key, kind, id);
    writeStatistic(this.value, count);
    this.tree.put(tx, this.key, DICTIONARY_KEY_SIZE, this.value, 0, STATISTIC_SIZE);
  }
}

/** Writes the value of a count. */
export function writeStatistic(value: Uint8Array, count: number): void {
  for (let i = 0, rest = count; i < STATISTIC_SIZE; i += 1, rest = Math.floor(rest / 256)) value[i] = rest;
}

function damaged(): CorruptionError {
  return new CorruptionError(
    'SOMBRA_STATISTICS',
    'the number of nodes per label or edges per type is damaged; run verify, restore from a backup',
  );
}
