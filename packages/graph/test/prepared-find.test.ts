// Goal: a prepared find gives what the find with these values gives, plans again when it must, and refuses values that do not
// fit. Method: tables, and the plans before and after an index comes and goes.
import { expect, test } from 'vitest';
import { and, not, or, param } from '../src/index.ts';
import { codeOf } from './support/errors.ts';
import { withGraph, type OpenGraph } from './support/open.ts';

function people(db: OpenGraph, count = 100): void {
  db.write((tx) => {
    for (let i = 0; i < count; i += 1) tx.addNode('P', { n: i, name: `Name ${i}` });
  });
}

test('values are given by name, in conditions of any nesting, limit, skip and after', () => {
  withGraph({}, (db) => {
    people(db);
    const found = db.reader.prepareNodes({
      label: 'P',
      where: or(
        { n: { in: [param('a'), param('b')] } },
        and({ n: { between: [param('a'), 12] } }, not({ n: param('b') })),
      ),
      orderBy: 'n',
      limit: param('limit'),
      after: param('after'),
    });
    expect([...found.parameters].sort()).toEqual(['a', 'after', 'b', 'limit']);
    const values = { a: 10, b: 50, limit: 3, after: { id: 11, properties: { n: 10 } } };
    expect(found.all(values).map(({ properties }) => properties['n'])).toEqual([11, 12, 50]);
    expect([found.first(values)?.id, found.count(values)]).toEqual([12, 4]);
    expect(db.pager.stats().snapshots).toBe(0);
  });
});

test('it uses an index as soon as there is one, and does without it when it is dropped', () => {
  withGraph({}, (db) => {
    people(db);
    const found = db.reader.prepareNodes({ label: 'P', where: { n: param('n') } });
    const ask = (): unknown => [found.first({ n: 7 })?.id, found.explain({ n: 7 }).access, found.first({ n: 7.5 })];
    expect(ask()).toEqual([8, 'label-scan', undefined]);
    db.graph.createPropertyIndex('P', 'n');
    expect(ask()).toEqual([8, 'index-equality', undefined]);
    expect(found.all({ n: [1] })).toEqual([]);
    expect(found.explain({ n: 7 }).access).toBe('index-equality');
    db.graph.dropPropertyIndex('P', 'n');
    expect(ask()).toEqual([8, 'label-scan', undefined]);
  });
});

test('on a transaction it sees what that wrote', () => {
  withGraph({}, (db) => {
    people(db, 1);
    const found = db.reader.prepareNodes({ label: 'P', where: { n: param('n') }, select: ['n'] });
    const tx = db.graph.begin();
    tx.addNode('P', { n: 77 });
    expect([found.on(tx).count({ n: 77 }), found.count({ n: 77 })]).toEqual([1, 0]);
    tx.rollback();
    expect(codeOf(() => found.on({} as never))).toBe('SOMBRA_OPTION');
  });
});

test('values that are missing, unknown or do not fit are refused by the call', () => {
  withGraph({}, (db) => {
    const found = db.reader.prepareNodes({ where: { n: { startsWith: param('start') } }, limit: param('limit') });
    expect(() => found.rows({ start: 'x' })).toThrow("parameter 'limit' has no value");
    expect(() => found.rows({ strat: 'x', limit: 1 })).toThrow("did you mean 'start'?");
    expect(codeOf(() => found.rows({ start: 5, limit: 1 }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => found.rows({ start: 'x', limit: -1 }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => found.rows())).toBe('SOMBRA_OPTION');
    expect(() => db.reader.findNodes({ where: { n: param('n') } }).all()).toThrow('prepare the find');
    expect(codeOf(() => db.reader.prepareNodes({ label: param('l') as never }))).toBe('SOMBRA_OPTION');
    expect(codeOf(() => param(''))).toBe('SOMBRA_OPTION');
  });
});
