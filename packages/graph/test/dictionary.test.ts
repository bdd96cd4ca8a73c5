// Goal: names keep their numbers, roll back with their transaction, and are refused beyond the limits; counts per label and
// type follow; docs/format/dictionary.md agrees with the code; a damaged dictionary is refused.
// Method: transactions on a small graph; the full dictionary is really filled; damage is planted through the pager.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import * as dictionary from '../src/names/dictionary.ts';
import { Graph } from '../src/index.ts';
import { EDGE_TYPES_MAX, LABELS_MAX, NAME_SIZE_MAX, PROPERTY_KEYS_MAX } from '../src/model/limits.ts';
import { COUNTER } from '../src/model/counters.ts';
import { compare } from './support/compare.ts';
import { codeOf } from './support/errors.ts';
import { ModelGraph } from './support/model.ts';
import { OpenGraph, withGraph } from './support/open.ts';
import { nameKey, plant, type Planter } from './support/plant.ts';

test('the tables of docs/format/dictionary.md agree with the constants', () => {
  expect(readFormatTable('dictionary.md', 'Key').map(({ field, offset, size }) => [field, offset, size])).toEqual([
    ['kind', dictionary.DICTIONARY_KIND_OFFSET, dictionary.DICTIONARY_ID_OFFSET - dictionary.DICTIONARY_KIND_OFFSET],
    ['number', dictionary.DICTIONARY_ID_OFFSET, dictionary.DICTIONARY_KEY_SIZE - dictionary.DICTIONARY_ID_OFFSET],
  ]);
  const text = readFileSync(new URL('../../../docs/format/dictionary.md', import.meta.url), 'utf8');
  const kinds = [...text.matchAll(/^\| (\d) +\| `([\w ]+)` +\| ([\d,]+) +\|/gm)].map(([, kind, name, most]) => [
    Number(kind),
    name,
    Number(most!.replaceAll(',', '')),
  ]);
  const { label, edgeType, propertyKey } = dictionary.NAME_KIND;
  expect(kinds).toEqual([
    [label, 'label', LABELS_MAX],
    [edgeType, 'edge type', EDGE_TYPES_MAX],
    [propertyKey, 'property key', PROPERTY_KEYS_MAX],
  ]);
  expect(text).toContain(`at most ${NAME_SIZE_MAX} bytes`);
});

