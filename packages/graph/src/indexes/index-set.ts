/** The property indexes that a commit has. */
import { BTree } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { COUNTER } from '../model/counters.ts';
import { DICTIONARY_KEY_SIZE, INDEX_KIND, readDictionaryNumber, writeDictionaryKey } from '../names/dictionary.ts';
import { RECORD_KINDS, type RecordOn } from '../names/record-kind.ts';
import { damagedIndex, decodeDefinition, type IndexDefinition, indexTreeName } from './definition.ts';

/** Sets that are remembered: of the newest commit, and of a few snapshots. */
const REMEMBERED = 4;
/** Room for any key that a damaged tree may hold. */
const KEY = new Uint8Array(8192);

/** An index with its tree. */
export interface PropertyIndex extends IndexDefinition {
  readonly tree: BTree;
}

const NONE: readonly PropertyIndex[] = [];

/** Indexes of one version. */
export class PropertyIndexSet {
  readonly all: readonly PropertyIndex[];
  private readonly byName = { node: new Map<number, PropertyIndex[]>(), edge: new Map<number, PropertyIndex[]>() };

  constructor(all: readonly PropertyIndex[]) {
    this.all = all;
    for (const index of all) {
      const map = this.byName[index.on];
      const known = map.get(index.name);
      if (known === undefined) map.set(index.name, [index]);
      else known.push(index);
    }
  }

  /** Is there an index on nodes, or on edges? */
  has(on: RecordOn): boolean {
    return this.byName[on].size > 0;
  }

  /** Indexes on the nodes of a label or the edges of a type. */
  of(on: 'node' | 'edge', name: number): readonly PropertyIndex[] {
    return this.byName[on].get(name) ?? NONE;
  }

  /** The index on exactly these properties, in this order. */
  find(on: 'node' | 'edge', name: number, keyIds: readonly number[]): PropertyIndex | undefined {
    return this.of(on, name).find(
      (index) => index.keyIds.length === keyIds.length && index.keyIds.every((key, i) => key === keyIds[i]),
    );
  }
}

const EMPTY = new PropertyIndexSet(NONE);

/** Knows the indexes of every commit that is asked for; one per graph. */
export class PropertyIndexes {
  private readonly dictionaryTree: BTree;
  private readonly remembered: { readonly version: number; readonly set: PropertyIndexSet }[] = [];

  constructor(dictionaryTree: BTree) {
    this.dictionaryTree = dictionaryTree;
  }

  /**
   * Indexes that a view has.
   * @throws CorruptionError SOMBRA_PROPERTY_INDEX, and those of trees
   */
  of(view: View): PropertyIndexSet {
    const version = view.counter(COUNTER.indexVersion);
    if (version === 0) return EMPTY;
    const { remembered } = this;
    for (const one of remembered) if (one.version === version) return one.set;
    const set = new PropertyIndexSet(loadIndexes(view, this.dictionaryTree));
    remembered.unshift({ version, set });
    remembered.length = Math.min(remembered.length, REMEMBERED);
    return set;
  }
}

/** Reads all definitions and opens their trees. @throws CorruptionError SOMBRA_PROPERTY_INDEX, and those of trees */
export function loadIndexes(view: View, dictionaryTree: BTree): PropertyIndex[] {
  return loadDefinitions(view, dictionaryTree).map((definition) => {
    const tree = BTree.open(view, indexTreeName(definition.number));
    if (tree === undefined) throw damagedIndex(`index ${definition.number} has no tree`);
    return { ...definition, tree };
  });
}

/** Reads all definitions. @throws as `loadIndexes` */
export function loadDefinitions(view: View, dictionaryTree: BTree): IndexDefinition[] {
  const found: IndexDefinition[] = [];
  const version = view.counter(COUNTER.indexVersion);
  const start = new Uint8Array(DICTIONARY_KEY_SIZE);
  writeDictionaryKey(start, INDEX_KIND, 0);
  const cursor = dictionaryTree.cursor(view);
  try {
    for (let more = cursor.seek(start, start.length); more; more = cursor.next()) {
      const length = cursor.keyInto(KEY);
      const number = length === DICTIONARY_KEY_SIZE && KEY[0] === INDEX_KIND ? readDictionaryNumber(KEY) : 0;
      const definition = decodeDefinition(number, cursor.value());
      const names = view.counter(RECORD_KINDS[definition.on].nameCount);
      const keys = view.counter(COUNTER.propertyKeys);
      if (number < 1 || number > version)
        throw damagedIndex(`there is an index ${number}, the counter says ${version}`);
      if (definition.name >= names || definition.keyIds.some((key) => key >= keys))
        throw damagedIndex(`index ${number} is on a name that does not exist`);
      found.push(definition);
    }
  } finally {
    cursor.close();
  }
  return found;
}
