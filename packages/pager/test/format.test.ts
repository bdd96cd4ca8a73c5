// Goal: the layout tables of docs/format and the constants of the code say the same.
// Method: read each table and compare name, offset and size with the constants; encode, decode, damage each structure.
import { MemoryVfs, pwriteFully, xxh32 } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import * as changes from '../src/format/changes.ts';
import type { DoubleWriteBatch } from '../src/format/double-write.ts';
import * as dw from '../src/format/double-write.ts';
import * as placed from '../src/format/placed-pages.ts';
import * as freelist from '../src/writing/freelist.ts';
import * as figures from '../src/sharing/figures.ts';
import * as holders from '../src/sharing/holders.ts';
import * as locks from '../src/sharing/locks.ts';
import * as header from '../src/format/page-header.ts';
import * as roots from '../src/format/roots-page.ts';
import { newSharedState, SHARED_FIELDS } from '../src/format/shared-state.ts';
import * as shm from '../src/sharing/shm.ts';
import type { Superblock } from '../src/format/superblock.ts';
import * as sb from '../src/format/superblock.ts';
import { firstDifference } from './support/bytes.ts';
import { Random } from './support/random.ts';

type Layout = [field: string, offset: number, size: number][];

/** Offsets in order; each field ends where the next begins, the last one at `end`. */
function layout(end: number, fields: [string, number][]): Layout {
  return fields.map(([field, offset], at) => [field, offset, (fields[at + 1]?.[1] ?? end) - offset]);
}