describe('names', () => {
  test('they come in order of first use, and an older snapshot does not know newer ones', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addNode(['B', 'A'], { z: 1, y: 2 }));
      const snapshot = db.graph.snapshot();
      db.write((tx) => {
        const node = tx.addNode(['A', 'C'], { y: 1, x: 2 });
        tx.addEdge(node, node, 'T', { w: 1 });
        expect([tx.labels(), tx.edgeTypes(), tx.propertyKeys()]).toEqual([
          ['B', 'A', 'C'],
          ['T'],
          ['z', 'y', 'x', 'w'],
        ]);
        expect([db.reader.labels(), db.reader.edgeTypes(), db.reader.propertyKeys()]).toEqual([
          ['B', 'A'],
          [],
          ['z', 'y'],
        ]);
      });
      expect([snapshot.labels(), snapshot.edgeTypes(), snapshot.propertyKeys()]).toEqual([['B', 'A'], [], ['z', 'y']]);
      expect([...snapshot.nodeIds('C'), ...snapshot.edgeIds('T')]).toEqual([]);
      expect(db.reader.labels()).toEqual(['B', 'A', 'C']);
      snapshot.release();
      db.reopen();
      expect([db.reader.labels(), db.reader.edgeTypes(), db.reader.propertyKeys()]).toEqual([
        ['B', 'A', 'C'],
        ['T'],
        ['z', 'y', 'x', 'w'],
      ]);
    });
  });

  test('names of what is deleted stay', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.deleteNode(tx.addNode('Gone', { gone: 1 })));
      expect([db.reader.labels(), db.reader.propertyKeys(), db.reader.nodeCount('Gone')]).toEqual([
        ['Gone'],
        ['gone'],
        0,
      ]);
    });
  });

  test('after a rollback their numbers go to other names, and nothing decoded before is mixed up', () => {
    withGraph({}, (db) => {
      db.write((tx) => tx.addNode('Base', { base: 1 }));
      for (const suffix of ['a', 'b', 'c', 'd']) {
        const tx = db.graph.begin();
        const node = tx.addNode([`L${suffix}`], { [`k${suffix}`]: suffix, base: 2 });
        const edge = tx.addEdge(node, node, `T${suffix}`, { [`e${suffix}`]: 1 });
        const mark = tx.savepoint();
        tx.addNode([`S${suffix}`], { [`s${suffix}`]: 1 });
        tx.rollbackTo(mark);
        const again = tx.addNode([`R${suffix}`], { [`r${suffix}`]: 1 });
        expect(tx.getNode(node)).toEqual({
          id: 2,
          labels: [`L${suffix}`],
          properties: { [`k${suffix}`]: suffix, base: 2 },
        });
        expect(tx.getNode(again)).toEqual({ id: 3, labels: [`R${suffix}`], properties: { [`r${suffix}`]: 1 } });
        expect(tx.getEdge(edge)).toMatchObject({ id: 1, type: `T${suffix}`, properties: { [`e${suffix}`]: 1 } });
        expect(tx.labels()).toEqual(['Base', `L${suffix}`, `R${suffix}`]);
        tx.rollback();
        expect([db.reader.labels(), db.reader.propertyKeys(), db.reader.edgeTypes()]).toEqual([['Base'], ['base'], []]);
      }
    });
  });

  test.each(['', 'x'.repeat(NAME_SIZE_MAX), 'é'.repeat(127), '__proto__', 'toString', '\0', '0'])(
    '%j can be a property key',
    (key) => {
      withGraph({}, (db) => {
        const node = db.write((tx) => tx.addNode([], Object.fromEntries([[key, 1]])));
        db.reopen();
        expect(db.reader.getNodeProperty(node, key)).toBe(1);
        expect(Object.entries(db.reader.getNode(node)!.properties)).toEqual([[key, 1]]);
      });
    },
  );
});

describe('limits', () => {
  test('65,535 labels and edge types, then a typed error and the data as before', () => {
    expect(EDGE_TYPES_MAX).toBe(LABELS_MAX);
    const db = new OpenGraph({ cacheSize: 200, maxTransactionPages: 10_000 });
    const planted = LABELS_MAX - 2; // used by nothing
    plant(db, (p) => {
      for (const kind of [1, 2])
        for (let number = 0; number < planted; number += 1)
          p.put('dictionary', nameKey(kind, number), Buffer.from(`N${number}`));
      p.tx.setCounter(COUNTER.labels, planted);
      p.tx.setCounter(COUNTER.edgeTypes, planted);
    });
    db.reopen();
    const tx = db.graph.begin();
    tx.addNode(['N5', 'Last but one', 'Last']);
    tx.addEdge(1, 1, 'LAST BUT ONE');
    tx.addEdge(1, 1, 'LAST');
    expect(codeOf(() => tx.addNode(['N5', 'OneMore'], { key: 1 }))).toBe('SOMBRA_DICTIONARY_FULL');
    expect(codeOf(() => tx.addLabel(1, 'OneMore'))).toBe('SOMBRA_DICTIONARY_FULL');
    expect(codeOf(() => tx.addEdge(1, 1, 'ONE MORE'))).toBe('SOMBRA_DICTIONARY_FULL');
    expect([tx.labels().length, tx.edgeTypes().length, tx.propertyKeys(), tx.nodeCount(), tx.edgeCount()]).toEqual([
      65_535,
      65_535,
      [],
      1,
      2,
    ]);
    expect([tx.addLabel(1, 'N0'), tx.addEdge(1, 1, 'N65532')]).toEqual([true, 3]);
    tx.commit();
    expect(db.reader.getNode(1)!.labels).toEqual(['N5', 'Last but one', 'Last', 'N0']);
    expect(db.reader.edgeIdsOf(1, { type: ['LAST', 'N65532'] })).toEqual([2, 3]);
    db.close(() => expect([db.reader.nodeCount('Last'), db.reader.edgeCount('LAST')]).toEqual([1, 1]));
  });
});

