import type { View } from '@sombra/pager';
import { NAME_KIND, DICTIONARY_KEY_SIZE } from '../names/dictionary.ts';
import { readU48 } from '../values/u48.ts';
import type { Findings } from '../model/findings.ts';
import { checkIdBlock, ID_BLOCK_IDS_OFFSET, idAt } from '../ids/id-block.ts';
import { INDEX_KEY_ID_OFFSET, INDEX_KEY_SIZE } from '../ids/id-index.ts';
import { STATISTIC_SIZE } from '../names/statistics.ts';
import type { Steps } from '../model/steps.ts';
import type { RecordTable } from '../store/record-table.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import { type RecordCounts, recordReader, scan } from './verify-records.ts';

const TWO_32 = 0x1_0000_0000;
const KEY = new Uint8Array(8192);

/** One of the two indexes, with what it must agree with. */
interface Indexed {
  readonly table: RecordTable;
  readonly word: 'label' | 'edge type';
  /** Members per name, as the records have it. */
  readonly counts: readonly (number | undefined)[];
  /** Names of a member; undefined when it has no record. */
  readonly namesOf: (id: number) => readonly number[] | undefined;
}

/** Checks label index, edge-type index, statistics and counters against the records. */
export function* verifyIndexes(store: GraphStore, view: View, records: RecordCounts, findings: Findings): Steps<void> {
  const reader = recordReader(view);
  const labels: Indexed = {
    table: store.nodes,
    word: 'label',
    counts: records.labels,
    namesOf: (id) => store.nodeShape(view, id, reader)?.labelIds,
  };
  const types: Indexed = {
    table: store.edges,
    word: 'edge type',
    counts: records.types,
    namesOf: (id) => {
      const ends = store.edgeEnds(view, id);
      return ends === undefined ? undefined : [ends.type];
    },
  };
  yield* verifyIndex(view, labels, records.complete, findings);
  yield* verifyIndex(view, types, records.complete, findings);
  yield* verifyStatistics(store, view, [labels, types], records.complete, findings);
  if (!records.complete) return;
  for (const [what, counter, found] of [
    ['nodes', COUNTER.nodeCount, records.nodes],
    ['edges', COUNTER.edgeCount, records.edges],
  ] as const) {
    const counted = view.counter(counter);
    if (counted !== found) findings.add('indexErrors', `the counter says ${counted} ${what}, there are ${found}`);
  }
}

function* verifyIndex(view: View, indexed: Indexed, complete: boolean, findings: Findings): Steps<void> {
  const { table, word, counts } = indexed;
  const { byName: index, kind } = table;
  const names = view.counter(kind.nameCount);
  const found: number[] = [];
  let last = 0;
  let lastName = -1;
  const done = yield* scan(index.tree, view, findings, 'indexErrors', (cursor) => {
    const length = cursor.keyInto(KEY);
    if (length !== INDEX_KEY_SIZE) {
      findings.add('indexErrors', `tree '${index.tree.name}' has a key of ${length} bytes`);
      return;
    }
    const name = ((KEY[0]! << 24) | (KEY[1]! << 16) | (KEY[2]! << 8) | KEY[3]!) >>> 0;
    const first = readU48(KEY, INDEX_KEY_ID_OFFSET);
    if (name >= names) findings.add('indexErrors', `there is an index of ${word} ${name}, and there are ${names}`);
    if (name !== lastName) last = 0;
    lastName = name;
    findings.attempt('indexErrors', `${word} ${name}`, () => {
      const { words } = view.cache;
      const at = cursor.valueOffset;
      if (cursor.overflow !== 0) {
        findings.add('indexErrors', `a block of ${word} ${name} lies in overflow pages`);
        return;
      }
      const size = checkIdBlock(words, at, cursor.valueLength);
      const count = (cursor.valueLength - ID_BLOCK_IDS_OFFSET) / size;
      if (first <= last || idAt(words, at, size, 0) < first) {
        findings.add(
          'indexErrors',
          `a block of ${word} ${name} has key ${first}, follows id ${last} and begins with id ${idAt(words, at, size, 0)}`,
        );
      }
      for (let i = 0; i < count; i += 1) {
        const id = idAt(words, at, size, i);
        if (id <= last) findings.add('indexErrors', `id ${id} follows id ${last} in the index of ${word} ${name}`);
        else if (hasName(indexed, id, name, findings)) found[name] = (found[name] ?? 0) + 1;
        last = id;
      }
    });
  });
  if (!done || !complete) return;
  for (let name = 0; name < names; name += 1) {
    const expected = counts[name] ?? 0;
    if ((found[name] ?? 0) !== expected) yield* reportMissing(view, indexed, name, findings);
  }
}

