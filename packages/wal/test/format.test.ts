// Goal: the layout tables of docs/format and the constants of the code say the same, and no damaged header or record passes.
// Method: read each table and compare name, offset and size with the constants; encode, decode, flip every bit.
import { MemoryVfs, xxh32 } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { readFormatTable } from '../../../tooling/vitest/format-table.ts';
import * as ops from '../src/record/page-ops.ts';
import * as record from '../src/record/record.ts';
import * as segment from '../src/segment/segment.ts';
import { SegmentReader } from '../src/segment/segment-reader.ts';
import { contentOf, newerHeader, patch } from './support/files.ts';
import { TestLog } from './support/log.ts';
import { digestOfView, PAGE_SIZE } from './support/records.ts';

type Layout = [field: string, offset: number, size: number][];

/** Offsets in order; each field ends where the next begins, the last one at `end`. */
function layout(end: number, fields: [string, number][]): Layout {
  return fields.map(([field, offset], at) => [field, offset, (fields[at + 1]?.[1] ?? end) - offset]);
}

const TABLES: [page: string, heading: string, layout: Layout][] = [
  [
    'segment.md',
    'Header',
    layout(segment.SEGMENT_HEADER_SIZE, [
      ['magic', segment.SEG_MAGIC],
      ['version', segment.SEG_VERSION],
      ['pageSize', segment.SEG_PAGE_SIZE],
      ['databaseId', segment.SEG_DATABASE_ID],
      ['timeline', segment.SEG_TIMELINE],
      ['reserved', segment.SEG_RESERVED],
      ['seq', segment.SEG_SEQ],
      ['salt', segment.SEG_SALT],
      ['baseLsn', segment.SEG_BASE_LSN],
      ['previousSalt', segment.SEG_PREVIOUS_SALT],
      ['previousEnd', segment.SEG_PREVIOUS_END],
      ['previousChain', segment.SEG_PREVIOUS_CHAIN],
      ['reserved2', segment.SEG_RESERVED_2],
      ['time', segment.SEG_TIME],
      ['reserved3', segment.SEG_RESERVED_3],
      ['checksum', segment.SEG_CHECKSUM],
    ]),
  ],
  [
    'record.md',
    'Header',
    layout(record.RECORD_HEADER_SIZE, [
      ['salt', record.REC_SALT],
      ['length', record.REC_LENGTH],
      ['kind', record.REC_KIND],
      ['lsn', record.REC_LSN],
      ['time', record.REC_TIME],
      ['pageCount', record.REC_PAGE_COUNT],
      ['durableSeq', record.REC_DURABLE_SEQ],
      ['durableOffset', record.REC_DURABLE_OFFSET],
      ['nonce', record.REC_NONCE],
      ['entries', record.REC_ENTRIES],
      ['checksum', record.REC_CHECKSUM],
      ['chain', record.REC_CHAIN],
      ['entry 0', record.RECORD_HEADER_SIZE],
    ]),
  ],
  [
    'record.md',
    'Image',
    layout(record.ENTRY_HEADER_SIZE, [
      ['pageNumber', record.ENTRY_PAGE],
      ['kind', record.ENTRY_KIND],
      ['page', record.ENTRY_HEADER_SIZE],
    ]),
  ],
  [
    'record.md',
    'Delta',
    layout(record.DELTA_HEADER_SIZE, [
      ['pageNumber', record.ENTRY_PAGE],
      ['kind', record.ENTRY_KIND],
      ['baseLsn', record.DELTA_BASE_LSN],
      ['length', record.DELTA_LENGTH],
      ['operations', record.DELTA_OPERATIONS],
      ['ops', record.DELTA_HEADER_SIZE],
    ]),
  ],
  [
    'record.md',
    'Bytes',
    layout(record.BYTES_HEADER_SIZE, [
      ['pageNumber', record.ENTRY_PAGE],
      ['kind', record.ENTRY_KIND],
      ['length', record.BYTES_LENGTH],
      ['reserved', record.BYTES_RESERVED],
      ['payload', record.BYTES_HEADER_SIZE],
    ]),
  ],
  [
    'page-ops.md',
    'Set',
    layout(ops.SET_HEADER_SIZE, [
      ['code', ops.OP_CODE],
      ['offset', ops.OP_OFFSET],
      ['length', ops.OP_LENGTH],
      ['bytes', ops.SET_HEADER_SIZE],
    ]),
  ],
  ...(['Move', 'Fill'] as const).map((heading): [string, string, Layout] => [
    'page-ops.md',
    heading,
    layout(ops.SHORT_OP_SIZE, [
      ['code', ops.OP_CODE],
      ['offset', ops.OP_OFFSET],
      ['length', ops.OP_LENGTH],
      [heading === 'Move' ? 'from' : 'value', ops.OP_OPERAND],
    ]),
  ]),
];

test.each(TABLES)('%s, %s: the table agrees with the constants', (page, heading, expected) => {
  expect(readFormatTable(page, heading).map(({ field, offset, size }) => [field, offset, size])).toEqual(expected);
});

const HEADER: Omit<segment.SegmentHeader, 'chain'> = {
  pageSize: 8192,
  databaseId: new Random(1).bytes(16),
  timeline: 3,
  seq: 2 ** 40 + 7,
  salt: new Random(2).bytes(8),
  baseLsn: 2 ** 35 + 1,
  previous: { salt: new Random(3).bytes(8), end: 2 ** 33 + 8, chain: 0xfedcba98 },
  time: 1_700_000_000_123,
};

