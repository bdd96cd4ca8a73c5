/**
 * Names in a repository. All objects lie side by side, and those of one backup begin with its id, NAME-TIME, where TIME is when it was made, in UTC.
 * Full backups end as scripts expect it, `.db.gz`; incremental ones so that `*.gz` and `*.db` do not find them.
 */
import { DataError, encodeText } from '@sombra/vfs';
import { checkKey } from '../base/keys.ts';

/** How the bytes of a backup are packed. */
export type Compression = 'none' | 'gzip' | 'zstd';
export type BackupKind = 'full' | 'incremental';

export const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'zstd'];
const MANIFEST = '.json';
const ENDINGS = Object.freeze({
  full: Object.freeze({ none: '.db', gzip: '.db.gz', zstd: '.db.zst' }),
  incremental: Object.freeze({ none: '.changes', gzip: '.changes-gz', zstd: '.changes-zst' }),
});
const ID = /^(.+)-(\d{8}T\d{6}Z)(?:-([1-9]\d{0,3}))?$/;
/** Bytes of UTF-8. */
const NAME_MAX = 100;

/** @throws DataError SOMBRA_OPTION */
export function checkName(name: unknown): asserts name is string {
  const problem = problemOf(name);
  if (problem !== undefined)
    throw new DataError('SOMBRA_OPTION', `${JSON.stringify(name)} cannot be the name of backups: ${problem}`);
}

export function isName(name: unknown): name is string {
  return problemOf(name) === undefined;
}

function problemOf(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'it is a text that is not empty';
  if (name.includes('/') || name.startsWith('.') || name.startsWith('-'))
    return 'it has no /, and no . or - at its start';
  if (encodeText(name).length > NAME_MAX) return `it has at most ${NAME_MAX} bytes`;
  try {
    checkKey(name);
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

/** Name of a database's backups, unless another one is given: its file name without its ending. */
export function nameOf(path: string): string {
  if (path === ':memory:') return 'memory';
  const file = path.slice(path.lastIndexOf('/') + 1);
  return file.replace(/(?!^)\.[^.]*$/, '');
}

/** @param again  how often the time is taken already */
export function idOf(name: string, timeMs: number, again: number): string {
  const time = new Date(timeMs)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:]/g, '');
  return `${name}-${time}${again === 0 ? '' : `-${again + 1}`}`;
}

/** Name of an id; undefined when it is none. */
export function nameOfId(id: string): string | undefined {
  return ID.exec(id)?.[1];
}

export function manifestKey(id: string): string {
  return `${id}${MANIFEST}`;
}

/** Id of the backup whose manifest this would be. */
export function idOfManifest(key: string): string | undefined {
  const id = key.endsWith(MANIFEST) ? key.slice(0, -MANIFEST.length) : '';
  return ID.test(id) ? id : undefined;
}

export function dataKey(id: string, kind: BackupKind, compression: Compression): string {
  return `${id}${ENDINGS[kind][compression]}`;
}

/** Id of the backup whose data this would be. */
export function idOfData(key: string): string | undefined {
  for (const ending of Object.values(ENDINGS).flatMap((endings) => Object.values(endings))) {
    const id = key.endsWith(ending) ? key.slice(0, -ending.length) : '';
    if (ID.test(id)) return id;
  }
  return undefined;
}
