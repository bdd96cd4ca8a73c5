// Goal: a typed cell becomes exactly the value that was written, and what is no such value is refused. Method: tables.
import { describe, expect, it } from 'vitest';
import { parseCell } from '../src/csv/cell.ts';
import { parseColumnType } from '../src/csv/column.ts';
import { CellError } from '../src/values/scalar.ts';

function read(text: string, type: string): unknown {
  const column = parseColumnType(type);
  if (column === undefined) throw new Error(`no type ${type}`);
  return parseCell(text, column, ';');
}

describe('types', () => {
  it.each([
    ['int', { scalar: 'int', list: false }],
    ['long', { scalar: 'int', list: false }],
    ['Double[]', { scalar: 'float', list: true }],
    ['bool', { scalar: 'boolean', list: false }],
    ['string[]', { scalar: 'string', list: true }],
  ])('%s', (name, expected) => expect(parseColumnType(name)).toEqual(expected));

  it.each(['text', '', '[]', 'int[][]', 'constructor', '__proto__'])('%j is none', (name) => {
    expect(parseColumnType(name)).toBeUndefined();
  });
});

describe('values', () => {
  it.each([
    ['0', 'int', 0],
    ['-0', 'int', 0],
    ['+7', 'int', 7],
    ['007', 'int', 7],
    ['9007199254740991', 'long', 9007199254740991],
    ['9007199254740992', 'long', 9007199254740992n],
    ['9223372036854775807', 'long', 9223372036854775807n],
    ['+9223372036854775807', 'long', 9223372036854775807n],
    ['-9223372036854775808', 'long', -9223372036854775808n],
    ['1.5', 'float', 1.5],
    ['.5', 'float', 0.5],
    ['5.', 'float', 5],
    ['-1e-7', 'double', -1e-7],
    ['-0', 'float', -0],
    ['NaN', 'float', NaN],
    ['-Infinity', 'float', -Infinity],
    ['0e-400', 'float', 0],
    ['5e-324', 'float', 5e-324],
    ['TRUE', 'boolean', true],
    ['false', 'boolean', false],
    [' padded ', 'string', ' padded '],
    ['AAEC/w==', 'bytes', new Uint8Array([0, 1, 2, 255])],
    ['2024-02-29', 'date', new Date('2024-02-29T00:00:00Z')],
    ['0001-01-01', 'date', new Date('0001-01-01T00:00:00Z')],
    ['2024-02-29T12:30:15.250Z', 'datetime', new Date('2024-02-29T12:30:15.250Z')],
    ['2024-02-29 12:30', 'datetime', new Date('2024-02-29T12:30:00Z')],
    ['2024-02-29T12:30:00+05:30', 'datetime', new Date('2024-02-29T07:00:00Z')],
    ['2024-01-01T00:30:00-0100', 'datetime', new Date('2024-01-01T01:30:00Z')],
    ['2024-01-01T00:00:00.123000Z', 'datetime', new Date('2024-01-01T00:00:00.123Z')],
    ['1;2;3', 'int[]', [1, 2, 3]],
    ['a;;b', 'string[]', ['a', '', 'b']],
    ['one', 'string[]', ['one']],
  ])('%j as %s', (text, type, expected) => expect(read(text, type)).toStrictEqual(expected));

  it.each(['string', 'int', 'float', 'boolean', 'bytes', 'date', 'datetime', 'int[]'])(
    'an empty cell of %s is absent',
    (type) => expect(read('', type)).toBeUndefined(),
  );

  it.each([
    ['1.0', 'int'],
    ['1e3', 'int'],
    [' 1', 'int'],
    ['0x10', 'int'],
    ['9223372036854775808', 'int'],
    ['-9223372036854775809', 'int'],
    ['1'.repeat(40), 'int'],
    ['1,5', 'float'],
    ['1e400', 'float'],
    ['-1e-400', 'float'],
    ['infinity', 'float'],
    ['.', 'float'],
    ['yes', 'boolean'],
    ['1', 'boolean'],
    ['AAE', 'bytes'],
    ['AA=A', 'bytes'],
    ['2023-02-29', 'date'],
    ['2023-13-01', 'date'],
    ['2023-1-1', 'date'],
    ['2023-01-01T00:00:00Z', 'date'],
    ['2023-02-30T00:00:00Z', 'datetime'],
    ['2023-01-01T24:00:00Z', 'datetime'],
    ['2023-01-01T00:60:00Z', 'datetime'],
    ['2023-01-01', 'datetime'],
    ['2023-01-01T00:00:00.0001Z', 'datetime'],
    ['2023-01-01T00:00:00+19:00', 'datetime'],
    ['1;x', 'int[]'],
    ['1;;2', 'int[]'],
  ])('%j is no %s', (text, type) => expect(() => read(text, type)).toThrow(CellError));
});
