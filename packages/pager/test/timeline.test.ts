// Goal: commits that follow a loss never have the timeline of those that were lost (rule P6): a backup or an archive that has the lost ones
// can tell the two apart. Where nothing was lost the timeline stays.
// Method: a database on SimDisk that was killed with commits in its log; then the log is damaged, taken away, or left beside an older copy
// of the file. Opening it is stopped before each operation, by a kill or a power loss, and begun again.
import { pwriteFully } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { Random, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { markArchived } from '@sombra/wal';
import type { Pager, PagerOptions } from '../src/index.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

const LOG = 't.db-wal';
const OPTIONS = { maxWalSizeMb: 4, checkpointAfterBytes: 2 ** 40 } as const;
/** Segments of 16 KiB. */
const TINY = { maxWalSizeMb: 0.0625 } as const;
/** Commits before and after the checkpoint. */
const [CHECKPOINTED, NEWEST] = [2, 6];

const open = (vfs: Vfs, options: Partial<PagerOptions> = {}): Pager => openPager({ ...OPTIONS, ...options }, vfs);
const timelineOf = (pager: Pager): number => pager.logEnd().identity.timeline;

/** Puts a number into the page, and fills it. */
function put(pager: Pager, page: number, value: number): void {
  write(pager, (tx) => {
    tx.setBytes(tx.edit(page), 100, new Uint8Array(3900).fill(value), 0, 3900);
    tx.setU32(tx.edit(page), 24, value);
  });
}

interface Start {
  readonly disk: SimDisk;
  readonly page: number;
  readonly timeline: number;
}

/** A database with commits in its log, after a kill. The page holds the number of the newest commit. */
function killed(): Start {
  const disk = new SimDisk({ seed: 4 });
  const pager = open(disk);
  const page = write(pager, (tx) => newPage(tx, 1));
  put(pager, page, CHECKPOINTED);
  pager.checkpoint();
  for (let value = CHECKPOINTED + 1; value <= NEWEST; value += 1) put(pager, page, value);
  return { disk: disk.kill(), page, timeline: timelineOf(pager) };
}

function read(vfs: Vfs, path: string): Uint8Array {
  const file = vfs.open(path, { write: false });
  const bytes = new Uint8Array(file.stat().size);
  file.pread(bytes, 0);
  file.close();
  return bytes;
}

function overwrite(vfs: Vfs, path: string, bytes: Uint8Array, at = 0): void {
  const file = vfs.open(path, { write: true });
  pwriteFully(file, bytes, at);
  file.sync('full');
  file.close();
}

/** A loss: what is changed while no process has it open, how it is opened, and the commit that is found. */
interface Loss {
  readonly name: string;
  readonly options?: Partial<PagerOptions>;
  readonly found: number;
  make(): Start;
}

const LOSSES: readonly Loss[] = [
  {
    name: 'a damaged log is given up with toLastGood',
    options: { toLastGood: true },
    found: 4,
    make: () => {
      const start = killed();
      const log = read(start.disk, LOG);
      const at =
        log.indexOf(
          5,
          log.findIndex((byte, i) => byte === 5 && log[i + 1] === 5 && log[i + 2] === 5),
        ) + 100;
      overwrite(start.disk, LOG, new Uint8Array([0x55]), at);
      return start;
    },
  },
  {
    name: 'all of a damaged log is given up with toLastGood',
    options: { toLastGood: true },
    found: CHECKPOINTED,
    make: () => {
      const start = killed();
      overwrite(start.disk, LOG, new Uint8Array([0x55, 0x55]), 20);
      return start;
    },
  },
  {
    name: 'the log is missing',
    found: CHECKPOINTED,
    make: () => {
      const start = killed();
      start.disk.unlink(LOG);
      start.disk.syncDir('.');
      return start;
    },
  },
  {
    name: 'another copy of the file stands beside its log',
    found: 7,
    make: () => {
      const start = killed();
      open(start.disk).close();
      const copy = start.disk.kill();
      const pager = open(start.disk);
      for (let value = NEWEST + 1; value < 20; value += 1) put(pager, start.page, value);
      const log = read(start.disk, LOG);
      const other = open(copy);
      put(other, start.page, NEWEST + 1);
      other.close();
      copy.open(LOG, { write: true, create: true }).close();
      overwrite(copy, LOG, log);
      copy.syncDir('.');
      return { ...start, disk: copy };
    },
  },
];

/** Commits once. @returns the timeline of that commit */
function goOn({ disk, page }: Start, options: Partial<PagerOptions> = {}): { found: number; timeline: number } {
  const pager = open(disk, options);
  const found = valueOf(pager.view, page);
  put(pager, page, 77);
  const timeline = timelineOf(pager);
  pager.close();
  return { found, timeline };
}

describe.each(LOSSES)('$name', ({ make, options, found }) => {
  test('the next commit is of another timeline, which stays', () => {
    const start = make();
    const first = goOn(start, options);
    expect(first.found).toBe(found);
    expect(first.timeline).not.toBe(start.timeline);
    expect(goOn(start)).toEqual({ found: 77, timeline: first.timeline });
  });

  test('whichever process commits first, another one sees the new timeline', () => {
    const start = make();
    const [a, b] = [open(start.disk, options), open(start.disk)];
    put(b, start.page, 77);
    const timeline = timelineOf(b);
    expect(timeline).not.toBe(start.timeline);
    expect(a.logEnd({ durable: false }).identity.timeline).toBe(timeline);
    const copy = a.copy();
    expect([copy.sourceTimeline, copy.timeline === timeline]).toEqual([timeline, false]);
    copy.release();
    put(a, start.page, 78);
    expect(timelineOf(a)).toBe(timeline);
    for (const pager of [a, b]) pager.close();
    expect(goOn(start)).toEqual({ found: 78, timeline });
  });

  test('also when it is stopped before any of its operations', () => {
    let stops = 0;
    for (let step = 1; ; step += 1) {
      const start = make();
      const { disk } = start;
      disk.crashAt = disk.ops + step;
      const code = codeOf(() => goOn(start, options));
      if (code === 'no error') break;
      expect(code).toMatch(/SimCrash|SOMBRA_COMMIT_UNKNOWN/);
      stops += 1;
      const images = [
        disk.kill(),
        disk.crash({ keep: 'none', names: 'lost' }, new Random(step)),
        disk.crash({ keep: 'none', names: 'kept' }, new Random(step)),
        disk.crash({ keep: 'random', names: 'random' }, new Random(step)),
      ];
      for (const image of images) {
        const again = goOn({ ...start, disk: image }, options);
        expect([step, [found, 77].includes(again.found)]).toEqual([step, true]);
        expect([step, again.timeline === start.timeline]).toEqual([step, false]);
      }
    }
    expect(stops).toBeGreaterThan(10);
  });
});

describe('the timeline stays', () => {
  test('after a kill, a power loss, and with toLastGood where nothing is given up', () => {
    for (const options of [{}, { toLastGood: true }]) {
      const start = killed();
      const { found, timeline } = goOn(start, options);
      expect([found, timeline]).toEqual([NEWEST, start.timeline]);
    }
  });

  test('of a file whose log is missing, until a commit: the log may come back', () => {
    const start = killed();
    const log = read(start.disk, LOG);
    start.disk.unlink(LOG);
    const pager = open(start.disk);
    expect(pager.warnings.map(({ code }) => code)).toEqual(['SOMBRA_WAL_MISSING']);
    expect(timelineOf(pager)).toBe(start.timeline);
    pager.close();
    start.disk.open(LOG, { write: true, create: true }).close();
    overwrite(start.disk, LOG, log);
    expect(goOn(start)).toEqual({ found: NEWEST, timeline: start.timeline });
  });

  test('beside the log of another database', () => {
    const start = killed();
    open(start.disk).close();
    const other = killed();
    const disk = new SimDisk({ seed: 5 });
    const pager = open(disk);
    const page = write(pager, (tx) => newPage(tx, 9));
    const timeline = timelineOf(pager);
    pager.close();
    disk.open(LOG, { write: true, create: true }).close();
    overwrite(disk, LOG, read(other.disk, LOG));
    expect(goOn({ disk, page, timeline })).toEqual({ found: 9, timeline });
    expect(disk.list('.').filter((name) => name.includes('set-aside'))).toHaveLength(1);
  });
});

test('sealed segments of the timeline before wait for their archive, and go when it has them', () => {
  const disk = new SimDisk({ seed: 4 });
  let pager = open(disk, TINY);
  const page = write(pager, (tx) => newPage(tx, 1));
  markArchived(disk, 't.db', 0);
  for (let value = 2; value < 40; value += 1) put(pager, page, value);
  const sealed = (vfs: Vfs): string[] => vfs.list('.').filter((name) => /-\d+-wal$/.test(name));
  const left = disk.kill();
  expect(sealed(left).length).toBeGreaterThan(1);
  overwrite(left, LOG, new Uint8Array([0x55, 0x55]), 20);
  pager = open(left, { ...TINY, toLastGood: true });
  const before = sealed(left);
  expect(before.length).toBeGreaterThan(1);
  put(pager, page, 90);
  const timeline = timelineOf(pager);
  const again = left.kill();
  pager = open(again, TINY);
  expect([valueOf(pager.view, page), timelineOf(pager), pager.warnings]).toEqual([90, timeline, []]);
  expect(sealed(again)).toEqual(before);
  markArchived(again, 't.db', 1000);
  pager = open(again.kill(), TINY);
  expect([valueOf(pager.view, page), pager.warnings]).toEqual([90, []]);
  expect(sealed(again.kill()).length).toBeGreaterThan(1);
  pager.close();
});
