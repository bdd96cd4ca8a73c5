/** From the text of a cell to a value. */
import type { PropertyValue } from '@sombra/db';
import { parseTagged } from '../values/tagged-json.ts';
import type { ColumnType } from './column.ts';
import { parseScalar } from '../values/scalar.ts';

/**
 * Reads a cell.
 * @param text       the cell; empty means that the value is absent
 * @param delimiter  what separates the values of a list
 * @throws CellError
 */
export function parseCell(text: string, type: ColumnType, delimiter: string): PropertyValue | undefined {
  if (text === '') return undefined;
  const { scalar } = type;
  if (scalar === 'json') return parseTagged(text);
  return type.list ? text.split(delimiter).map((part) => parseScalar(part, scalar)) : parseScalar(text, scalar);
}