const TABLES: [page: string, heading: string, layout: Layout][] = [
  [
    'superblock.md',
    'Slot',
    layout(sb.SUPERBLOCK_SLOT_SIZE, [
      ['magic', sb.SB_MAGIC],
      ['version', sb.SB_VERSION],
      ['pageSize', sb.SB_PAGE_SIZE],
      ['databaseId', sb.SB_DATABASE_ID],
      ['timeline', sb.SB_TIMELINE],
      ['salt', sb.SB_SALT],
      ['sequence', sb.SB_SEQUENCE],
      ['checkpointLsn', sb.SB_LSN],
      ['pageCount', sb.SB_PAGE_COUNT],
      ['replaySeq', sb.SB_REPLAY_SEQ],
      ['replayOffset', sb.SB_REPLAY_OFFSET],
      ['logSalt', sb.SB_LOG_SALT],
      ['chain', sb.SB_CHAIN],
      ['flags', sb.SB_FLAGS],
      ['time', sb.SB_TIME],
      ['reserved', sb.SB_RESERVED],
      ['checksum', sb.SB_CHECKSUM],
    ]),
  ],
  [
    'page-header.md',
    'Header',
    layout(header.PAGE_HEADER_SIZE, [
      ['checksum', header.CHECKSUM_OFFSET],
      ['pageNumber', header.PAGE_NUMBER_OFFSET],
      ['lsn', header.LSN_OFFSET],
      ['kind', header.KIND_OFFSET],
      ['flags', header.FLAGS_OFFSET],
      ['treeId', header.TREE_ID_OFFSET],
      ['aux', header.AUX_OFFSET],
    ]),
  ],
  [
    'roots.md',
    'Page',
    layout(roots.ROOTS_TREES + roots.TREE_ENTRY_SIZE, [
      ['header', 0],
      ['freelistHead', roots.ROOTS_FREELIST_HEAD],
      ['freeCount', roots.ROOTS_FREE_COUNT],
      ['nextCatalogue', roots.ROOTS_NEXT_CATALOGUE],
      ['reserved', roots.ROOTS_RESERVED],
      ['counters', roots.ROOTS_COUNTERS],
      ['reserved2', roots.ROOTS_RESERVED_2],
      ['tree 0', roots.ROOTS_TREES],
    ]),
  ],
  [
    'roots.md',
    'Tree entry',
    layout(roots.TREE_ENTRY_SIZE, [
      ['root', roots.TREE_ROOT],
      ['since', roots.TREE_SINCE],
      ['count', roots.TREE_COUNT],
      ['nameLength', roots.TREE_NAME_LENGTH],
      ['name', roots.TREE_NAME],
    ]),
  ],
  [
    'freelist.md',
    'Trunk page',
    layout(freelist.FREELIST_PAGES + 4, [
      ['header', 0],
      ['next', freelist.FREELIST_NEXT],
      ['count', freelist.FREELIST_COUNT],
      ['page 0', freelist.FREELIST_PAGES],
    ]),
  ],
  [
    'double-write.md',
    'Header',
    layout(dw.DW_ENTRIES + dw.DW_ENTRY_SIZE, [
      ['magic', dw.DW_MAGIC],
      ['version', dw.DW_VERSION],
      ['pageSize', dw.DW_PAGE_SIZE],
      ['databaseId', dw.DW_DATABASE_ID],
      ['sequence', dw.DW_SEQUENCE],
      ['bound', dw.DW_BOUND],
      ['pageCount', dw.DW_PAGE_COUNT],
      ['flags', dw.DW_FLAGS],
      ['count', dw.DW_COUNT],
      ['checksum', dw.DW_CHECKSUM],
      ['reserved', dw.DW_RESERVED],
      ['entry 0', dw.DW_ENTRIES],
    ]),
  ],
  [
    'placed-pages.md',
    'Header',
    layout(placed.PLACED_HEADER_SIZE, [
      ['magic', placed.PLACED_MAGIC],
      ['version', placed.PLACED_VERSION],
      ['pageSize', placed.PLACED_PAGE_SIZE],
      ['databaseId', placed.PLACED_DATABASE_ID],
      ['timeline', placed.PLACED_TIMELINE],
      ['salt', placed.PLACED_SALT],
      ['lsn', placed.PLACED_LSN],
      ['firstPage', placed.PLACED_FIRST_PAGE],
      ['pageCount', placed.PLACED_PAGE_COUNT],
      ['pages', placed.PLACED_PAGES],
      ['reserved', placed.PLACED_RESERVED],
      ['checksum', placed.PLACED_CHECKSUM],
    ]),
  ],
  [
    'double-write.md',
    'Entry',
    [
      ['pageNumber', 0, 4],
      ['checksum', 4, dw.DW_ENTRY_SIZE - 4],
    ],
  ],
  [
    'backup.md',
    'Changes',
    layout(changes.CHANGES_HEADER_SIZE, [
      ['magic', changes.CH_MAGIC],
      ['version', changes.CH_VERSION],
      ['pageSize', changes.CH_PAGE_SIZE],
      ['databaseId', changes.CH_DATABASE_ID],
      ['since', changes.CH_SINCE],
      ['reserved', changes.CH_RESERVED],
      ['checksum', changes.CH_CHECKSUM],
      ['superblock', changes.CH_SUPERBLOCK],
    ]),
  ],
  [
    'shm.md',
    'File',
    layout(shm.SHM_SIZE, [
      ['header 0', 0],
      ['header 1', shm.SHM_COPY_SIZE],
      ['poison', shm.SHM_POISON],
      ['held', shm.SHM_HELD],
      ['late', shm.SHM_LATE],
      ['reserved', shm.SHM_LATE + 4],
      ['holders', holders.HOLDERS_OFFSET],
      ['figures', holders.HOLDERS_OFFSET + locks.LOCK_READ * holders.HOLDER_SIZE],
      ['marks', shm.SHM_MARKS],
    ]),
  ],
  [
    'shm.md',
    'Header',
    layout(shm.SHM_COPY_SIZE, [
      ['magic', shm.SHM_MAGIC],
      ['version', shm.SHM_VERSION],
      ['generation', shm.SHM_GENERATION],
      ...SHARED_FIELDS.map((field, at): [string, number] => [field, shm.SHM_FIELDS + 8 * at]),
      ['reserved', shm.SHM_FIELDS + 8 * SHARED_FIELDS.length],
      ['checksum', shm.SHM_CHECKSUM],
    ]),
  ],
  [
    'shm.md',
    'Reader mark',
    layout(shm.SHM_MARK_CHECKSUM + 4, [
      ['lsn', shm.SHM_MARK_LSN],
      ['floor', shm.SHM_MARK_FLOOR],
      ['since', shm.SHM_MARK_SINCE],
      ['pid', shm.SHM_MARK_PID],
      ['checksum', shm.SHM_MARK_CHECKSUM],
    ]),
  ],
  [
    'shm.md',
    'Figures',
    layout(figures.FIGURES_SIZE, [
      ['magic', figures.FIGURES_MAGIC],
      ['pid', figures.FIGURES_PID],
      ['opened', figures.FIGURES_OPENED],
      ['written', figures.FIGURES_WRITTEN],
      ['hits', figures.FIGURES_HITS],
      ['misses', figures.FIGURES_MISSES],
      ['commits', figures.FIGURES_COMMITS],
      ['commitP95', figures.FIGURES_COMMIT_P95],
      ['reads', figures.FIGURES_READS],
      ['readP95', figures.FIGURES_READ_P95],
      ['reserved', figures.FIGURES_RESERVED],
      ['checksum', figures.FIGURES_CHECKSUM],
    ]),
  ],
  [
    'locks.md',
    'Lock bytes',
    [
      ['RECOVER', locks.LOCK_RECOVER, 1],
      ['PRESENCE', locks.LOCK_PRESENCE, 1],
      ['WRITE', locks.LOCK_WRITE, 1],
      ['WAIT', locks.LOCK_WAIT, 1],
      ['INSPECT', locks.LOCK_INSPECT, 1],
      ['READ', locks.LOCK_READ, locks.LOCK_READ_SLOTS],
      ['FIGURES', locks.LOCK_FIGURES, locks.LOCK_FIGURES_SLOTS],
      ['SEATS', locks.LOCK_SEATS, locks.LOCK_SEAT_COUNT],
    ],
  ],
  [
    'locks.md',
    'Holder record',
    layout(holders.HOLDER_SIZE, [
      ['magic', holders.HOLDER_MAGIC],
      ['pid', holders.HOLDER_PID],
      ['since', holders.HOLDER_SINCE],
      ['hostLength', holders.HOLDER_HOST_LENGTH],
      ['host', holders.HOLDER_HOST],
      ['checksum', holders.HOLDER_CHECKSUM],
    ]),
  ],
];

