// Goal: headers of both styles become the columns that they mean, and an invalid one is refused with its file.
// Method: tables.
import { describe, expect, it } from 'vitest';
import type { Column, ColumnType } from '../src/csv/column.ts';
import type { FileKind, HeaderOptions } from '../src/csv/header.ts';
import { parseHeader } from '../src/csv/header.ts';

const string: ColumnType = { scalar: 'string', list: false };
const int: ColumnType = { scalar: 'int', list: false };

function header(line: string, kind: FileKind, options: Partial<HeaderOptions> = {}): Column[] {
  return parseHeader(line.split(','), kind, { columns: new Map(), ...options }, { file: 'some.csv', line: 1 });
}

describe('typed headers', () => {
  it('of nodes', () => {
    expect(header(':ID,name,born:int,tags:string[],:LABEL,x:IGNORE', 'nodes')).toEqual([
      { role: 'id', name: null, group: null, type: string },
      { role: 'property', name: 'name', type: string },
      { role: 'property', name: 'born', type: int },
      { role: 'property', name: 'tags', type: { scalar: 'string', list: true } },
      { role: 'label' },
      { role: 'ignore' },
    ]);
  });

  it('with groups and a named id', () => {
    expect(header('code:ID(Airport),lat:double', 'nodes')).toEqual([
      { role: 'id', name: 'code', group: 'Airport', type: string },
      { role: 'property', name: 'lat', type: { scalar: 'float', list: false } },
    ]);
  });

  it('of edges', () => {
    expect(header(':START_ID(Airport),:END_ID(City),:TYPE,dist:long', 'edges')).toEqual([
      { role: 'start', group: 'Airport' },
      { role: 'end', group: 'City' },
      { role: 'type' },
      { role: 'property', name: 'dist', type: int },
    ]);
  });

  it('takes no other column for the id once one is named', () => {
    expect(header('id,key:ID', 'nodes')[0]).toEqual({ role: 'property', name: 'id', type: string });
  });
});

describe('plain headers', () => {
  it('have usual names', () => {
    expect(header('id,name', 'nodes')[0]).toEqual({ role: 'id', name: 'id', group: null, type: string });
    expect(header('id,from,to', 'edges')).toEqual([
      { role: 'property', name: 'id', type: string },
      { role: 'start', group: null },
      { role: 'end', group: null },
    ]);
  });

  it('need no id', () => {
    expect(header('name', 'nodes')).toEqual([{ role: 'property', name: 'name', type: string }]);
  });

  it('get their parts and types from options', () => {
    const columns = new Map([
      ['key', int],
      ['longest', int],
      ['note', null],
    ]);
    expect(header('key,kind,longest,note', 'nodes', { idColumn: 'key', labelColumn: 'kind', columns })).toEqual([
      { role: 'id', name: 'key', group: null, type: int },
      { role: 'label' },
      { role: 'property', name: 'longest', type: int },
      { role: 'ignore' },
    ]);
    expect(header('a,b,rel', 'edges', { from: 'b', to: 'a', typeColumn: 'rel' })).toEqual([
      { role: 'end', group: null },
      { role: 'start', group: null },
      { role: 'type' },
    ]);
  });
});

describe('refused', () => {
  it.each([
    ['a:b:c', 'nodes', {}, 'cannot be read'],
    ['id,born:number', 'nodes', {}, 'has a type that nodes do not have'],
    [':START_ID,:END_ID', 'nodes', {}, 'has a type that nodes do not have'],
    [':ID,name', 'edges', {}, 'has a type that edges do not have'],
    ['id,,name', 'nodes', {}, 'has no name'],
    ['id,:int', 'nodes', {}, 'has no name'],
    ['id,born:int(Group)', 'nodes', {}, 'names a group'],
    ['a:ID,b:ID', 'nodes', {}, 'two columns are :ID'],
    ['name,name', 'nodes', {}, 'two columns are called "name"'],
    ['id:ID,id:int', 'nodes', {}, 'two columns are called "id"'],
    ['name', 'nodes', { idColumn: 'key' }, 'there is no column "key", which --id-column names; columns: name'],
    ['name', 'nodes', { labelColumn: 'kind' }, 'which --label-column names'],
    ['a,b', 'edges', {}, 'where an edge begins'],
    ['from,b', 'edges', {}, 'where an edge ends'],
    ['from,to', 'edges', { from: 'source' }, 'which --from names'],
    ['from,to', 'edges', { typeColumn: 'rel' }, 'which --type-column names'],
  ] as const)('%s in %s', (line, kind, options, message) => {
    let error: { code?: string; message?: string } = {};
    try {
      header(line, kind, options);
    } catch (caught) {
      error = caught as typeof error;
    }
    expect(error.code).toBe('SOMBRA_CSV_HEADER');
    expect(error.message).toContain('some.csv:1: ');
    expect(error.message).toContain(message);
  });
});