describe('counts per label and type', () => {
  test('they are right inside a transaction, after savepoints, and for older snapshots', () => {
    withGraph({}, (db) => {
      const model = new ModelGraph();
      db.write((tx) => {
        for (let i = 0; i < 5; i += 1) {
          const labels = ['A', 'B'].slice(0, 1 + (i % 2));
          tx.addNode(labels);
          model.addNode(labels);
        }
      });
      const snapshot = db.graph.snapshot();
      const tx = db.graph.begin();
      tx.addNode(['A']);
      const mark = tx.savepoint();
      tx.addNode(['A', 'B']);
      tx.removeLabel(1, 'A');
      tx.deleteNode(2);
      expect([tx.nodeCount('A'), tx.nodeCount('B'), tx.nodeCount()]).toEqual([5, 2, 6]);
      tx.rollbackTo(mark);
      expect([tx.nodeCount('A'), tx.nodeCount('B'), tx.nodeCount()]).toEqual([6, 2, 6]);
      expect([db.reader.nodeCount('A'), snapshot.nodeCount('A')]).toEqual([5, 5]);
      tx.commit();
      expect([db.reader.nodeCount('A'), snapshot.nodeCount('A'), db.reader.nodeCount('none')]).toEqual([6, 5, 0]);
      snapshot.release();
      model.addNode(['A']);
      expect(compare(db.reader, model)).toEqual([]);
    });
  });
});

describe('a damaged dictionary is refused when the graph is opened', () => {
  /** Opens a graph with two labels in which something was changed through the pager. */
  function openDamaged(change: (planter: Planter) => void): string {
    const db = new OpenGraph();
    db.write((tx) => tx.addNode(['One', 'Two'], { key: 1 }));
    plant(db, change);
    const code = codeOf(() => Graph.open(db.pager));
    db.pager.close();
    return code;
  }

  const key = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
  const put = (at: Uint8Array, name: string) => (planter: Planter) => planter.put('dictionary', at, Buffer.from(name));

  test.each<[string, (planter: Planter) => void]>([
    ['a gap', (planter) => planter.delete('dictionary', nameKey(1, 0))],
    ['fewer names than counted', (planter) => planter.delete('dictionary', nameKey(1, 1))],
    ['more names than counted', put(nameKey(1, 2), 'Three')],
    ['another number in the counter', (planter) => planter.tx.setCounter(COUNTER.labels, 3)],
    ['a name twice', put(nameKey(1, 1), 'One')],
    ['an unknown kind', put(nameKey(5, 0), 'New')],
    ['an index in a file that never had one', put(nameKey(4, 1), 'New')],
    ['a shorter key', put(key(1, 0, 0, 0), 'New')],
    ['a longer key', put(key(3, 0, 0, 0, 0, 0), 'New')],
    ['a name of 256 bytes', put(nameKey(3, 0), 'x'.repeat(256))],
    ['a name in overflow pages', put(nameKey(3, 0), 'x'.repeat(100_000))],
    ['a name that is no UTF-8', (planter) => planter.put('dictionary', nameKey(3, 0), [0xc3, 0x28])],
  ])('%s', (_name, change) => {
    expect(openDamaged(change)).toBe('SOMBRA_DICTIONARY');
  });

  test('nothing changed', () => expect(openDamaged(() => undefined)).toBe('no error'));
});
