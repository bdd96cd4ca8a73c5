import { createRequire } from 'node:module';

/** The part of fs-native-extensions that is used. A length of 0 means up to the end, however far. */
export interface NativeLocks {
  tryLock(fd: number, offset: number, length: number, options: { shared: boolean }): boolean;
  unlock(fd: number, offset: number, length: number): void;
}

/** Where the package locks byte ranges for open file descriptions. On macOS it has no ranges, on Windows other rules. */
const PLATFORMS: readonly string[] = ['linux', 'android'];

function loadPackage(): unknown {
  return createRequire(import.meta.url)('fs-native-extensions');
}

/**
 * Loads the lock package.
 * @returns null where there are no usable locks: another platform, or the package is not installed for this one
 */
export function nativeLocks(
  load: () => unknown = loadPackage,
  platform: string = process.platform,
): NativeLocks | null {
  if (!PLATFORMS.includes(platform)) return null;
  try {
    return load() as NativeLocks;
  } catch {
    // Why it cannot be loaded does not matter: `locksAvailable` tells, and who opens a database refuses.
    return null;
  }
}
