// Tiny transactions in a loop that never lets the event loop turn: only the commits themselves can keep the log short (rule K5).
import type { Vfs } from '@sombra/vfs';
import { expect } from 'vitest';
import { Pager } from '../../src/index.ts';
import type { SyncMode } from '../../src/index.ts';
import { SMALL, valueOf } from './open.ts';

const MIB = 1024 * 1024;

/** What a loop does. */
export interface TightLoop {
  readonly syncMode: SyncMode;
  readonly maxWalSizeMb: number;
  readonly commits: number;
  /** Pages that the commits change in turn: few make a short checkpoint, many a long one. */
  readonly pages: number;
  /** Commits between two looks at the sizes of the files. */
  readonly every: number;
}

/** Bytes of all files of the log of `name`: live, sealed, spare. */
function logBytes(vfs: Vfs, directory: string, name: string): number {
  let sum = 0;
  for (const file of vfs.list(directory)) {
    if (file.startsWith(`${name}-`) && file.includes('wal')) sum += vfs.stat(`${directory}/${file}`)?.size ?? 0;
  }
  return sum;
}

/** Runs a loop on `directory/t.db` and holds the files of the log to their limit. @returns checkpoints that it took */
export function runTightLoop(vfs: Vfs, directory: string, loop: TightLoop): number {
  const { syncMode, maxWalSizeMb } = loop;
  const path = `${directory}/t.db`;
  const pager = Pager.open({ vfs, path, ...SMALL, cacheSize: 1000, syncMode, maxWalSizeMb });
  const first = pager.begin();
  const pages = Array.from({ length: loop.pages }, () => first.allocate(17, 1));
  first.commit();
  const largest = pager.stats().logBytes; // the first transaction logs each page as an image: none is longer
  const limit = maxWalSizeMb * MIB + largest;
  let most = 0;
  for (let commit = 1; commit <= loop.commits; commit += 1) {
    const tx = pager.begin();
    tx.setU32(tx.edit(pages[commit % pages.length]!), 24, commit);
    tx.commit();
    if (commit % loop.every === 0) most = Math.max(most, logBytes(vfs, directory, 't.db'));
  }
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(limit);
  const { checkpoints, logBytes: written } = pager.stats();
  expect(written).toBeGreaterThan(4 * limit); // or nothing had to be shortened
  expect(valueOf(pager.view, pages[loop.commits % pages.length]!)).toBe(loop.commits);
  pager.close();
  return checkpoints;
}