test.each(TABLES)('%s, %s: the table agrees with the constants', (page, heading, expected) => {
  expect(readFormatTable(page, heading).map(({ field, offset, size }) => [field, offset, size])).toEqual(expected);
});

const SUPERBLOCK: Superblock = {
  pageSize: 8192,
  databaseId: new Random(1).bytes(16),
  timeline: 3,
  salt: 0xfedcba98,
  sequence: 2 ** 40 + 1,
  checkpointLsn: 2 ** 33 + 5,
  pageCount: 77,
  replaySeq: 9,
  replayOffset: 2 ** 34,
  logSalt: new Random(2).bytes(8),
  chain: 0xdeadbeef,
  clean: true,
  forked: true,
  time: 1_700_000_000_000,
};

/** A superblock area with these slots in their places. */
function area(...slots: Superblock[]): Uint8Array {
  const bytes = new Uint8Array(sb.SUPERBLOCK_AREA_MIN);
  for (const slot of slots) bytes.set(sb.encodeSuperblock(slot), sb.slotOffset(slot.sequence));
  return bytes;
}

test('a superblock slot reads back as it was written', () => {
  expect(sb.decodeSuperblock(sb.encodeSuperblock(SUPERBLOCK), 0)).toEqual(SUPERBLOCK);
  const other = { ...SUPERBLOCK, clean: false, sequence: 0 };
  expect(sb.decodeSuperblock(sb.encodeSuperblock(other), 0)).toEqual(other);
});

test('every single flipped bit voids a superblock slot', () => {
  const good = sb.encodeSuperblock(SUPERBLOCK);
  for (let bit = 0; bit < good.length * 8; bit += 1) {
    const bytes = good.slice();
    bytes[bit >>> 3]! ^= 1 << (bit & 7);
    expect(sb.decodeSuperblock(bytes, 0)).toBeUndefined();
  }
});

test('the newest valid slot wins, whichever place it has; a damaged one is noticed', () => {
  const older = { ...SUPERBLOCK, sequence: 4, checkpointLsn: 10 };
  const newer = { ...SUPERBLOCK, sequence: 5, checkpointLsn: 11 };
  expect(sb.readSuperblocks(area(older, newer), 'x')).toEqual({ newest: newer, bothValid: true });
  expect(sb.readSuperblocks(area(newer), 'x')).toEqual({ newest: newer, bothValid: false });
  const first = { ...SUPERBLOCK, sequence: 0 };
  expect(sb.readSuperblocks(area(first), 'x')).toEqual({ newest: first, bothValid: true });
  const damaged = area(older, newer);
  damaged[sb.slotOffset(5) + 100]! ^= 1;
  expect(sb.readSuperblocks(damaged, 'x')).toEqual({ newest: older, bothValid: false });
  const misplaced = new Uint8Array(sb.SUPERBLOCK_AREA_MIN);
  misplaced.set(sb.encodeSuperblock(newer), sb.slotOffset(4));
  misplaced.set(sb.encodeSuperblock(older), sb.slotOffset(5));
  expect(() => sb.readSuperblocks(misplaced, 'x')).toThrow(expect.objectContaining({ code: 'SOMBRA_SUPERBLOCK' }));
});

