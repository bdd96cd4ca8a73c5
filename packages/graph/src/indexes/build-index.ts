import type { BulkBuilder, BulkTree } from '@sombra/btree';
import { sameValue } from '../values/same-value.ts';
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

/** Where the values behind two entries can be looked up, to tell those that were cut from each other. */
export interface ValueSource {
  /** Values of the index's properties of a node or edge. */
  values(index: IndexDefinition, id: number): readonly PropertyValue[] | undefined;
  /** @param id  has the same values as `other` */
  duplicate(index: IndexDefinition, other: number, id: number): Error;
}

/**
 * Builds the tree of an index from its keys in order.
 * @param row  called for each entry
 * @throws what `source.duplicate` makes when the index is unique and two have the same values; what the builder throws
 */
export function buildIndex(
  builder: BulkBuilder,
  keys: KeyStream,
  index: IndexDefinition,
  source: ValueSource,
  row: () => void,
): BulkTree {
  const check = index.unique ? new NeighbourCheck(index, source) : undefined;
  while (keys.next()) {
    check?.next(keys.key, keys.length);
    builder.add(keys.key, keys.length, NO_BYTES, 0, 0);
    row();
  }
  return builder.finish();
}

/** Finds equal values among entries that come in order. */
export class NeighbourCheck {
  private readonly index: IndexDefinition;
  private readonly source: ValueSource;
  private key = NO_BYTES;
  /** Entries that have the same key so far. */
  private readonly ids: number[] = [];

  constructor(index: IndexDefinition, source: ValueSource) {
    this.index = index;
    this.source = source;
  }

  /** @throws what `source.duplicate` makes */
  next(key: Uint8Array, length: number): void {
    const { ids, index, source } = this;
    const size = length - ID_SIZE;
    const id = idOf(key, length);
    if (this.key.length !== size || !this.key.every((byte, i) => byte === key[i])) {
      this.key = key.slice(0, size);
      ids.length = 0;
      ids.push(id);
      return;
    }
    const kind = keyKind(key, size);
    if (kind === 'unordered') return;
    if (kind === 'whole') throw source.duplicate(index, ids[0]!, id);
    const values = source.values(index, id);
    for (const other of ids) {
      const found = source.values(index, other);
      if (values?.every((value, i) => sameValue(value, found![i]!)) === true) throw source.duplicate(index, other, id);
    }
    ids.push(id);
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
