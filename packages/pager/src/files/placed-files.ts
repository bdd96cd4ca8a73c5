/** The files of placed pages that wait for the archive. */
import { directoryOf } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { fileNameOf } from '../base/paths.ts';
import { placedLsn, placedPath } from '../format/placed-pages.ts';

/** Commits of bulk loads whose pages wait, ascending. @param path  of the database @throws IoError SOMBRA_IO */
export function placedCommits(vfs: Vfs, path: string): number[] {
  const base = fileNameOf(path);
  const found: number[] = [];
  for (const name of vfs.list(directoryOf(path))) {
    const lsn = placedLsn(base, name);
    if (lsn !== undefined) found.push(lsn);
  }
  return found.sort((a, b) => a - b);
}

/** There is no archive any more that could take them. @throws IoError SOMBRA_IO */
export function removePlacedPages(vfs: Vfs, path: string): void {
  for (const lsn of placedCommits(vfs, path)) vfs.unlink(placedPath(path, lsn));
}
