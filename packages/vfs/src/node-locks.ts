import { closeSync, openSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { errnoOf } from './node-errno.ts';
import { systemError } from './system-error.ts';

/** The part of fs-native-extensions that is used. A length of 0 means up to the end, however far. */
export interface NativeLocks {
  tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean;
  unlock(fd: number, offset: number, length: number): void;
}

/** Where the package locks byte ranges for open file descriptions. On macOS it has no ranges, on Windows other rules. */
const PLATFORMS: readonly string[] = ['linux', 'android'];

/**
 * Node's loader resolves symbolic links with what the last `fs.stat` of the process has left in a buffer of its own: when that was
 * a pipe or a socket (of stderr, say), it takes the path as it is, and a package that is installed by links does not find what it
 * depends on. So `stat` is called for a directory first.
 */
function loadPackage(): unknown {
  statSync('/');
  return createRequire(import.meta.url)('fs-native-extensions');
}

/**
 * Loads the lock package. That it cannot be loaded because no file can be opened says nothing about it.
 * @throws IoError SOMBRA_IO with errno EMFILE, ENFILE or ENOMEM
 * @returns null where there are no usable locks: another platform, or the package is not installed for this one
 */
export function nativeLocks(
  load: () => unknown = loadPackage,
  platform: string = process.platform,
): NativeLocks | null {
  if (!PLATFORMS.includes(platform)) return null;
  try {
    return load() as NativeLocks;
  } catch (error) {
    refuseWithoutDescriptors(error);
    // Any other reason does not matter: `locksAvailable` is false, and opening a database is refused.
    return null;
  }
}

const OUT_OF_DESCRIPTORS: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Loading reports a missing package also when its files could not be opened: opening one more file shows which it is. */
function refuseWithoutDescriptors(cause: unknown): void {
  try {
    closeSync(openSync('/', 'r'));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== undefined && OUT_OF_DESCRIPTORS.has(errno))
      throw systemError(errno, 'open', 'fs-native-extensions', { cause });
  }
}