describe('segment header', () => {
  test('reads back as it was written', () => {
    const bytes = segment.encodeSegmentHeader(HEADER);
    const { chain, ...rest } = segment.decodeSegmentHeader(bytes)!;
    expect(rest).toEqual(HEADER);
    expect(bytes.length).toBe(512);
    expect(new TextDecoder().decode(bytes.subarray(0, 8))).toBe('SOMBRAWL');
    const link = new Uint8Array(new Uint32Array([HEADER.previous.chain, xxh32(bytes, 0, 508, 0x53574c00), 0]).buffer);
    expect(chain).toBe(xxh32(link, 0, 12, 0x53574300));
  });

  test('every flipped bit voids it', () => {
    const good = segment.encodeSegmentHeader(HEADER);
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      good[bit >>> 3]! ^= 1 << (bit & 7);
      expect(segment.decodeSegmentHeader(good)).toBeUndefined();
      good[bit >>> 3]! ^= 1 << (bit & 7);
    }
    expect(segment.decodeSegmentHeader(good)).toBeDefined();
  });

  test('what is too short, foreign, or out of range is none', () => {
    const good = segment.encodeSegmentHeader(HEADER);
    expect(segment.decodeSegmentHeader(good.subarray(0, 511))).toBeUndefined();
    expect(segment.decodeSegmentHeader(new Uint8Array(0))).toBeUndefined();
    expect(segment.decodeSegmentHeader(new Random(4).bytes(512))).toBeUndefined();
    for (const wrong of [
      { seq: 0 },
      { seq: 2 ** 53 },
      { baseLsn: 2 ** 60 },
      { previous: { ...HEADER.previous, end: 2 ** 54 } },
    ]) {
      expect(segment.decodeSegmentHeader(segment.encodeSegmentHeader({ ...HEADER, ...wrong }))).toBeUndefined();
    }
  });

  test('a later format is recognised by magic, version and checksum', () => {
    const bytes = newerHeader(segment.encodeSegmentHeader(HEADER));
    expect(segment.isNewerSegment(segment.encodeSegmentHeader(HEADER))).toBe(false);
    expect(segment.isNewerSegment(bytes)).toBe(true);
    expect(segment.isNewerSegment(bytes.with(100, 1))).toBe(false);
    expect(segment.isNewerSegment(bytes.subarray(0, 11))).toBe(false);
    bytes[0]! ^= 1;
    expect(segment.isNewerSegment(bytes)).toBe(false);
  });

  test('names', () => {
    expect(segment.livePath('a/b.db')).toBe('a/b.db-wal');
    expect(segment.sealedPath('a/b.db', 12)).toBe('a/b.db-12-wal');
    expect(segment.sealedSeq('b.db', 'b.db-12-wal')).toBe(12);
    for (const name of [
      'b.db-wal',
      'b.db-012-wal',
      'b.db-0-wal',
      'b.db--1-wal',
      'b.db-1-wal.spare',
      'c.db-1-wal',
      'b.db-1e3-wal',
      'b.db-12345678901234567-wal',
    ]) {
      expect([name, segment.sealedSeq('b.db', name)]).toEqual([name, undefined]);
    }
    // A sealed name never is the spare's, nor of a file that was set aside.
    expect(segment.sealedSeq('b.db', segment.sparePath('b.db'))).toBeUndefined();
  });
});

describe('record', () => {
  /** A log of one record, and how it is read. */
  function oneRecord(size: number) {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs);
    const { digest, end, offset } = log.commit(size);
    log.close();
    const bytes = contentOf(vfs, 't.db-wal');
    const header = segment.decodeSegmentHeader(bytes)!;
    const accept = (): number[] => {
      const file = vfs.open('t.db-wal', { write: false });
      const view = new record.RecordView(PAGE_SIZE);
      const state = { offset: segment.SEGMENT_HEADER_SIZE, chain: header.chain, lsn: 0 };
      const accepted = new SegmentReader(file, header).next(state, view) ? [digestOfView(view)] : [];
      file.close();
      return accepted;
    };
    return { vfs, bytes, offset, end: end.offset, digest, accept };
  }

  test('every flipped bit is noticed', () => {
    const { vfs, bytes, offset, end, digest, accept } = oneRecord(300);
    expect(accept()).toEqual([digest]);
    for (let bit = offset * 8; bit < end * 8; bit += 1) {
      patch(vfs, 't.db-wal', bit >>> 3, Uint8Array.of(bytes[bit >>> 3]! ^ (1 << (bit & 7))));
      expect([bit, accept()]).toEqual([bit, []]);
      patch(vfs, 't.db-wal', bit >>> 3, bytes.subarray(bit >>> 3, (bit >>> 3) + 1));
    }
    expect(accept()).toEqual([digest]);
  });

  test('a record that is cut off is none', () => {
    const { vfs, offset, end, accept } = oneRecord(300);
    const file = vfs.open('t.db-wal', { write: true });
    for (let size = end - 1; size >= offset; size -= 7) {
      file.truncate(size);
      expect(accept()).toEqual([]);
    }
  });

  test('checksum and chain are those of the format page', () => {
    const { bytes, offset, end } = oneRecord(100);
    const at = (field: number): number => new DataView(bytes.buffer).getUint32(offset + field, true);
    expect(at(record.REC_LENGTH)).toBe(end - offset);
    const checksum = xxh32(bytes, offset + 72, end, xxh32(bytes, offset, offset + 64, 0x53575200));
    expect(at(record.REC_CHECKSUM)).toBe(checksum);
    const { chain } = segment.decodeSegmentHeader(bytes)!;
    const link = new Uint8Array(new Uint32Array([chain, checksum, at(record.REC_NONCE)]).buffer);
    expect(at(record.REC_CHAIN)).toBe(xxh32(link, 0, 12, 0x53574300));
  });
});
