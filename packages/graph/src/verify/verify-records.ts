import type { BTree, Cursor } from '@sombra/btree';
import type { View } from '@sombra/pager';
import { readU48 } from '../values/u48.ts';
import { EdgeFingerprint } from '../adjacency/edge-fingerprint.ts';
import type { Findings } from '../model/findings.ts';
import { edgeEnds } from '../records/edge-record.ts';
import { entryBytes, entryStart } from '../records/value-bytes.ts';
import type { RecordTable } from '../store/record-table.ts';
import { EDGE_PROPERTIES_OFFSET } from '../records/record-format.ts';
import { RecordReader } from '../records/record-reader.ts';
import { damagedRecord, type Shape } from '../records/record-shape.ts';
import type { GraphStore } from '../store/store.ts';
import { COUNTER } from '../model/counters.ts';
import type { Steps } from '../model/steps.ts';

/** What the records say. */
export interface RecordCounts {
  nodes: number;
  edges: number;
  /** Nodes per label and edges per type, by number. */
  readonly labels: number[];
  readonly types: number[];
  /** All edges as they must stand in both directions of adjacency. */
  readonly out: EdgeFingerprint;
  readonly in: EdgeFingerprint;
  /** Could every record be reached? Else missing ones prove nothing. */
  complete: boolean;
}

const ID_KEY_SIZE = 6;
const KEY = new Uint8Array(8192);

/** Checks every node and edge by itself. */
export function* verifyRecords(store: GraphStore, view: View, findings: Findings): Steps<RecordCounts> {
  const counts: RecordCounts = {
    nodes: 0,
    edges: 0,
    labels: [],
    types: [],
    out: new EdgeFingerprint(),
    in: new EdgeFingerprint(),
    complete: true,
  };
  const records = recordReader(view);
  const shapes = new WeakSet<Shape>();
  const nodesDone = yield* eachRecord(store.nodes, view, findings, (bytes, at, length) => {
    counts.nodes += 1;
    const shape = records.open(bytes, at, length);
    checkShape(shape, shapes);
    for (const label of shape.labelIds) counts.labels[label] = (counts.labels[label] ?? 0) + 1;
    records.values(shape);
  });
  const typeCount = view.counter(COUNTER.edgeTypes);
  const edgesDone = yield* eachRecord(store.edges, view, findings, (bytes, at, length, id) => {
    counts.edges += 1;
    const { source, target, type } = edgeEnds(id, bytes, at, length);
    counts.out.add(id, source, target, type);
    counts.in.add(id, target, source, type);
    if (type >= typeCount) throw damagedRecord(`it has edge type ${type}, there are ${typeCount}`);
    counts.types[type] = (counts.types[type] ?? 0) + 1;
    const shape = records.open(bytes, at + EDGE_PROPERTIES_OFFSET, length - EDGE_PROPERTIES_OFFSET);
    checkShape(shape, shapes);
    if (shape.labelIds.length > 0) throw damagedRecord('an edge has labels');
    records.values(shape);
  });
  counts.complete = nodesDone && edgesDone;
  return counts;
}

/** A reader that knows which numbers have names, and does not need the names. */
export function recordReader(view: View): RecordReader {
  const labels = view.counter(COUNTER.labels);
  const keys = view.counter(COUNTER.propertyKeys);
  const name = (id: number, count: number, what: string): string => {
    if (id >= count) throw damagedRecord(`it has ${what} ${id}, there are ${count}`);
    return `${what} ${id}`;
  };
  return new RecordReader({
    labelName: (id) => name(id, labels, 'label'),
    keyName: (id) => name(id, keys, 'property key'),
  });
}

/** @returns false when the tree could not be read to its end */
function eachRecord(
  { tree, kind }: RecordTable,
  view: View,
  findings: Findings,
  visit: (bytes: Uint8Array, at: number, length: number, id: number) => void,
): Steps<boolean> {
  const what = kind.on;
  const next = view.counter(kind.nextId);
  return scan(tree, view, findings, 'recordErrors', (cursor) => {
    const length = cursor.keyInto(KEY);
    if (length !== ID_KEY_SIZE) {
      findings.add('recordErrors', `tree '${tree.name}' has a key of ${length} bytes, which is no id`);
      return;
    }
    const id = readU48(KEY, 0);
    if (id < 1 || id >= next)
      findings.add('recordErrors', `${what} ${id} exists, and ids of 1 to ${next - 1} were given out`);
    findings.attempt('recordErrors', `${what} ${id}`, () => {
      visit(entryBytes(view, cursor), entryStart(cursor), cursor.valueLength, id);
    });
  });
}

/** Entries that are visited from one step to the next. */
const STEP_ENTRIES = 128;

/** Visits all entries of a tree. @returns false when it could not be read to its end */
export function scan(
  tree: BTree,
  view: View,
  findings: Findings,
  kind: 'recordErrors' | 'adjacencyErrors' | 'indexErrors',
  visit: (cursor: Cursor) => void,
): Steps<boolean> {
  return findings.attemptSteps(kind, entries(tree, view, findings, visit));
}

function* entries(tree: BTree, view: View, findings: Findings, visit: (cursor: Cursor) => void): Steps<void> {
  const cursor = tree.cursor(view);
  try {
    let left = STEP_ENTRIES;
    for (let more = cursor.first(); more; more = cursor.next()) {
      findings.page = cursor.page;
      visit(cursor);
      left -= 1;
      if (left > 0) continue;
      left = STEP_ENTRIES;
      yield;
    }
  } finally {
    findings.page = 0;
    cursor.close();
  }
}

/** A label or key must not be named twice. @param known  shapes that were checked */
function checkShape(shape: Shape, known: WeakSet<Shape>): void {
  if (known.has(shape)) return;
  if (new Set(shape.labelIds).size !== shape.labelIds.length) throw damagedRecord('a label occurs twice');
  if (new Set(shape.keyIds).size !== shape.keyIds.length) throw damagedRecord('a property occurs twice');
  known.add(shape);
}