/** Does a member of an index have the name in its record? Reports it when it does not. */
function hasName({ word, table, namesOf }: Indexed, id: number, name: number, findings: Findings): boolean {
  let has = false;
  findings.attempt('indexErrors', '', () => {
    const namesFound = namesOf(id);
    has = namesFound?.includes(name) === true;
    if (!has)
      findings.add(
        'indexErrors',
        `the index of ${word} ${name} has ${table.kind.on} ${id}, which ${namesFound === undefined ? 'does not exist' : `is not of this ${word}`}`,
      );
  });
  return has;
}

/** Names the members that an index lacks. */
function* reportMissing(view: View, { table, word, namesOf }: Indexed, name: number, findings: Findings): Steps<void> {
  const { tree, byName, kind } = table;
  yield* scan(tree, view, findings, 'indexErrors', (cursor) => {
    if (cursor.keyInto(KEY) !== 6) return;
    const id = readU48(KEY, 0);
    findings.attempt('indexErrors', '', () => {
      if (namesOf(id)?.includes(name) !== true || byName.has(view, name, id)) return;
      findings.add('indexErrors', `${kind.on} ${id} is missing in the index of ${word} ${name}`);
    });
  });
}

function* verifyStatistics(
  store: GraphStore,
  view: View,
  both: readonly Indexed[],
  complete: boolean,
  findings: Findings,
): Steps<void> {
  const stored: Record<number, number[]> = { [NAME_KIND.label]: [], [NAME_KIND.edgeType]: [] };
  const { tree } = store.statistics;
  const done = yield* scan(tree, view, findings, 'indexErrors', (cursor) => {
    const length = cursor.keyInto(KEY);
    const indexed = both.find(({ table }) => table.kind.names === KEY[0]);
    const id = ((KEY[1]! << 24) | (KEY[2]! << 16) | (KEY[3]! << 8) | KEY[4]!) >>> 0;
    if (length !== DICTIONARY_KEY_SIZE || indexed === undefined || id >= view.counter(indexed.table.kind.nameCount)) {
      findings.add(
        'indexErrors',
        `there is a count of kind ${KEY[0]!} and number ${id}, which is no label and no edge type`,
      );
      return;
    }
    if (cursor.overflow !== 0 || cursor.valueLength !== STATISTIC_SIZE) {
      findings.add('indexErrors', `the count of ${indexed.word} ${id} has ${cursor.valueLength} bytes`);
      return;
    }
    const word = cursor.valueOffset >> 2;
    stored[indexed.table.kind.names]![id] = view.cache.words[word]! + view.cache.words[word + 1]! * TWO_32;
  });
  if (!done || !complete) return;
  for (const { table, word, counts } of both) {
    const names = view.counter(table.kind.nameCount);
    for (let id = 0; id < names; id += 1) {
      const count = stored[table.kind.names]![id] ?? 0;
      const expected = counts[id] ?? 0;
      if (count !== expected)
        findings.add('indexErrors', `the count of ${word} ${id} is ${count}, there are ${expected}`);
    }
  }
}
