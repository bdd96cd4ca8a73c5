import { chownSync } from 'node:fs';

/** User and group that own nothing (nobody, nogroup). */
const NOBODY = 65_534;

/**
 * Runs `work` with the rights of an ordinary user who owns `directory` and its `files`: root may do everything, so tests of
 * permissions that run as root would test nothing.
 */
export function asOrdinaryUser<T>(owned: readonly string[], work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  for (const path of owned) chownSync(path, NOBODY, NOBODY);
  process.setegid!(NOBODY);
  process.seteuid!(NOBODY);
  try {
    return work();
  } finally {
    process.seteuid!(0);
    process.setegid!(0);
  }
}
