// Goal: a rotation whose renames fail refuses one record and nothing else: the next append goes on from where it stood (rule K6),
// whatever was done although it was reported as failed, and a crash at any moment loses no record.
// Method: a file system whose renames fail, before or after they were done; SimDisk under it, for power losses.
import { IoError, MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { FaultyVfs, Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { livePath, markArchived, sealedPath, sparePath } from '../src/index.ts';
import { codeOf, contentOf } from './support/files.ts';
import { PATH, recoverAndClose, TestLog } from './support/log.ts';

const LIVE = livePath(PATH);
const SEALED = sealedPath(PATH, 1);
const SPARE = sparePath(PATH);

/** The first `failures` renames from `first` on fail, or are done and reported as failed. */
class BadRenames extends FaultyVfs {
  private renames = 0;
  private readonly first: number;
  private readonly failures: number;
  private readonly done: boolean;

  constructor(inner: Vfs, first: number, failures: number, done: boolean) {
    super(inner);
    this.first = first;
    this.failures = failures;
    this.done = done;
  }

  override rename(from: string, to: string): void {
    this.renames += 1;
    // The first one of all gives the live name to the first segment.
    const fails = this.renames > this.first && this.renames <= this.first + this.failures;
    if (!fails || this.done) super.rename(from, to);
    if (fails) throw new IoError('SOMBRA_IO', `rename ${from} to ${to}: EIO`, { details: { errno: 'EIO' } });
  }
}

/** A log whose next record needs a rotation. */
function fullLog(vfs: Vfs): TestLog {
  const log = new TestLog(vfs, { segmentSize: 2048 });
  log.commitSynced(1200);
  return log;
}

/** Puts a record that is refused. */
function refused(log: TestLog): void {
  const { tail } = log.wal;
  expect(codeOf(() => log.put(1200))).toBe('SOMBRA_IO');
  expect(log.wal.tail).toEqual(tail);
}

const cases = [1, 2].flatMap((first) =>
  [1, 2, 3].flatMap((failures) => [false, true].map((done) => [first, failures, done] as const)),
);

describe.each(cases)('renames fail from number %i on, %i times, done all the same: %s', (first, failures, done) => {
  test('the log goes on in the next segment', () => {
    const vfs = new MemoryVfs();
    const log = fullLog(new BadRenames(vfs, first, failures, done));
    let refusals = 0;
    while (log.wal.tail.seq < 4) {
      const { tail } = log.wal;
      const code = codeOf(() => log.commitSynced(1200));
      if (code === 'no error') continue;
      expect(code).toBe('SOMBRA_IO');
      expect(log.wal.tail).toEqual(tail);
      refusals += 1;
    }
    expect(refusals).toBeGreaterThan(0);
    expect(refusals).toBeLessThanOrEqual(failures);
    expect(log.wal.isBetweenSegments).toBe(false);
    expect(recoverAndClose({ ...log.options, vfs }).digests).toEqual(log.digests);
    log.close();
  });

  test('a crash before any operation of the next try loses nothing', () => {
    for (let step = 1; ; step += 1) {
      const disk = new SimDisk({ seed: step });
      const log = fullLog(new BadRenames(disk, first, failures, done));
      refused(log);
      disk.crashAt = disk.ops + step;
      let code = '';
      for (let tries = 0; tries <= failures && code !== 'no error' && !code.includes(SimCrash.name); tries += 1)
        code = codeOf(() => log.put(1200));
      const stored = log.digests.slice(0, 1);
      for (const image of [disk.kill(), disk.crash({ keep: 'none', names: 'lost' }, new Random(step))])
        expect(recoverAndClose({ ...log.options, vfs: image }).digests.slice(0, 1)).toEqual(stored);
      if (code === 'no error') break;
      expect(code).toContain(SimCrash.name);
    }
  });
});

describe('between its two renames', () => {
  const cut = (vfs: Vfs): TestLog => {
    const log = fullLog(new BadRenames(vfs, 2, 1, false));
    refused(log);
    expect(log.wal.isBetweenSegments).toBe(true);
    return log;
  };

  test('the segment is full for the shortest record', () => {
    const log = cut(new MemoryVfs());
    expect(log.wal.isFull(1)).toBe(true);
    log.commit(10);
    expect(log.wal.tail.seq).toBe(2);
    log.close();
  });

  test('syncs find nothing to do, of either kind', async () => {
    const log = cut(new MemoryVfs());
    log.wal.sync();
    await log.wal.syncAsync();
    log.commitSynced(1200);
    await log.wal.syncAsync();
    expect(log.wal.synced).toBe(log.wal.tail.offset);
    log.close();
  });

  test('all of its files can be removed; a segment that waits for the archive stays', () => {
    const vfs = new MemoryVfs();
    cut(vfs).wal.removeAll();
    expect(vfs.list('.')).toEqual([]);
    const log = cut(vfs);
    markArchived(vfs, PATH, 0);
    log.wal.removeAll();
    expect(vfs.list('.').filter((name) => !name.endsWith('archive'))).toEqual([SEALED]);
  });

  test('a segment that waits for the archive stays when neither the rename nor the look at its name worked', () => {
    class Blind extends BadRenames {
      blind = false;
      override rename(from: string, to: string): void {
        try {
          super.rename(from, to);
        } catch (error) {
          this.blind = true;
          throw error;
        }
      }
      override stat(path: string): ReturnType<Vfs['stat']> {
        if (this.blind) throw new IoError('SOMBRA_IO', `stat ${path}: EIO`, { details: { errno: 'EIO' } });
        return super.stat(path);
      }
    }
    const inner = new MemoryVfs();
    const vfs = new Blind(inner, 1, 1, false);
    const log = fullLog(vfs);
    refused(log);
    vfs.blind = false;
    expect(log.wal.isBetweenSegments).toBe(true);
    markArchived(inner, PATH, 0);
    const bytes = contentOf(inner, LIVE);
    log.wal.removeAll();
    expect(inner.list('.').filter((name) => !name.endsWith('archive'))).toEqual([SEALED]);
    expect(contentOf(inner, SEALED)).toEqual(bytes);
  });

  test('nothing is appended to it when the sealed segment is gone, or another file took the live name', () => {
    for (const meddle of [
      (vfs: Vfs) => vfs.rename(SEALED, 'away'),
      (vfs: Vfs) => vfs.open(LIVE, { write: true, create: true }).close(),
    ]) {
      const vfs = new MemoryVfs();
      const log = cut(vfs);
      meddle(vfs);
      for (let i = 0; i < 2; i += 1) expect(codeOf(() => log.put(100))).toBe('SOMBRA_WAL_DAMAGED');
      expect(vfs.stat(SPARE)).not.toBeNull();
      log.close();
    }
  });
});
