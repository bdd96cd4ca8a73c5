// Goal: what a record holds comes back as it was put in, and hostile entries get a typed error. Method: build records and visit
// their entries; then change length, kind and number of entries behind a valid frame, and random bytes of it.
import { Random } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import {
  BYTES_HEADER_SIZE,
  DELTA_HEADER_SIZE,
  ENTRY_BYTES,
  ENTRY_DELTA,
  ENTRY_IMAGE,
  OP_FILL,
  RECORD_COMMIT,
  RECORD_HEADER_SIZE,
  RecordBuilder,
  RecordView,
} from '../src/index.ts';
import { BYTES_LENGTH, DELTA_LENGTH, REC_ENTRIES, REC_LENGTH } from '../src/record/record.ts';
import { codeOf } from './support/files.ts';

const PAGE = 512;
const SEAL = { salt: new Random(1).bytes(8), durableSeq: 1, durableOffset: 512, nonce: 7, chain: 9 };

/** A record with one entry of each kind. */
function threeEntries(): { builder: RecordBuilder; image: Uint8Array; ops: Uint8Array; payload: Uint8Array } {
  const random = new Random(2);
  const builder = new RecordBuilder(PAGE);
  const image = random.bytes(PAGE);
  const ops = new Uint8Array(new Uint16Array([OP_FILL, 16, 3, 7]).buffer);
  const payload = random.bytes(13);
  builder.begin(RECORD_COMMIT, 2 ** 33 + 1, 1_700_000_000_000, 2 ** 34);
  builder.addImage(5, image, 0);
  builder.beginDelta(2 ** 32 - 1, 2 ** 33);
  builder.addOps(ops, 0, 4, 1);
  builder.addOps(ops, 4, 8, 1);
  builder.endDelta();
  builder.addBytes(payload);
  builder.seal(SEAL);
  return { builder, image, ops, payload };
}

function viewOf({ bytes }: RecordBuilder): RecordView {
  const view = new RecordView(PAGE);
  view.show(bytes, 0, 3, 1024);
  return view;
}

test('entries come back in order, with their places', () => {
  const { builder, image, ops, payload } = threeEntries();
  const view = viewOf(builder);
  expect({ ...view }).toMatchObject({
    lsn: 2 ** 33 + 1,
    time: 1_700_000_000_000,
    pageCount: 2 ** 34,
    seq: 3,
    offset: 1024,
    end: 1024 + builder.length,
    nonce: 7,
  });
  const seen: unknown[] = [];
  view.forEachEntry((page, kind, offset, length, bytes, at) => {
    const body =
      kind === ENTRY_IMAGE
        ? [8, PAGE]
        : kind === ENTRY_DELTA
          ? [DELTA_HEADER_SIZE, ops.length]
          : [BYTES_HEADER_SIZE, payload.length];
    seen.push([
      page,
      kind,
      offset - 1024,
      length,
      Buffer.from(bytes.slice(at + body[0]!, at + body[0]! + body[1]!)).toString('hex'),
    ]);
  });
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  expect(seen).toEqual([
    [5, ENTRY_IMAGE, 72, 520, hex(image)],
    [2 ** 32 - 1, ENTRY_DELTA, 592, 32, hex(ops)],
    [0, ENTRY_BYTES, 624, 32, hex(payload)],
  ]);
  expect(builder.length).toBe(656);
});

test('a record without entries has none, and the builder can be used again', () => {
  const { builder } = threeEntries();
  builder.begin(RECORD_COMMIT, 1, 2, 3);
  builder.seal(SEAL);
  expect(builder.length).toBe(RECORD_HEADER_SIZE);
  let entries = 0;
  viewOf(builder).forEachEntry(() => (entries += 1));
  expect(entries).toBe(0);
});

test('padding is zero whatever the memory held before', () => {
  const builder = new RecordBuilder(PAGE);
  for (let length = 0; length < 20; length += 1) {
    builder.begin(RECORD_COMMIT, 1, 2, 3);
    builder.addBytes(new Uint8Array(100).fill(0xff));
    builder.begin(RECORD_COMMIT, 1, 2, 3);
    builder.addBytes(new Uint8Array(length).fill(0xff));
    expect(builder.length % 8).toBe(0);
    expect(builder.bytes.subarray(88 + length, builder.length).every((byte) => byte === 0)).toBe(true);
    expect(builder.length - (88 + length)).toBeLessThan(8);
  }
});

