import { readU32 } from '@sombra/vfs';
import type { Catalogue } from '../format/catalogue.ts';
import { rootsPage } from '../format/roots-page.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import { FREELIST_NEXT, FREELIST_PAGES, trunkCount } from '../writing/freelist.ts';

/**
 * Reads the freelist of a commit, a trunk page in each step.
 * @param visit  gets each free page, and the page that names it; false for a trunk page ends the walk. Has to notice a page that comes
 *   twice, or the walk may never end
 * @throws CorruptionError; IoError SOMBRA_IO
 */
export function* walkFreelist(
  reader: VersionReader,
  { freelistHead, lsn }: Catalogue,
  pageSize: number,
  visit: (pageNumber: number, namedBy: number, isTrunk: boolean) => boolean,
): Generator<undefined, void, undefined> {
  const scratch = new Uint8Array(pageSize);
  let before = rootsPage(pageSize);
  for (let trunk = freelistHead; trunk !== 0 && visit(trunk, before, true); ) {
    reader.read(trunk, lsn, scratch, 0);
    const count = trunkCount(scratch, 0, trunk, pageSize);
    for (let i = 0; i < count; i += 1) visit(readU32(scratch, FREELIST_PAGES + i * 4), trunk, false);
    before = trunk;
    trunk = readU32(scratch, FREELIST_NEXT);
    yield;
  }
}