test('a file that is no database, too new, or damaged beyond use gets an error of its own', () => {
  const both = area({ ...SUPERBLOCK, sequence: 4 }, { ...SUPERBLOCK, sequence: 5 });
  const damaged = both.slice();
  damaged[200]! ^= 1;
  damaged[4096 + 200]! ^= 1;
  const newerFormat = both.slice();
  newerFormat[sb.SB_VERSION] = 2;
  newerFormat[4096 + sb.SB_VERSION] = 2;
  const mixed = area({ ...SUPERBLOCK, sequence: 4 }, { ...SUPERBLOCK, sequence: 5, salt: 1 });
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), 'SOMBRA_NOT_A_DATABASE'],
    [new Uint8Array(100), 'SOMBRA_NOT_A_DATABASE'],
    [new Random(3).bytes(8192), 'SOMBRA_NOT_A_DATABASE'],
    [damaged, 'SOMBRA_SUPERBLOCK'],
    [newerFormat, 'SOMBRA_FORMAT_VERSION'],
    [mixed, 'SOMBRA_SUPERBLOCK'],
  ];
  for (const [bytes, code] of cases)
    expect(() => sb.readSuperblocks(bytes, 'x')).toThrow(expect.objectContaining({ code }));
});

test('a page passes only in its own place, of its own database, whole, and not from the future', () => {
  const page = new Random(4).bytes(8192);
  header.stampHeader(page, 0, 17, 40);
  header.sealPage(page, 0, 8192, 17, 99);
  expect(header.verifyPage(page, 0, 8192, 17, 99, 40)).toBe(40);
  const code = (run: () => void): unknown => {
    try {
      run();
      return 'no error';
    } catch (error) {
      return (error as { code: unknown }).code;
    }
  };
  expect(code(() => header.verifyPage(page, 0, 8192, 18, 99, 40))).toBe('SOMBRA_PAGE_MISDIRECTED');
  expect(code(() => header.verifyPage(page, 0, 8192, 17, 98, 40))).toBe('SOMBRA_PAGE_CHECKSUM');
  expect(code(() => header.verifyPage(page, 0, 8192, 17, 99, 39))).toBe('SOMBRA_PAGE_LSN');
  for (let bit = 0; bit < 8192 * 8; bit += 97) {
    page[bit >>> 3]! ^= 1 << (bit & 7);
    expect(code(() => header.verifyPage(page, 0, 8192, 17, 99, 40))).not.toBe('no error');
    page[bit >>> 3]! ^= 1 << (bit & 7);
  }
});

const PAGE = 4096;
const IDENTITY = { pageSize: PAGE, databaseId: new Random(5).bytes(16), salt: 7 };

/** A double-write file with some pages. */
function doubleWriteFile(numbers: number[], whole: boolean) {
  const vfs = new MemoryVfs();
  const file = vfs.open('x-dw', { write: true, create: true });
  const pages = Uint32Array.from(numbers);
  const checksums = new Uint32Array(pages.length);
  const images = new Random(6).bytes(pages.length * PAGE);
  pages.forEach((page, i) => {
    header.stampHeader(images, i * PAGE, page, 3);
    checksums[i] = header.sealPage(images, i * PAGE, PAGE, page, IDENTITY.salt);
  });
  const batch: DoubleWriteBatch = { sequence: 6, bound: 12, pageCount: 1000, whole, pages, checksums };
  pwriteFully(file, images, dw.imagesOffset(pages.length));
  pwriteFully(file, dw.encodeDoubleWrite(batch, IDENTITY), 0);
  return { vfs, file, batch, images };
}

test('a double-write batch reads back, restores main in runs, and gives single images', () => {
  const { vfs, file, batch, images } = doubleWriteFile([3, 4, 5, 9, 11, 12], true);
  expect(dw.readDoubleWrite(file, IDENTITY)).toEqual(batch);
  const main = vfs.open('x', { write: true, create: true });
  dw.restoreFromDoubleWrite(file, batch, PAGE, main);
  const page = new Uint8Array(PAGE);
  batch.pages.forEach((number, i) => {
    main.pread(page, number * PAGE);
    expect(firstDifference(page, images.subarray(i * PAGE, (i + 1) * PAGE))).toBe(-1);
  });
  expect(dw.readDoubleWriteImage(file, batch, 9, PAGE, page, 0)).toBe(true);
  expect(firstDifference(page, images.subarray(3 * PAGE, 4 * PAGE))).toBe(-1);
  expect(dw.readDoubleWriteImage(file, batch, 10, PAGE, page, 0)).toBe(false);
});