test('a record grows far beyond its first memory', () => {
  const builder = new RecordBuilder(PAGE);
  const image = new Random(3).bytes(PAGE);
  builder.begin(RECORD_COMMIT, 1, 2, 3);
  for (let page = 0; page < 3000; page += 1) builder.addImage(page, image, 0);
  builder.seal(SEAL);
  let next = 0;
  viewOf(builder).forEachEntry((page, _kind, _offset, _length, bytes, at) => {
    if (page === next && Buffer.compare(bytes.subarray(at + 8, at + 8 + PAGE), image) === 0) next += 1;
  });
  expect(next).toBe(3000);
});

test('a delta that was not ended is our bug', () => {
  const builder = new RecordBuilder(PAGE);
  builder.begin(RECORD_COMMIT, 1, 2, 3);
  expect(codeOf(() => builder.endDelta())).toBe('SOMBRA_INVARIANT');
  builder.beginDelta(1, 0);
  expect(codeOf(() => builder.seal(SEAL))).toBe('SOMBRA_INVARIANT');
});

describe('malformed', () => {
  const IMAGE = 72;
  const DELTA = 592;
  const BYTES = 624;
  const cases: [string, number, number][] = [
    ['one entry too many', REC_ENTRIES, 4],
    ['one entry too few', REC_ENTRIES, 2],
    ['2^32 - 1 entries', REC_ENTRIES, 0xffffffff],
    ['no entries, but bytes', REC_ENTRIES, 0],
    ['length cuts the last entry', REC_LENGTH, 648],
    ['length cuts the header of an entry', REC_LENGTH, 76],
    ['length cuts the header of a delta', REC_LENGTH, 608],
    ['length cuts the header of bytes', REC_LENGTH, 632],
    ['kind 0', IMAGE + 4, 0],
    ['unknown kind', IMAGE + 4, 4],
    ['a delta in the place of an image', IMAGE + 4, ENTRY_DELTA],
    ['an image in the place of bytes', BYTES + 4, ENTRY_IMAGE],
    ['delta too long', DELTA + DELTA_LENGTH, 100],
    ['delta too short', DELTA + DELTA_LENGTH, 0],
    ['delta of 2^31 bytes', DELTA + DELTA_LENGTH, 0x80000000],
    ['delta whose length wraps around', DELTA + DELTA_LENGTH, 0xffffffff],
    ['bytes too long', BYTES + BYTES_LENGTH, 17],
    ['bytes too short', BYTES + BYTES_LENGTH, 1],
    ['bytes whose length wraps around', BYTES + BYTES_LENGTH, 0xfffffff1],
  ];
  test.each(cases)('%s', (_name, at, value) => {
    const { builder } = threeEntries();
    new DataView(builder.bytes.buffer).setUint32(at, value, true);
    expect(codeOf(() => viewOf(builder).forEachEntry(() => undefined))).toBe('SOMBRA_WAL_RECORD');
  });

  test('random damage gives a typed error, or entries within the record', () => {
    const random = new Random(4);
    let refused = 0;
    let outside = 0;
    for (let run = 0; run < 5000; run += 1) {
      const { builder } = run % 100 === 0 ? threeEntries() : { builder: damagedCopy(random) };
      const view = viewOf(builder);
      const code = codeOf(() =>
        view.forEachEntry((_page, _kind, offset, length) => {
          if (offset < 1024 + RECORD_HEADER_SIZE || offset + length > view.end) outside += 1;
        }),
      );
      if (code === 'SOMBRA_WAL_RECORD') refused += 1;
      else if (code !== 'no error') throw new Error(code);
    }
    expect(outside).toBe(0);
    expect(refused).toBeGreaterThan(1000);
  });

  function damagedCopy(random: Random): RecordBuilder {
    const { builder } = threeEntries();
    const places = [REC_ENTRIES, IMAGE + 4, DELTA + 4, DELTA + DELTA_LENGTH, BYTES + 4, BYTES + BYTES_LENGTH];
    const at = random.pick(places);
    new DataView(builder.bytes.buffer).setUint32(at, random.chance(0.5) ? random.below(64) : random.next(), true);
    return builder;
  }
});
