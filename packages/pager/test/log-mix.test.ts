// Goal: the log stays within its limits whatever mix of writers, readers and checkpoints there is, as soon as no reader keeps it; and
// no warning says that a reader keeps it unless one does.
// Method: connections that pass for processes on one file system in memory, with a clock that the test moves; after each commit the
// published log is compared with the limit, and the warnings are counted.
import { MemoryVfs } from '@sombra/vfs';
import { Random, SimEnv } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Pager, PagerOptions, PagerWarning, View } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, write } from './support/open.ts';

const MIB = 1024 * 1024;
const MAX_MB = 0.25;
const PAGES = 24;
/** More than the record of any commit here. */
const COMMIT_MAX = 2 * 3200;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Some processes with one connection each. */
class Group {
  readonly env = new SimEnv({ seed: 1 });
  readonly pagers: Pager[];
  readonly warnings: PagerWarning[] = [];
  readonly pages: number[];
  private readonly vfs = new MemoryVfs({ env: this.env });

  constructor(count: number, options: Partial<PagerOptions> = {}) {
    const hooks = { warning: (warning: PagerWarning): unknown => this.warnings.push(warning) };
    this.pagers = Array.from({ length: count }, (_, at) =>
      openPager({ maxWalSizeMb: MAX_MB, cacheSize: 64, hooks, ...options }, new MortalVfs(this.vfs, 100 + at)),
    );
    this.pages = write(this.pagers[0]!, (tx) => Array.from({ length: PAGES }, () => newPage(tx, 0)));
  }

  /** A commit of about 3 KB, when the others have had their time. @returns bytes of the log after it */
  async commit(pager: Pager, value: number): Promise<number> {
    for (let tries = 0; tries < 200; tries += 1) {
      try {
        return this.change(pager, value);
      } catch (error) {
        if ((error as { code?: string }).code !== 'SOMBRA_BUSY') throw error;
      }
      pager.waiting(true);
      // Whichever has WRITE goes on, and timers run.
      for (const other of this.pagers) if (other !== pager) codeOf(() => this.change(other, value));
      this.env.advance(3);
      await turn();
    }
    throw new Error('the others never give way');
  }

  private change(pager: Pager, value: number): number {
    const tx = pager.begin(0);
    pager.waiting(false);
    tx.setBytes(tx.edit(this.pages[value % PAGES]!), 100, new Uint8Array(3000).fill(value), 0, 3000);
    tx.commit();
    return pager.stats().logBytesSinceCheckpoint;
  }

  async checkpoint(pager: Pager): Promise<void> {
    while (codeOf(() => pager.checkpoint(0)) === 'SOMBRA_BUSY') {
      this.env.advance(3);
      await turn();
    }
  }

  told(code: string): number {
    return this.warnings.filter((warning) => warning.code === code).length;
  }

  close(): void {
    for (const pager of this.pagers) pager.close();
  }
}

