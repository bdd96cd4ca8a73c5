// Goal: a process that has no descriptor left is refused while nothing is in doubt: the database is never poisoned, loses no commit,
// and goes on as soon as there are descriptors again. Method: from each call that opens a file or directory on, all of them fail for
// a while, in synchronous and grouped commits that seal segments, in checkpoints beside them, in an archive's mark.
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

const OPTIONS = { maxWalSizeMb: 0.0625, checkpointAfterBytes: 20_000, cacheSize: 32 } as const;
const STEPS = 16;

interface Outcome {
  /** Calls that were refused. */
  readonly refused: number;
  /** Codes of errors that callers got. */
  readonly codes: Set<string>;
}

/** @param nth  call from which on nothing can be opened, counted from the first step on */
async function run(errno: string, nth: number): Promise<Outcome> {
  const memory = new MemoryVfs();
  const vfs = new FaultyVfs(memory);
  const poisoned: unknown[] = [];
  const pager = openPager({ ...OPTIONS, hooks: { poisoned: (cause) => poisoned.push(cause) } }, vfs);
  const pages = write(pager, (tx) => Array.from({ length: 6 }, () => newPage(tx, 0)));
  const codes = new Set<string>();
  let acknowledged = 0;
  const body = new Uint8Array(3500);
  vfs.add({ op: 'open', nth, sticky: true, action: errno });
  for (let step = 1; step <= STEPS; step += 1) {
    if (vfs.failed.length > 4) vfs.heal();
    try {
      if (step % 8 === 0) pager.markArchived(0);
      const tx = pager.begin();
      for (const page of pages) {
        const base = tx.edit(page);
        tx.setBytes(base, 100, body.fill(step), 0, body.length);
        tx.setU32(base, 24, step);
      }
      if (step % 2 === 0) tx.commit();
      else await tx.commitAsync();
      acknowledged = step;
    } catch (error) {
      codes.add(String((error as { code?: unknown }).code));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  const refused = vfs.failed.length;
  vfs.heal();
  expect(poisoned).toEqual([]);
  const value = valueOf(pager.view, pages[0]!);
  expect(value).toBe(acknowledged);
  write(pager, (tx) => tx.setU32(tx.edit(pages[0]!), 24, 99));
  pager.endArchive();
  pager.close();
  const again = openPager({}, memory);
  expect([valueOf(again.view, pages[0]!), valueOf(again.view, pages[5]!)]).toEqual([99, acknowledged]);
  again.close();
  return { refused, codes };
}

test.each([
  ['EMFILE', 1],
  ['ENFILE', 11],
  ['ENOMEM', 13],
])('%s: refused, and nothing else', async (errno, stride) => {
  const codes = new Set<string>();
  let places = 0;
  for (let nth = 1; ; nth += stride) {
    const outcome = await run(errno, nth);
    for (const code of outcome.codes) codes.add(code);
    if (outcome.refused === 0) break;
    places += 1;
  }
  expect(places).toBeGreaterThan(50 / stride);
  expect([...codes]).toEqual(['SOMBRA_IO']);
});

test('at open the error is about descriptors', () => {
  const vfs = new FaultyVfs(new MemoryVfs());
  openPager({}, vfs).close();
  for (let nth = 1; nth < 50; nth += 1) {
    vfs.add({ op: 'open', nth, sticky: true, action: 'EMFILE' });
    const before = vfs.failed.length;
    const code = codeOf(() => openPager({}, vfs).close());
    vfs.heal();
    if (vfs.failed.length === before) break;
    expect(['SOMBRA_IO', 'no error']).toContain(code);
    openPager({}, vfs).close();
  }
});