test('a double-write batch counts as a whole or not at all', () => {
  const { file, batch } = doubleWriteFile([3, 4, 5], false);
  const { size } = file.stat();
  const imagesFrom = dw.imagesOffset(3);
  const byte = new Uint8Array(1);
  for (let at = 0; at < size; at += at < 100 ? 1 : 61) {
    if (at >= dw.DW_RESERVED && at < dw.DW_ENTRIES) continue;
    if (at >= dw.DW_ENTRIES + 3 * dw.DW_ENTRY_SIZE && at < imagesFrom) continue; // padding
    file.pread(byte, at);
    file.pwrite([Uint8Array.of(byte[0]! ^ 0x40)], at);
    expect([at, dw.readDoubleWrite(file, IDENTITY)]).toEqual([at, undefined]);
    file.pwrite([byte], at);
  }
  expect(dw.readDoubleWrite(file, IDENTITY)).toEqual(batch);
  expect(dw.readDoubleWrite(file, { ...IDENTITY, salt: 8 })).toBeUndefined();
  expect(dw.readDoubleWrite(file, { ...IDENTITY, databaseId: new Uint8Array(16) })).toBeUndefined();
  file.truncate(size - 1);
  expect(dw.readDoubleWrite(file, IDENTITY)).toBeUndefined();
});

test('a holder record reads back; damage gives nothing', () => {
  const holder = { pid: 4242, host: 'näme'.repeat(40), since: 1_700_000_000_123 };
  const bytes = holders.encodeHolder(holder);
  const read = holders.decodeHolder(bytes)!;
  expect(read.pid).toBe(4242);
  expect(read.since).toBe(holder.since);
  expect(read.host.startsWith('nämenäme')).toBe(true);
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = bytes.slice();
    damaged[at]! ^= 1;
    expect(holders.decodeHolder(damaged)).toBeUndefined();
  }
  expect(holders.decodeHolder(bytes.subarray(0, 100))).toBeUndefined();
});

test('a shm header reads back from either copy, survives a torn one, and any flipped bit voids a copy', () => {
  const vfs = new MemoryVfs();
  const state = newSharedState();
  SHARED_FIELDS.forEach((field, at) => (state[field] = 2 ** 40 + at));
  const writer = shm.Shm.create(vfs, 't.db', state);
  const file = vfs.open('t.db-shm', { write: true });
  expect(file.stat().size).toBe(shm.SHM_SIZE);
  const read = (): unknown => shm.Shm.lastHeader(vfs, 't.db');
  expect(read()).toEqual(state);
  const older = { ...state };
  state.publishedLsn += 1;
  writer.write(state);
  expect(read()).toEqual(state);
  const newest = (writer.generation & 1) * shm.SHM_COPY_SIZE;
  const bytes = new Uint8Array(shm.SHM_COPY_SIZE);
  file.pread(bytes, newest);
  for (let bit = 0; bit < bytes.length * 8; bit += 61) {
    const damaged = bytes.slice();
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    file.pwrite([damaged], newest);
    expect(read()).toEqual(older);
  }
  file.pwrite([new Uint8Array(2 * shm.SHM_COPY_SIZE)], 0);
  expect(read()).toBeUndefined();
});

test('a shm file of another version is not used beside others; what an earlier one says of syncs still counts', () => {
  const vfs = new MemoryVfs();
  const state = newSharedState();
  state.synced = 4711;
  const writer = shm.Shm.create(vfs, 't.db', state);
  const file = vfs.open('t.db-shm', { write: true });
  const setVersion = (version: number): void => {
    const copy = new Uint8Array(shm.SHM_COPY_SIZE);
    for (const at of [0, shm.SHM_COPY_SIZE]) {
      file.pread(copy, at);
      const view = new DataView(copy.buffer);
      view.setUint32(shm.SHM_VERSION, version, true);
      view.setUint32(shm.SHM_CHECKSUM, xxh32(copy, 0, shm.SHM_CHECKSUM, 0x53_48_4d_00), true);
      file.pwrite([copy], at);
    }
  };
  for (const version of [1, 3]) {
    setVersion(version);
    writer.forget();
    expect(() => writer.read(newSharedState())).toThrow(`version ${version}`);
  }
  setVersion(1);
  expect(shm.Shm.lastHeader(vfs, 't.db')?.synced).toBe(4711);
});
