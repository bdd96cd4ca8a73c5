import type { BulkBuilder, BulkTree } from '@sombra/btree';
import { sameValues } from '../values/same-value.ts';
import { valueHash } from '../values/value-hash.ts';
import type { Steps } from '../model/steps.ts';
import type { PropertyValue } from '../model/types.ts';
import type { IndexDefinition } from './definition.ts';
import {
  COMPONENT,
  CONTENT_CUT,
  CONTENT_END,
  CONTENT_ZERO,
  HASH_SIZE,
  ID_SIZE,
  idOf,
  NUMBER_SIZE,
  REMAINDER_SIZE,
} from './index-key.ts';
import type { KeyStream } from '../sorting/key-sorter.ts';

const NO_BYTES = new Uint8Array(0);

/** Where the values behind entries can be looked up whose keys do not say it all. */
export interface ValueSource {
  /** Values of the index's properties of a node or edge. */
  values(index: IndexDefinition, id: number): readonly PropertyValue[] | undefined;
  /** @param id  has the same values as `other` */
  duplicate(index: IndexDefinition, other: number, id: number): Error;
}

/**
 * Builds the tree of an index from its keys in order.
 * @param row  called for each entry. @returns is it time to yield?
 * @throws what `source.duplicate` makes when the index is unique and two have the same values; what the builder throws
 */
export function* buildIndex(
  builder: BulkBuilder,
  keys: KeyStream,
  index: IndexDefinition,
  source: ValueSource,
  row: () => boolean,
): Steps<BulkTree> {
  const check = index.unique ? new NeighbourCheck(index, source) : undefined;
  while (keys.next()) {
    check?.next(keys.key, keys.length);
    builder.add(keys.key, keys.length, NO_BYTES, 0, 0);
    if (row()) yield;
  }
  return builder.finish();
}

/** Finds equal values among entries that come in order. */
export class NeighbourCheck {
  private readonly index: IndexDefinition;
  private readonly source: ValueSource;
  private key = NO_BYTES;
  /** First entry with this key. */
  private first = 0;
  /** Entries with this key by the hash of their values; empty as long as there is one only, or when the key is exact. */
  private readonly byHash = new Map<number, number[]>();

  constructor(index: IndexDefinition, source: ValueSource) {
    this.index = index;
    this.source = source;
  }

  /** @throws what `source.duplicate` makes */
  next(key: Uint8Array, length: number): void {
    const { index, source, first } = this;
    const size = length - ID_SIZE;
    const id = idOf(key, length);
    if (this.key.length !== size || !this.key.every((byte, i) => byte === key[i])) {
      this.key = key.slice(0, size);
      this.first = id;
      this.byHash.clear();
      return;
    }
    if (keyKind(key, size) === 'whole') throw source.duplicate(index, first, id);
    if (this.byHash.size === 0) this.compare(first);
    this.compare(id);
  }

  private compare(id: number): void {
    const { index, source, byHash } = this;
    const values = source.values(index, id);
    if (values === undefined) return;
    const hash = valueHash([...values]);
    const others = byHash.get(hash);
    if (others === undefined) {
      byHash.set(hash, [id]);
      return;
    }
    for (const other of others) {
      const found = source.values(index, other);
      if (found !== undefined && sameValues(values, found)) throw source.duplicate(index, other, id);
    }
    others.push(id);
  }
}

/** Do equal components mean equal values, or were some cut, or have some no order? `damaged`: they are no components. */
export function keyKind(key: Uint8Array, size: number): 'whole' | 'cut' | 'unordered' | 'damaged' {
  let cut = false;
  for (let at = 0; at < size; ) {
    switch (key[at]) {
      case COMPONENT.false:
      case COMPONENT.true:
        at += 1;
        break;
      case COMPONENT.number:
        at += 1 + NUMBER_SIZE + REMAINDER_SIZE;
        break;
      case COMPONENT.date:
        at += 1 + NUMBER_SIZE;
        break;
      case COMPONENT.unordered:
        return 'unordered';
      case COMPONENT.text:
      case COMPONENT.bytes:
        for (at += 1; at < size && (key[at] !== 0 || key[at + 1] === CONTENT_ZERO); at += 1) if (key[at] === 0) at += 1;
        if (key[at + 1] === CONTENT_CUT) {
          cut = true;
          at += HASH_SIZE;
        } else if (key[at + 1] !== CONTENT_END) return 'damaged';
        at += 2;
        break;
      default:
        return 'damaged';
    }
    if (at > size) return 'damaged';
  }
  return cut ? 'cut' : 'whole';
}
