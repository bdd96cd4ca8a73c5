/** What `--nodes` and `--edges` name: `FILE`, `Label=FILE`, `Label(Group)=FILE`, `TYPE(From,To)=FILE`. */
import { usageError } from '../errors/usage-error.ts';

/** A file to import, with what the command line says about it. */
export interface FileSpec {
  readonly path: string;
  /** Labels of nodes (`A:B` names two), or the type of edges. */
  readonly names: readonly string[];
  /** Id groups: of the ids, or of both ends of the edges. */
  readonly groups: readonly string[];
}

const SPEC = /^([^=()/\\.]*)(?:\(([^=()]*)\))?=(.+)$/s;

/** Reads one argument of `--nodes`. @throws DataError SOMBRA_USAGE */
export function parseNodeSpec(text: string): FileSpec {
  const spec = parseSpec(text);
  if (spec.groups.length > 1) throw usageError(`--nodes ${text}: ids have one group, Label(Group)=FILE`);
  return spec;
}

/** Reads one argument of `--edges`. @throws DataError SOMBRA_USAGE */
export function parseEdgeSpec(text: string): FileSpec {
  const spec = parseSpec(text);
  if (spec.names.length > 1) throw usageError(`--edges ${text}: an edge has one type`);
  if (spec.groups.length === 1) throw usageError(`--edges ${text}: name the groups of both ends, TYPE(From,To)=FILE`);
  return spec;
}

function parseSpec(text: string): FileSpec {
  const match = SPEC.exec(text);
  if (match === null) return { path: text, names: [], groups: [] };
  const names = match[1]!.split(':').map((name) => name.trim());
  const groups = match[2]?.split(',').map((name) => name.trim()) ?? [];
  if (names.includes('') && match[1] !== '') throw usageError(`${text}: a label is empty`);
  if (groups.length > 2) throw usageError(`${text}: too many groups`);
  return { path: match[3]!, names: names.filter((name) => name !== ''), groups };
}
