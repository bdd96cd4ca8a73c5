/** The labels of a node as one text: `:Person:Author` as other tools write it, or a JSON list where that would not do. */
import { syntaxProblem } from '../errors/graph-file-error.ts';
import { parseJson } from '../values/exact-json.ts';
import { CellError, quote } from '../values/scalar.ts';
import { isXmlText, xmlJson } from './escape.ts';

/** Labels as a text. */
export function labelText(labels: readonly string[]): string {
  const plain = labels.every((label) => !label.includes(':') && isXmlText(label));
  return plain ? labels.map((label) => `:${label}`).join('') : xmlJson(JSON.stringify(labels));
}

/** Reads labels; a text that begins with neither `:` nor `[` is one label. @throws GraphFileError SOMBRA_GRAPH_FILE_SYNTAX */
export function parseLabelText(text: string): readonly string[] {
  if (text === '') return [];
  if (text.startsWith('[')) return parseList(text);
  const labels = text.startsWith(':') ? text.slice(1).split(':') : [text];
  if (labels.includes('')) throw syntaxProblem(`a label in ${quote(text)} is empty`);
  return labels;
}

function parseList(text: string): readonly string[] {
  let list: unknown;
  try {
    list = parseJson(text);
  } catch (error) {
    if (!(error instanceof CellError)) throw error;
  }
  if (Array.isArray(list) && list.every((label) => typeof label === 'string')) return list;
  throw syntaxProblem(`${quote(text)} is no list of labels: write :A:B or ["A","B"]`);
}
