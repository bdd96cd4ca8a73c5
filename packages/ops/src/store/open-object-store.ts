import { DataError, NodeVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { fileURLToPath } from 'node:url';
import { checkOptions } from '../base/check-options.ts';
import type { ObjectStore } from '../base/object-store.ts';
import { DirectoryStore } from './directory-store.ts';
import type { S3Options } from './s3-options.ts';
import type { UnenforcedConditions } from './unenforced.ts';

export interface ObjectStoreOptions {
  /** File system of directories, and clock, randomness and timers of all places. Default that of the machine. */
  readonly vfs?: Vfs | undefined;
  /** What `put` does with a condition that the place does not enforce. Default `refuse`. */
  readonly unenforcedConditions?: UnenforcedConditions | undefined;
  /** Of S3 only. */
  readonly s3?: S3Options | undefined;
}

/**
 * Opens a place for bytes elsewhere. A directory is made by its first object, unless it was there; the directory above it must exist.
 * @param location  path or `file:` URL of a directory, or `s3://bucket/prefix`
 * @throws DataError SOMBRA_STORE_URL, SOMBRA_OPTION; StateError SOMBRA_STORE_DRIVER when the packages for S3 are not installed;
 *   IoError SOMBRA_IO, SOMBRA_PERMISSION. S3 is not asked before the first call.
 */
export async function openObjectStore(location: string, options: ObjectStoreOptions = {}): Promise<ObjectStore> {
  checkOptions('openObjectStore', options, ['vfs', 'unenforcedConditions', 's3']);
  const { vfs = new NodeVfs(), unenforcedConditions: unenforced = 'refuse', s3 } = options;
  if (unenforced !== 'refuse' && unenforced !== 'check-first')
    throw new DataError('SOMBRA_OPTION', "unenforcedConditions is 'refuse' or 'check-first'");
  if (/^s3:/i.test(location)) {
    // Only whoever uses S3 loads it.
    const { openS3Store } = await import('./s3-store.ts');
    return openS3Store(location, vfs.env, unenforced, s3 ?? {});
  }
  if (s3 !== undefined) throw new DataError('SOMBRA_OPTION', 'the option s3 is for locations that begin with s3://');
  return new DirectoryStore(vfs, directoryOf(location), unenforced);
}

function directoryOf(location: string): string {
  const path = /^file:/i.test(location) ? pathOfUrl(location) : location;
  if (path === '' || /^[a-z][a-z0-9+.-]+:\/\//i.test(path)) throw invalid();
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

function pathOfUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw invalid();
  }
}

/** Without the location: it may hold a password. */
function invalid(): DataError {
  return new DataError(
    'SOMBRA_STORE_URL',
    'a place for objects is the path or file: URL of a directory, or s3://bucket/prefix',
  );
}
