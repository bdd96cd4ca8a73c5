/** Mode of a file that is created beside another one. */

const OWNER_RW = 0o600;
const ALL_RW = 0o666;
const GROUP = 0o070;
const OTHERS = 0o007;

/**
 * Read and write bits like those of a file with `mode`; its owner may always read and write it.
 * @param grouped  it belongs to the same group; otherwise its group gets only what all others have
 */
export function likePerm(mode: number, grouped: boolean): number {
  const perm = (mode & ALL_RW) | OWNER_RW;
  return grouped ? perm : (perm & ~GROUP) | ((perm & OTHERS) << 3);
}
