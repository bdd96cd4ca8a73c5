// The database that writer-process.mjs writes, as of any commit: commit n changes page n mod 24 and counter 0, and every fifth
// one rewrites a page whole. Keep the two in step.
import { NodeVfs } from '@sombra/vfs';
import { Pager } from '../../src/index.ts';

const PAGES = 24;

/** Opens at once or not at all, and compares everything with what the newest commit has to hold. @returns its number */
export function openAndExamine(path: string, acknowledged: number): number {
  const pager = Pager.open({ vfs: new NodeVfs(), path, cacheSize: 32, createIfMissing: false });
  try {
    const { view } = pager;
    const lsn = view.counter(0);
    if (view.lsn !== lsn) throw new Error(`commit ${view.lsn} holds counter ${lsn}`);
    if (lsn < acknowledged) throw new Error(`commit ${acknowledged} was acknowledged, ${lsn} is the newest one`);
    if (pager.warnings.length > 0) throw new Error(JSON.stringify(pager.warnings));
    const first = 2;
    for (let i = 0; i < Math.min(PAGES, lsn); i += 1) {
      const page = first + i;
      const base = view.page(page);
      const { bytes, words, pageSize } = view.cache;
      const newest = newestOf(lsn, (n) => n % PAGES === i);
      const whole = newestOf(lsn, (n) => n % PAGES === i && n % 5 === 0);
      if (words[(base + 24) >>> 2] !== newest)
        throw new Error(`page ${page} is of commit ${words[(base + 24) >>> 2]}, expected ${newest}`);
      const body = bytes.subarray(base + 32, base + pageSize);
      if (!body.every((byte) => byte === (whole & 0xff)))
        throw new Error(`page ${page} is not as commit ${whole} wrote it`);
    }
    const problems = pager.check();
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    return lsn;
  } finally {
    pager.close();
  }
}

/** Newest commit up to `lsn` that fits, 0 without one. */
function newestOf(lsn: number, fits: (n: number) => boolean): number {
  for (let n = lsn; n > 0 && n > lsn - 2000; n -= 1) if (fits(n)) return n;
  return 0;
}