describe('the log grows as long as a snapshot keeps it, and then', () => {
  test.each([
    ['the snapshot of the writer ends', 0, false],
    ['the snapshot of another process ends', 1, false],
    ['the snapshot ends and its process makes a checkpoint', 1, true],
    ['the snapshot ends and the writer makes a checkpoint', 0, true],
  ] as const)('%s: it shrinks to its limit, and stays there', async (_, reader, checkpoint) => {
    const group = new Group(2);
    const [writer] = group.pagers;
    const view = group.pagers[reader]!.snapshot();
    let value = 1;
    while ((await group.commit(writer!, (value += 1))) < 4 * MAX_MB * MIB);
    expect(group.told('SOMBRA_LOG_OVER_LIMIT')).toBe(1);
    view.release();
    await turn();
    if (checkpoint) await group.checkpoint(group.pagers[reader]!);
    // At most a part of the limit is written before the next try.
    for (let i = 0; i < 20; i += 1) await group.commit(writer!, (value += 1));
    let most = 0;
    for (let i = 0; i < 600; i += 1) most = Math.max(most, await group.commit(writer!, (value += 1)));
    expect(most).toBeLessThanOrEqual(MAX_MB * MIB + COMMIT_MAX);
    expect(group.told('SOMBRA_LOG_OVER_LIMIT')).toBe(1);
    group.close();
  });

  test.each([0, 1])(
    'at the hard limit a writer goes on by itself once the snapshot of process %i has ended',
    async (reader) => {
      const group = new Group(2, { walHardLimitMb: 2 * MAX_MB });
      const [writer] = group.pagers;
      const view = group.pagers[reader]!.snapshot();
      const refused = async (): Promise<void> => {
        for (let value = 1; value < 1000; value += 1) await group.commit(writer!, value);
      };
      for (let i = 0; i < 3; i += 1) await expect(refused()).rejects.toMatchObject({ code: 'SOMBRA_LOG_FULL' });
      view.release();
      await turn();
      let last = 0;
      for (let value = 1; value < 300; value += 1) last = await group.commit(writer!, value);
      expect(last).toBeLessThanOrEqual(MAX_MB * MIB + COMMIT_MAX);
      group.close();
    },
  );
});

test('no value of checkpointAfterBytes lets the log grow beyond maxWalSizeMb', async () => {
  const group = new Group(1, { checkpointAfterBytes: 2 ** 40 });
  let most = 0;
  for (let i = 1; i < 400; i += 1) most = Math.max(most, await group.commit(group.pagers[0]!, i));
  expect(most).toBeGreaterThan((MAX_MB * MIB) / 2);
  expect(most).toBeLessThanOrEqual(MAX_MB * MIB + COMMIT_MAX);
  group.close();
});

describe('writers that take turns', () => {
  const mixes = [1, 2, 3].flatMap((writers) =>
    (['no reader', 'short snapshots'] as const).flatMap((readers) =>
      (['no other checkpoint', 'checkpoints in between'] as const).flatMap((checkpoints) =>
        ([false, true] as const).map((turns) => [writers, readers, checkpoints, turns] as const),
      ),
    ),
  );
  test.each(mixes)('%i, %s, %s, the event loop turns: %s', async (writers, readers, checkpoints, turns) => {
    const group = new Group(writers + 1, { walHardLimitMb: 4 * MAX_MB });
    const random = new Random(7);
    const reader = group.pagers[writers]!;
    let view: View | undefined;
    let mostBehind = 0;
    let most = 0;
    const before = group.pagers.map((pager) => pager.stats().logBytes);
    for (let i = 1; i <= 1000; i += 1) {
      most = Math.max(most, await group.commit(group.pagers[random.below(writers)]!, i));
      group.env.advance(random.pick([0, 0.1, 0.5, 4]));
      if (readers === 'short snapshots' && i % 6 === 0) {
        view?.release();
        view = reader.snapshot();
      }
      if (checkpoints === 'checkpoints in between' && i % 40 === 0) codeOf(() => reader.checkpoint(0));
      if (turns && i % 3 === 0) await turn();
      mostBehind = Math.max(mostBehind, view === undefined ? 0 : 12 * 3200);
    }
    const written = group.pagers.reduce((sum, pager, at) => sum + pager.stats().logBytes - before[at]!, 0);
    expect(written).toBeGreaterThan(6 * MAX_MB * MIB);
    expect(most).toBeLessThanOrEqual(MAX_MB * MIB + COMMIT_MAX + mostBehind);
    expect(group.warnings).toEqual([]);
    // Checkpoints that are begun and thrown away again would eat the time of the writers.
    const pagesWritten = group.pagers.reduce((sum, pager) => sum + pager.stats().pagesWritten, 0);
    expect(pagesWritten).toBeLessThan((written / (MAX_MB * MIB)) * 6 * (PAGES + 4));
    view?.release();
    group.close();
  });
});
