/** How findings and warnings are shown. */
import type { Shell } from '../shell/shell.ts';
import { table } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';
import type { Finding } from '@sombra/ops';

/** Lines of a report: a name, and what is to be said of it. */
export type Rows = readonly (readonly [name: string, value: string])[];

/** Names to the left, values to the right. */
export function rowsToText(rows: Rows): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${oneLine(value)}`).join('\n');
}

/** One line for each finding, after an empty one; nothing without any. */
export function findingLines(shell: Shell, damage: readonly Finding[], warnings: readonly Finding[]): string[] {
  const line = (word: string, { code, message }: Finding): string => `${word} ${code}: ${oneLine(message)}`;
  const lines = [
    ...damage.map((finding) => shell.colors.red(line('damage', finding))),
    ...warnings.map((finding) => shell.colors.yellow(line('warning', finding))),
  ];
  return lines.length === 0 ? [] : ['', ...lines];
}

/** A point in time for people. @param ms  0 for none */
export function moment(ms: number): string {
  return ms === 0 ? 'never' : new Date(ms).toISOString();
}

/** A table with its title, after an empty line. */
export function section(
  out: Shell,
  title: string,
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[] | undefined,
): string[] {
  if (rows === undefined) return ['', `${title}: cannot be read`];
  return rows.length === 0 ? ['', `${title}: none`] : ['', table(out, heads, rows)];
}
