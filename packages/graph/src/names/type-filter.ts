import { DataError } from '@sombra/vfs';
import type { Dictionary } from './dictionary.ts';
import { NAME_KIND } from './dictionary.ts';
import { EDGE_TYPES_MAX } from '../model/limits.ts';
import { describe } from '../model/options.ts';

const ALL = 0;
const ONE = 1;
const SOME = 2;
const NONE = 3;
const NO_TYPES = new Uint8Array(0);

/** Which edge types a query follows. Reused: `set` prepares it for the next query. */
export class TypeFilter {
  private kind = ALL;
  private one = 0;
  private readonly listed: number[] = [];
  /** Per type, is it one of several that are accepted? Made when several are asked for: most filters accept one, or all. */
  private allowed = NO_TYPES;

  /**
   * Prepares the filter. Names that no edge ever had match nothing.
   * @throws DataError SOMBRA_OPTION when `type` is neither a name nor a list of names
   */
  set(type: string | readonly string[] | undefined, dictionary: Dictionary): this {
    if (this.kind === SOME) for (const id of this.listed) this.allowed[id] = 0;
    this.kind = ALL;
    if (type === undefined) return this;
    const names = checkTypes(type)!;
    this.listed.length = 0;
    for (const name of names) {
      const id = dictionary.find(NAME_KIND.edgeType, name);
      if (id >= 0 && !this.listed.includes(id)) this.listed.push(id);
    }
    if (this.listed.length === 0) this.kind = NONE;
    else if (this.listed.length === 1) {
      this.kind = ONE;
      this.one = this.listed[0]!;
    } else {
      this.kind = SOME;
      if (this.allowed.length === 0) this.allowed = new Uint8Array(EDGE_TYPES_MAX + 1);
      this.listed.sort((a, b) => a - b);
      for (const id of this.listed) this.allowed[id] = 1;
    }
    return this;
  }

  accepts(type: number): boolean {
    if (this.kind === ALL) return true;
    return this.kind === ONE ? type === this.one : this.kind === SOME && this.allowed[type] === 1;
  }

  /** Does it accept every type? */
  get all(): boolean {
    return this.kind === ALL;
  }

  /** The accepted type ids, ascending; undefined when all are. */
  get ids(): readonly number[] | undefined {
    return this.kind === ALL ? undefined : this.kind === NONE ? NO_IDS : this.listed;
  }
}

/**
 * Names of types as callers give them, as a list.
 * @throws DataError SOMBRA_OPTION when `type` is neither a name nor a list of names
 */
export function checkTypes(type: string | readonly string[] | undefined): readonly string[] | undefined {
  if (type === undefined) return undefined;
  const names = typeof type === 'string' ? [type] : type;
  if (!Array.isArray(names))
    throw new DataError('SOMBRA_OPTION', `type is a name or a list of names, not ${describe(type)}`);
  for (const name of names as readonly string[])
    if (typeof name !== 'string') throw new DataError('SOMBRA_OPTION', `type holds names, not ${describe(name)}`);
  return names as readonly string[];
}

const NO_IDS: readonly number[] = [];
