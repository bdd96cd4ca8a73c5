// Goal: a log whose bytes come from elsewhere is read as it was written, in pieces of any size and from any commit on; one that was changed, cut,
// put out of order or mixed with another one is refused, never read as something else.
// Method: random logs of several segments, their bytes in random pieces; every kind of change, by hand and at random places.
import { MemoryVfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { livePath, LogStream, openSegment, sealedPath, SEGMENT_HEADER_SIZE, surveyLog } from '../src/index.ts';
import type { LogPlace } from '../src/index.ts';
import { codeOf, contentOf } from './support/files.ts';
import { IDENTITY, NO_LOG, PATH, TestLog } from './support/log.ts';
import { digestOfView } from './support/records.ts';

const BEGIN: LogPlace = { seq: 0, offset: 0, chain: NO_LOG.chain, salt: NO_LOG.salt, lsn: 0 };

interface Source {
  readonly log: TestLog;
  /** Each up to the end of its records. */
  readonly segments: Uint8Array[];
}

function source(seed: number): Source {
  const random = new Random(seed);
  const vfs = new MemoryVfs();
  const log = new TestLog(vfs, { segmentSize: 2048 });
  while (log.wal.tail.seq < 4) log.commitSynced(random.below(900));
  for (let i = random.below(3); i > 0; i -= 1) log.commitSynced(50);
  log.close();
  const segments = surveyLog({ vfs, path: PATH, identity: IDENTITY }, NO_LOG).map(({ path, end }) =>
    contentOf(vfs, path).slice(0, end),
  );
  return { log, segments };
}

/** @returns a number for each record @throws what the stream throws */
function read(segments: readonly Uint8Array[], random: Random, from = BEGIN, skip = 0): number[] {
  const stream = new LogStream(IDENTITY, from);
  const found: number[] = [];
  segments.forEach((bytes, at) => {
    stream.begin(bytes.subarray(0, SEGMENT_HEADER_SIZE), `piece ${at}`);
    for (let offset = at === 0 && skip > 0 ? skip : SEGMENT_HEADER_SIZE; offset < bytes.length; ) {
      const count = Math.min(bytes.length - offset, 1 + random.below(random.pick([3, 100, 3000])));
      const piece = bytes.slice(offset, offset + count);
      stream.push(piece);
      while (stream.next()) found.push(digestOfView(stream.record));
      piece.fill(0xee); // what is kept of it was copied
      offset += count;
    }
  });
  stream.endSegment();
  return found;
}

test.each([1, 2, 3, 4, 5])('in pieces of any size, seed %i', (seed) => {
  const { log, segments } = source(seed);
  const random = new Random(seed);
  expect(segments).toHaveLength(4);
  for (let i = 0; i < 5; i += 1) expect(read(segments, random)).toEqual(log.digests);
});

test('from behind any commit on, and the place behind the last one is where the log ends', () => {
  const { log, segments } = source(6);
  const random = new Random(6);
  for (let lsn = 1; lsn <= log.lsn; lsn += 1) {
    const { end, salt } = log.records[lsn - 1]!;
    const from = { ...end, salt, lsn };
    expect(read(segments.slice(end.seq - 1), random, from, end.offset)).toEqual(log.digests.slice(lsn));
  }
  const last = log.records.at(-1)!;
  const stream = new LogStream(IDENTITY, BEGIN);
  for (const bytes of segments) {
    stream.begin(bytes.subarray(0, SEGMENT_HEADER_SIZE), 'a segment');
    stream.push(bytes.subarray(SEGMENT_HEADER_SIZE));
    while (stream.next());
  }
  expect(stream.place).toEqual({ ...last.end, salt: last.salt, lsn: log.lsn });
  expect(stream.pending).toBe(0);
});

describe('refused', () => {
  const { log, segments } = source(7);
  const random = new Random(7);
  const code = (pieces: readonly Uint8Array[], from = BEGIN): string => codeOf(() => read(pieces, random, from));

  test('a segment that is missing, doubled, or out of order', () => {
    for (let at = 0; at < segments.length - 1; at += 1) {
      expect(code(segments.toSpliced(at, 1))).toBe('SOMBRA_ARCHIVE_GAP');
      expect(code(segments.toSpliced(at, 2, segments[at + 1]!, segments[at]!))).toBe('SOMBRA_ARCHIVE_GAP');
      expect(code(segments.toSpliced(at, 0, segments[at]!))).toBe('SOMBRA_ARCHIVE_DAMAGED');
    }
  });

  test('a segment that ends before its last record, and one that goes on behind it', () => {
    const [first] = segments as [Uint8Array];
    const { offset } = log.records.findLast(({ seq }) => seq === 1)!;
    expect(code([first.subarray(0, offset), ...segments.slice(1)])).toBe('SOMBRA_ARCHIVE_GAP');
    expect(code([first.subarray(0, first.length - 1), ...segments.slice(1)])).toBe('SOMBRA_ARCHIVE_DAMAGED');
    expect(code([Uint8Array.of(...first, ...new Uint8Array(80)), ...segments.slice(1)])).toBe('SOMBRA_ARCHIVE_DAMAGED');
  });

  test('segments of another history, and of another database', () => {
    const other = source(8);
    expect(code([segments[0]!, ...other.segments.slice(1)])).toBe('SOMBRA_ARCHIVE_GAP');
    expect(code(other.segments, { ...BEGIN, chain: 1 })).toBe('SOMBRA_ARCHIVE_GAP');
    expect(code(segments, { ...BEGIN, lsn: 1 })).toBe('SOMBRA_ARCHIVE_GAP');
    const stranger = new LogStream({ ...IDENTITY, timeline: 2 }, BEGIN);
    expect(codeOf(() => stranger.begin(segments[0]!.subarray(0, 512), 'a piece'))).toBe('SOMBRA_ARCHIVE_DAMAGED');
  });

  test('a byte that is changed anywhere', () => {
    for (let i = 0; i < 400; i += 1) {
      const at = random.below(segments.length);
      const changed = segments[at]!.slice();
      const place = random.below(changed.length);
      changed[place] = changed[place]! ^ (1 << random.below(8));
      expect(code(segments.with(at, changed)), `byte ${place} of segment ${at}`).toMatch(
        /^SOMBRA_(?:ARCHIVE_DAMAGED|ARCHIVE_GAP|WAL_RECORD)$/,
      );
    }
  });

  test('bytes that are no log, whatever they are', () => {
    for (let i = 0; i < 200; i += 1) expect(code([random.bytes(random.below(2000))])).toBe('SOMBRA_ARCHIVE_DAMAGED');
  });
});

test('a segment is opened under the name that it has, and one of another log is not', () => {
  const vfs = new MemoryVfs();
  const log = new TestLog(vfs, { segmentSize: 2048 });
  while (log.wal.tail.seq < 3) log.commitSynced(300);
  const seqOf = (seq: number, identity = IDENTITY): number | undefined => {
    const opened = openSegment(vfs, PATH, identity, seq);
    opened?.file.close();
    return opened?.header.seq;
  };
  expect([1, 2, 3, 4].map((seq) => seqOf(seq))).toEqual([1, 2, 3, undefined]);
  expect(seqOf(1, { ...IDENTITY, timeline: 2 })).toBeUndefined();
  vfs.rename(livePath(PATH), sealedPath(PATH, 3));
  expect(seqOf(3)).toBe(3);
  log.close();
});
