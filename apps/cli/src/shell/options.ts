/** Options that several commands have. */
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Direction } from '@sombra/db';

/** Rows that a list shows unless told otherwise. */
export const LIMIT_DEFAULT = 100;

/** `--json`, which every command has. */
export function addJson(command: Command): Command {
  return command.option('--json', 'print one JSON document on stdout');
}

/** Options that say which edges to follow. */
export interface EdgeOptions {
  readonly direction: Direction;
  readonly type?: string[];
}

/** `--direction` and `--type`. */
export function addEdgeOptions(command: Command): Command {
  return command
    .option('--direction <direction>', 'edges to follow: out, in or both', parseDirection, 'out')
    .option('--type <type>', 'type of the edges; repeat it for several (default: all)', collect);
}

/** The filter that they mean. */
export function edgeFilter({ direction, type }: EdgeOptions): { direction: Direction; type?: string[] } {
  return type === undefined ? { direction } : { direction, type };
}

/** Options that name nodes. */
export interface NodeOptions {
  readonly key: string[];
  readonly label?: string;
}

/** `--key` and `--label`, for commands whose arguments are nodes. */
export function addNodeOptions(command: Command): Command {
  return command
    .option(
      '--key <key=value>',
      'a node by a property, instead of an argument; repeat it for the next one',
      collect,
      [],
    )
    .option('--label <label>', 'label of the nodes that are named by a property');
}

/** `--show`, which properties a table shows. */
export function addShow(command: Command): Command {
  return command.option('--show <keys>', 'properties to show, separated by commas', parseNames);
}

/** Names that are separated by commas. */
export function parseNames(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

/** `--limit`. */
export function addLimit(command: Command): Command {
  return command.option('--limit <count>', 'rows at most; 0 for all', parseCount, LIMIT_DEFAULT);
}

/** At most so many rows, and whether there would have been more. */
export function cut<T>(rows: T[], limit: number): { rows: T[]; truncated: boolean } {
  const truncated = limit > 0 && rows.length > limit;
  return { rows: truncated ? rows.slice(0, limit) : rows, truncated };
}

/** What to ask for so that `cut` can tell whether there is more. */
export function oneMore(limit: number): number {
  return limit === 0 ? Infinity : limit + 1;
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** A whole number. */
export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

function parseDirection(text: string): Direction {
  if (text === 'out' || text === 'in' || text === 'both') return text;
  throw new InvalidArgumentError('It is out, in or both.');
}
