/** Tables for people. */
import Table from 'cli-table3';
import type { EdgeRecord, NodeRecord, Properties, SelectedRecord } from '@sombra/db';
import type { Shell } from './shell.ts';
import { oneLine, propertiesToText, toText } from '../values/text.ts';

/** A plain table: a line of headings, columns two spaces apart. Numbers stand to the right. */
export function table(shell: Shell, heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const numeric = heads.map((_, column) => rows.length > 0 && rows.every((row) => typeof row[column] === 'number'));
  const grid = new Table({
    head: heads.map((head) => shell.colors.bold(head)),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: numeric.map((right) => (right ? 'right' : 'left')),
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  for (const row of rows) grid.push(row.map((cell) => (typeof cell === 'number' ? count(cell) : oneLine(cell))));
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** A number with separators, 1,234,567. No digit is left out: 0.0004 stays 0.0004. */
export function count(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return BigInt(value).toLocaleString('en-US');
  const [, sign = '', whole = '', rest = ''] = /^(-?)(\d+)(\.\d+)?$/.exec(String(value)) ?? [];
  return whole === '' ? String(value) : `${sign}${Number(whole).toLocaleString('en-US')}${rest}`;
}

/** `1 node`, `2 nodes`. */
export function plural(value: number, word: string, words = `${word}s`): string {
  return `${count(value)} ${value === 1 ? word : words}`;
}

/** A size in bytes for people. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]!}`;
}

/** One node, a line for each property. */
export function nodeCard(shell: Shell, { id, labels, properties }: NodeRecord): string {
  const keys = Object.keys(properties);
  const title = shell.colors.bold(oneLine([`node ${id}`, ...labels].join(' ')));
  const width = Math.max(0, ...keys.map((key) => oneLine(key).length));
  return [title, ...keys.map((key) => `  ${oneLine(key).padEnd(width)}  ${toText(properties[key]!)}`)].join('\n');
}

/**
 * Nodes with their properties.
 * @param show   property keys to show, each in a column; undefined: all in one, cut to the width of the terminal
 * @param extra  columns before the properties
 */
export function nodeTable(
  shell: Shell,
  nodes: readonly NodeRecord[],
  show: readonly string[] | undefined,
  extra: readonly { readonly head: string; readonly cell: (node: NodeRecord, row: number) => string | number }[] = [],
): string {
  const fixed = ['id', 'labels', ...extra.map(({ head }) => head)];
  const start = (node: NodeRecord, row: number): (string | number)[] => [
    String(node.id),
    node.labels.join(':'),
    ...extra.map(({ cell }) => cell(node, row)),
  ];
  if (show !== undefined) {
    const cells = (node: NodeRecord): string[] => show.map((key) => cell(node.properties, key));
    return table(
      shell,
      [...fixed, ...show],
      nodes.map((node, row) => [...start(node, row), ...cells(node)]),
    );
  }
  const properties = (node: NodeRecord): string => shortened(shell, node.properties);
  return table(
    shell,
    [...fixed, 'properties'],
    nodes.map((node, row) => [...start(node, row), properties(node)]),
  );
}

/** Edges with their properties. @param show  as for `nodeTable` */
export function edgeTable(shell: Shell, edges: readonly EdgeRecord[], show: readonly string[] | undefined): string {
  return table(
    shell,
    ['id', 'source', 'type', 'target', ...(show ?? ['properties'])],
    edges.map(({ id, source, type, target, properties }) => [
      String(id),
      String(source),
      type,
      String(target),
      ...(show === undefined ? [shortened(shell, properties)] : show.map((key) => cell(properties, key))),
    ]),
  );
}

/** Ids with selected properties. */
export function selectedTable(shell: Shell, rows: readonly SelectedRecord[], select: readonly string[]): string {
  return table(
    shell,
    ['id', ...select],
    rows.map(({ id, properties }) => [String(id), ...select.map((key) => cell(properties, key))]),
  );
}

function cell(properties: Properties, key: string): string {
  return Object.hasOwn(properties, key) ? toText(properties[key]!) : '';
}

/** All properties in one text, cut to the width of the terminal. */
function shortened(shell: Shell, properties: Properties): string {
  const room = Math.max(40, shell.width - 40);
  const text = propertiesToText(properties);
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}
