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
import { decodePlacedHeader } from '../src/format/placed-pages.ts';
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

  test('also when it was opened and closed without a commit before, without a log file, or for reading only', () => {
    for (const between of [{}, { enableWal: false }]) {
      const start = make();
      open(start.disk, options).close();
      open(start.disk, between).close();
      open(start.disk, { readOnly: true }).close();
      expect(goOn(start).timeline).not.toBe(start.timeline);
    }
    const start = make();
    const pager = open(start.disk, { ...options, enableWal: false });
    put(pager, start.page, 77);
    pager.close();
    expect(goOn(start).timeline).not.toBe(start.timeline);
  });

  test('beside a connection that only reads', () => {
    const start = make();
    open(start.disk, options).close();
    const reader = open(start.disk, { readOnly: true });
    expect(goOn(start).timeline).not.toBe(start.timeline);
    reader.close();
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
        const reader = step % 3 === 0 && codeOf(() => open(image, { readOnly: true }).close()) === 'no error';
        if (reader) open(image, { readOnly: true });
        const again = goOn({ ...start, disk: image }, options);
        expect([step, [found, 77].includes(again.found)]).toEqual([step, true]);
        expect([step, again.timeline === start.timeline]).toEqual([step, false]);
      }
    }
    expect(stops).toBeGreaterThan(10);
  });
});

/** Sealed names that are there. */
const sealed = (vfs: Vfs): string[] => vfs.list('.').filter((name) => /-\d+-wal$/.test(name));
const setAside = (vfs: Vfs): string[] => vfs.list('.').filter((name) => name.includes('set-aside'));

test('a live segment that is missing behind sealed ones is a loss; one that a rotation had not named yet is none', () => {
  const start = killed();
  let pager = open(start.disk, TINY);
  const snapshot = pager.snapshot(); // keeps the segments
  for (let value = 7; value < 30; value += 1) put(pager, start.page, value);
  expect(sealed(start.disk).length).toBeGreaterThan(2);
  const disk = start.disk.kill();
  snapshot.release();
  pager.close();
  disk.unlink(LOG);
  pager = open(disk, TINY);
  expect(valueOf(pager.view, start.page)).toBeLessThan(29);
  put(pager, start.page, 77);
  expect(timelineOf(pager)).not.toBe(start.timeline);
  pager.close();

  let [cuts, images] = [0, 0];
  for (let step = 1; step < 120; step += 1) {
    const { disk: cut, page, timeline } = killed();
    const writer = open(cut, TINY);
    cut.crashAt = cut.ops + step;
    const code = codeOf(() => {
      for (let value = 7; value < 20; value += 1) put(writer, page, value);
    });
    if (code === 'no error') break;
    cuts += 1;
    for (const image of [cut.kill(), cut.crash({ keep: 'all', names: 'kept' }, new Random(step))]) {
      images += 1;
      expect([step, goOn({ disk: image, page, timeline }, TINY).timeline]).toEqual([step, timeline]);
    }
  }
  expect([cuts > 40, images]).toEqual([true, 2 * cuts]);
});

test('a loss that cannot be taken, because pages of main are newer, changes nothing', () => {
  const start = killed();
  const { disk } = start;
  const pager = open(disk);
  let left: SimDisk | undefined;
  disk.onOperation = (_number, operation, name) => {
    if (operation !== 'sync' || name !== 't.db' || left !== undefined) return;
    left = disk.kill(); // the pages of the checkpoint are there, its slot is not
    disk.halt();
  };
  expect(codeOf(() => pager.checkpoint())).not.toBe('no error');
  const log = read(left!, LOG);
  const at = log.findIndex((byte, i) => byte === 5 && log[i + 1] === 5 && log[i + 2] === 5) + 100;
  overwrite(left!, LOG, new Uint8Array([0x55]), at);
  const before = [read(left!, 't.db'), read(left!, LOG), left!.list('.')];
  for (let times = 0; times < 2; times += 1)
    expect(codeOf(() => open(left!, { toLastGood: true }))).toBe('SOMBRA_WAL_DAMAGED');
  expect([read(left!, 't.db'), read(left!, LOG), left!.list('.')]).toEqual(before);
});

