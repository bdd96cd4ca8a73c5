/** Checks of what callers pass in: option objects, ids, counts. */
import { DataError } from '@sombra/vfs';
import { BareObject } from './bare-object.ts';
import { ID_MAX } from './limits.ts';
import type { Direction, EdgeId, NodeId } from './types.ts';

/** Characters of a string that a message shows. */
const SHOWN_MAX = 60;

/**
 * An object's own properties, in an object that inherits nothing: properties of `Object.prototype` are not options. Each is read
 * once. A value that is not an object is returned as it is.
 */
export function ownOptions<T extends object>(options: T | undefined): T | undefined {
  if (typeof options !== 'object' || options === null) return options;
  const own = new BareObject() as Record<string, unknown>;
  for (const key of Object.keys(options)) own[key] = (options as Record<string, unknown>)[key];
  return own as T;
}

/**
 * Refuses option objects with keys that do not exist. Only own keys count.
 * @param options  what the caller passed; undefined is fine
 * @param known    names of the options that exist
 * @param where    name of the call, for the message
 * @returns `ownOptions` of them: read these, never what the caller passed
 * @throws DataError SOMBRA_OPTION
 */
export function checkOptions<T extends object>(
  options: T | undefined,
  known: readonly string[],
  where: string,
): T | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) {
    throw new DataError('SOMBRA_OPTION', `${where}: options are an object, not ${describe(options)}`);
  }
  const own = ownOptions(options);
  for (const key in own) {
    if (known.includes(key)) continue;
    const near = closest(key, known);
    const hint = near === undefined ? `known: ${known.join(', ') || 'none'}` : `did you mean '${near}'?`;
    throw new DataError('SOMBRA_OPTION', `${where}: there is no option '${key}'; ${hint}`);
  }
  return own;
}

/** A whole number of at least `least`, or `fallback` when it is undefined. @throws DataError SOMBRA_OPTION */
export function countOption(value: number | undefined, fallback: number, name: string, least = 0): number {
  if (value === undefined) return fallback;
  if (value === Infinity || (Number.isSafeInteger(value) && value >= least)) return value;
  throw new DataError('SOMBRA_OPTION', `${name} is a whole number of at least ${least}, not ${describe(value)}`);
}

/** A boolean, or `fallback` when it is undefined. @throws DataError SOMBRA_OPTION */
export function flagOption(value: boolean | undefined, fallback: boolean, name: string): boolean {
  if (value === undefined) return fallback;
  if (typeof value === 'boolean') return value;
  throw new DataError('SOMBRA_OPTION', `${name} is true or false, not ${describe(value)}`);
}

/** A function, or undefined. @throws DataError SOMBRA_OPTION */
export function callbackOption<T>(value: T | undefined, name: string): T | undefined {
  if (value === undefined || typeof value === 'function') return value;
  throw new DataError('SOMBRA_OPTION', `${name} is a function, not ${describe(value)}`);
}

/** One of the three directions; `out` when it is undefined. @throws DataError SOMBRA_OPTION */
export function directionOption(value: Direction | undefined): Direction {
  if (value === undefined) return 'out';
  if (value === 'out' || value === 'in' || value === 'both') return value;
  throw new DataError('SOMBRA_OPTION', `direction is 'out', 'in' or 'both', not ${describe(value)}`);
}

/** Refuses an invalid id of a node or edge. @throws DataError SOMBRA_ID_RANGE */
export function checkId(id: number, what: 'node' | 'edge'): void {
  if (Number.isSafeInteger(id) && id >= 1 && id <= ID_MAX) return;
  throw new DataError(
    'SOMBRA_ID_RANGE',
    `the id of ${what === 'node' ? 'a node' : 'an edge'} is an integer of 1 to ${ID_MAX}, not ${describe(id)}`,
  );
}

/** The id of a node that comes from outside, checked: of a file, a request. @throws DataError SOMBRA_ID_RANGE */
export function nodeId(value: unknown): NodeId {
  checkId(value as number, 'node');
  return value as NodeId;
}

/** The id of an edge that comes from outside, as `nodeId`. @throws DataError SOMBRA_ID_RANGE */
export function edgeId(value: unknown): EdgeId {
  checkId(value as number, 'edge');
  return value as EdgeId;
}

/** A short, safe text for a value of unknown kind: on one line, and of a long string only the beginning. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined) return String(value);
  if (typeof value === 'bigint') return `bigint ${value}`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object of class ${name}` : 'an object';
}

function quoted(text: string): string {
  const shown = text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
  return `'${JSON.stringify(shown).slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** The known name that differs least from `key`, if any is near. */
function closest(key: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.max(2, key.length >> 1) + 1;
  if (key.length > 40) return undefined;
  for (const name of known) {
    const distance = name.toLowerCase() === key.toLowerCase() ? 0 : editDistance(key, name);
    if (distance < least) {
      least = distance;
      best = name;
    }
  }
  return best;
}

/** Levenshtein distance, with one row. */
function editDistance(a: string, b: string): number {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j += 1) {
      const above = row[j]!;
      const substitute = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(above + 1, row[j - 1]! + 1, substitute);
      diagonal = above;
    }
  }
  return row[b.length]!;
}
