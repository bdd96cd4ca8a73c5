/** Looks at every page of a main file by itself, without log and trees: what is left when a file cannot be opened. */
import { preadFully } from '@sombra/vfs';
import type { SombraError, Vfs } from '@sombra/vfs';
import type { Problem } from './check.ts';
import { isCorruption } from '../base/failure.ts';
import { verifyPage } from '../format/page-header.ts';
import { rootsPage } from '../format/roots-page.ts';
import type { Superblock } from '../format/superblock.ts';

/** Bytes that are scanned at once. */
const PART_BYTES = 1024 * 1024;

/** What a scan found. */
export interface PageScan {
  readonly checkedPages: number;
  /** Pages of zeros: never written, as free ones may be. */
  readonly emptyPages: number;
  /** Damaged pages, the first `maxProblems`. */
  readonly problems: readonly Problem[];
  readonly problemCount: number;
}

/**
 * Checks checksum and number of every page of the file, of whatever commit it is. It takes no lock: beside a writer, pages that
 * are just being written count as damaged.
 * @param path         without symbolic links
 * @param maxProblems  problems to keep
 * @throws IoError SOMBRA_IO
 */
export function scanPages(
  vfs: Vfs,
  path: string,
  { pageSize, salt, pageCount }: Superblock,
  maxProblems: number,
): PageScan {
  const perPart = Math.max(1, Math.floor(PART_BYTES / pageSize));
  const part = new Uint8Array(perPart * pageSize);
  const problems: Problem[] = [];
  let [problemCount, emptyPages, checkedPages] = [0, 0, 0];
  const report = (code: string, page: number, message: string): void => {
    problemCount += 1;
    if (problems.length < maxProblems) problems.push({ code, page, message });
  };
  const file = vfs.open(path, { write: false });
  try {
    const pages = Math.floor(file.stat().size / pageSize);
    const wanted = Math.max(pageCount, rootsPage(pageSize) + 1);
    for (let page = rootsPage(pageSize); page < Math.min(pages, wanted); page += 1) {
      const at = ((page - rootsPage(pageSize)) % perPart) * pageSize;
      if (at === 0) preadFully(file, part, page * pageSize);
      checkedPages += 1;
      try {
        verifyPage(part, at, pageSize, page, salt, Infinity);
      } catch (error) {
        if (!isCorruption(error)) throw error;
        if (part.subarray(at, at + pageSize).every((byte) => byte === 0)) emptyPages += 1;
        else report((error as SombraError).code, page, (error as SombraError).message);
      }
    }
    if (pages < wanted) {
      const message = `${path} ends before page ${pages} of ${wanted}; restore a backup`;
      report('SOMBRA_FILE_TRUNCATED', Math.max(pages, rootsPage(pageSize)), message);
    }
  } finally {
    file.close();
  }
  return { checkedPages, emptyPages, problems, problemCount };
}