test('nothing is given up beside other connections', () => {
  const { disk, page } = killed();
  const a = open(disk);
  put(a, page, 7);
  disk.syncFault = () => ({ errno: 'EIO' });
  expect(codeOf(() => put(a, page, 8))).not.toBe('no error');
  disk.syncFault = undefined;
  const log = read(disk, LOG);
  const at = log.findIndex((byte, i) => byte === 5 && log[i + 1] === 5 && log[i + 2] === 5) + 100;
  overwrite(disk, LOG, new Uint8Array([0x55]), at);
  expect(codeOf(() => open(disk, { toLastGood: true, busyTimeoutMs: 0 }))).toBe('SOMBRA_LOCK_POISONED');
  a.close();
  const b = open(disk, { toLastGood: true });
  put(b, page, 77);
  expect(timelineOf(b)).not.toBe(1);
  b.close();
});

test('a log that is missing as a whole is a loss, too, beside other connections', () => {
  const { disk, page } = killed();
  const a = open(disk);
  put(a, page, 7);
  disk.syncFault = () => ({ errno: 'EIO' });
  expect(codeOf(() => put(a, page, 8))).not.toBe('no error');
  disk.syncFault = undefined;
  disk.unlink(LOG);
  expect(codeOf(() => open(disk, { busyTimeoutMs: 0 }))).toBe('SOMBRA_LOCK_POISONED');
  a.close();
  const b = open(disk);
  put(b, page, 77);
  expect(timelineOf(b)).not.toBe(1);
  b.close();
});

test('pages that a bulk load placed for the archive say the timeline of its commit', () => {
  const { disk, timeline } = killed();
  disk.unlink(LOG);
  markArchived(disk, 't.db', 1000);
  const pager = open(disk);
  const bulk = pager.bulk();
  bulk.write(bulk.allocate(), new Uint8Array(4096), 0);
  const lsn = bulk.finish(() => undefined);
  const placed = decodePlacedHeader(read(disk, `t.db-${lsn}-pages`));
  expect(placed?.timeline).not.toBe(timeline);
  expect(placed?.timeline).toBe(timelineOf(pager));
  pager.close();
});

describe('the timeline stays', () => {
  test('after a kill, a power loss, and with toLastGood where nothing is given up', () => {
    for (const options of [{}, { toLastGood: true }]) {
      const start = killed();
      const { found, timeline } = goOn(start, options);
      expect([found, timeline]).toEqual([NEWEST, start.timeline]);
    }
  });

  test('of a file whose log is missing, while it is open without a commit; and the log may come back', () => {
    const start = killed();
    const log = read(start.disk, LOG);
    start.disk.unlink(LOG);
    const pager = open(start.disk);
    expect(pager.warnings.map(({ code }) => code)).toEqual(['SOMBRA_WAL_MISSING']);
    expect(timelineOf(pager)).toBe(start.timeline);
    pager.close();
    start.disk.open(LOG, { write: true, create: true }).close();
    overwrite(start.disk, LOG, log);
    expect(goOn(start).found).toBe(NEWEST);
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

test('sealed segments that the archive does not have are set aside with a warning when their timeline ends', () => {
  const disk = new SimDisk({ seed: 4 });
  let pager = open(disk, TINY);
  const page = write(pager, (tx) => newPage(tx, 1));
  markArchived(disk, 't.db', 2);
  for (let value = 2; value < 40; value += 1) put(pager, page, value);
  const left = disk.kill();
  const waiting = sealed(left);
  expect(waiting.length).toBeGreaterThan(1);
  overwrite(left, LOG, new Uint8Array([0x55, 0x55]), 20);
  pager = open(left, { ...TINY, toLastGood: true });
  expect(sealed(left)).toEqual([]);
  expect(setAside(left)).toHaveLength(waiting.length + 1); // and the damaged one
  expect(pager.warnings.map(({ code }) => code)).toEqual(['SOMBRA_LOG_GIVEN_UP', 'SOMBRA_WAL_SET_ASIDE']);
  put(pager, page, 90);
  const timeline = timelineOf(pager);
  const again = left.kill();
  pager = open(again, TINY);
  expect([valueOf(pager.view, page), timelineOf(pager), pager.warnings]).toEqual([90, timeline, []]);
  pager.close();
});
