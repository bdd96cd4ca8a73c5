// Goal: a checkpoint that fails half way costs nothing: neither the commits before it, nor what the next one does.
// Method: one call of a checkpoint fails, or is reported as failed although it was done; work goes on; then the machine stops
// before every operation of the next checkpoint, and every image must be one commit of the model.
import { IoError } from '@sombra/vfs';
import type { OpenMode, Vfs, VfsFile } from '@sombra/vfs';
import { FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import type { LifeOptions } from './support/life.ts';
import { Life } from './support/life.ts';
import { compare } from './support/model.ts';
import { codeOf } from './support/open.ts';

/** Tries what a power loss before each operation of `action` leaves. @returns number of images */
function crashEverywhere(disk: SimDisk, life: Life, options: LifeOptions, action: () => void): number {
  let images = 0;
  let failure: unknown;
  const random = new Random(3);
  disk.onOperation = (number, operation, path) => {
    for (const keep of ['none', 'random', 'tornLast', 'all', 'random'] as const) {
      images += 1;
      try {
        const { promised } = life;
        const image = disk.crash({ keep, names: 'kept' }, random.fork(`${images}`));
        const found = new Life(image, options, images, { ...promised, afterKill: promised.afterPowerLoss });
        found.open();
        const wrong = [...compare(found.pager.view, found.state), ...found.pager.check().map(({ message }) => message)];
        if (wrong.length > 0) throw new Error(wrong.slice(0, 3).join('; '));
        found.close();
      } catch (error) {
        failure ??= new Error(`before ${number} (${operation} ${path}), ${keep}: ${String(error)}`, { cause: error });
      }
    }
  };
  action();
  disk.onOperation = undefined;
  if (failure !== undefined) throw failure;
  return images;
}

test('with the log in memory, a checkpoint that failed in the main file is completed before its images are written over', () => {
  const options: LifeOptions = { enableWal: false };
  const disk = new SimDisk({ seed: 5 });
  const faulty = new FaultyVfs(disk);
  const life = new Life(faulty, options, 5);
  life.open();
  life.fill(4);
  life.checkpoint();
  for (let i = 0; i < 3; i += 1) life.commit(10);
  faulty.add({ op: 'pwrite', file: /t\.db$/, action: 'EIO', nth: 2 });
  expect(codeOf(() => life.checkpoint())).toBe('SOMBRA_IO');
  expect(life.pager.poisoned).toBe(false);
  for (let i = 0; i < 3; i += 1) life.commit(10);
  expect(crashEverywhere(disk, life, options, () => life.checkpoint())).toBeGreaterThan(20);
  expect(life.pager.stats().checkpointLsn).toBe(life.pager.view.lsn);
  life.close();
});

/** Does one write of a superblock slot, and says that it failed. */
class LyingVfs extends FaultyVfs {
  armed = false;
  override open(path: string, mode: OpenMode): VfsFile {
    const file = super.open(path, mode);
    const { pwrite } = file;
    file.pwrite = (buffers, at) => {
      const written = pwrite.call(file, buffers, at);
      if (this.armed && path.endsWith('t.db') && at <= 4096 && written === 512) {
        this.armed = false;
        throw new IoError('SOMBRA_DISK_FULL', 'done, and said not to be');
      }
      return written;
    };
    return file;
  }
}

test.each([{ locking: 'exclusive' }, { enableWal: false }, { locking: 'shared' }] as LifeOptions[])(
  'a slot whose write was done, but reported as failed, voids no batch that comes after it: %o',
  (options) => {
    const disk = new SimDisk({ seed: 6 });
    const vfs = new LyingVfs(disk satisfies Vfs);
    const life = new Life(vfs, options, 6);
    life.open();
    life.fill(4);
    life.checkpoint();
    for (let i = 0; i < 3; i += 1) life.commit(10);
    vfs.armed = true;
    expect(codeOf(() => life.checkpoint())).toBe('SOMBRA_DISK_FULL');
    expect([vfs.armed, life.pager.poisoned]).toEqual([false, false]);
    for (let i = 0; i < 3; i += 1) life.commit(10);
    expect(crashEverywhere(disk, life, options, () => life.checkpoint())).toBeGreaterThan(20);
    expect(life.pager.stats().checkpointLsn).toBe(life.pager.view.lsn);
    life.close();
    life.open();
    expect(compare(life.pager.view, life.state)).toEqual([]);
    life.close();
  },
);

test('the log shrinks by itself: commits run checkpoints, also where the event loop never turns', () => {
  const disk = new SimDisk({ seed: 7 });
  const life = new Life(disk, { checkpointAfterBytes: 30_000 }, 7);
  life.open();
  for (let i = 0; i < 40; i += 1) life.fill(1);
  expect(life.pager.stats().checkpoints).toBeGreaterThan(3);
  expect(life.pager.stats().logBytesSinceCheckpoint).toBeLessThan(64 * 1024 + 8192);
  life.close();
});
