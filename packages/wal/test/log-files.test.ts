// Goal: a connection that only reads the log follows it to the published end, over segments that are renamed meanwhile, and never takes
// what is missing or damaged for the log. Method: a writer and a reader with files of its own, on one file system in memory.
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { livePath, LogFiles, sealedPath, SEGMENT_HEADER_SIZE } from '../src/index.ts';
import type { LogPosition } from '../src/index.ts';
import { codeOf, contentOf, flipBit, replaceFile } from './support/files.ts';
import { NO_LOG, PATH, TestLog } from './support/log.ts';
import { digestOfView } from './support/records.ts';

const LIVE = livePath(PATH);

/** A writer, and a reader that begins behind record `lsn`. */
function pair(segmentSize = 2048) {
  const vfs = new MemoryVfs();
  const log = new TestLog(vfs, { segmentSize });
  const files = new LogFiles(log.options);
  const follow = (lsn: number, to: LogPosition = log.wal.tail): number[] => {
    const digests: number[] = [];
    const first = log.records[0];
    const from =
      lsn > 0
        ? { ...log.records[lsn - 1]!.end, salt: log.records[lsn - 1]!.salt, lsn }
        : {
            seq: 1,
            offset: SEGMENT_HEADER_SIZE,
            chain: log.wal.files.startChain(1),
            salt: first?.salt ?? NO_LOG.salt,
            lsn: 0,
          };
    const end = files.follow(from, to, (record) => digests.push(digestOfView(record)));
    expect(end).toMatchObject(to);
    return digests;
  };
  return { vfs, log, files, follow };
}

describe('following', () => {
  test('from every record to every later published end', () => {
    const { log, files, follow } = pair();
    log.fillTo(4, 300);
    for (let lsn = 0; lsn <= log.lsn; lsn += 1) {
      for (let to = Math.max(lsn, 1); to <= log.lsn; to += 1) {
        if (lsn > 0 && log.records[to - 1]!.seq < log.records[lsn - 1]!.seq) continue;
        expect([lsn, to, follow(lsn, log.records[to - 1]!.end)]).toEqual([lsn, to, log.digests.slice(lsn, to)]);
      }
    }
    expect(files.numbers()).toEqual([1, 2, 3, 4]);
  });

  test('bytes behind the published end are not read', () => {
    const { log, follow } = pair(1 << 20);
    log.commit();
    const { tail } = log.wal;
    log.put();
    expect(follow(0, tail)).toEqual(log.digests.slice(0, 1));
  });

  test('a segment that was live when it was opened, and is sealed now', () => {
    const { log, follow } = pair();
    log.commit(300);
    expect(follow(0)).toEqual(log.digests);
    log.fillTo(3, 300);
    expect(follow(1)).toEqual(log.digests.slice(1));
  });

  test('the segment that ends where it begins may be gone', () => {
    const { vfs, log, follow } = pair();
    log.fillTo(3, 300);
    const lsn = log.records.findIndex(({ seq }) => seq === 2);
    vfs.unlink(sealedPath(PATH, 1));
    expect(follow(lsn)).toEqual(log.digests.slice(lsn));
  });

  test('nothing, when nothing was published since', () => {
    const { log, follow } = pair();
    log.commit();
    expect(follow(1)).toEqual([]);
  });
});

describe('what is not all there is refused', () => {
  const damages: [string, (vfs: MemoryVfs, log: TestLog) => void][] = [
    [
      'a damaged record',
      (vfs, log) => flipBit(vfs, sealedPath(PATH, 2), log.records.find(({ seq }) => seq === 2)!.offset + 80),
    ],
    ['a missing segment', (vfs) => vfs.unlink(sealedPath(PATH, 2))],
    ['a missing live segment', (vfs) => vfs.unlink(LIVE)],
    ['a cut segment', (vfs) => replaceFile(vfs, LIVE, contentOf(vfs, LIVE).subarray(0, -8))],
    [
      'another segment in its place',
      (vfs) => replaceFile(vfs, sealedPath(PATH, 2), contentOf(vfs, sealedPath(PATH, 1))),
    ],
    ['a damaged header', (vfs) => flipBit(vfs, sealedPath(PATH, 3), 70)],
  ];
  test.each(damages)('%s', (_name, damage) => {
    const { vfs, log, follow } = pair();
    log.fillTo(4, 300);
    damage(vfs, log);
    expect(codeOf(() => follow(0))).toBe('SOMBRA_WAL_DAMAGED');
  });

  test('a published end that is not the end of a record', () => {
    const { log, follow } = pair(1 << 20);
    const { end } = log.commit();
    expect(codeOf(() => follow(0, { seq: 1, offset: end.offset - 8 }))).toBe('SOMBRA_WAL_DAMAGED');
    expect(codeOf(() => follow(0, { seq: 1, offset: end.offset + 8 }))).toBe('SOMBRA_WAL_DAMAGED');
    expect(codeOf(() => follow(0, { seq: 2, offset: SEGMENT_HEADER_SIZE }))).toBe('SOMBRA_WAL_DAMAGED');
  });
});

describe('what is known', () => {
  test('distances count records over segments', () => {
    const { log, files, follow } = pair();
    log.fillTo(3, 300);
    follow(0);
    let bytes = 0;
    for (const { seq, offset, end } of log.records) {
      expect(files.distance({ seq, offset })).toBe(bytes);
      bytes += end.offset - offset;
    }
    expect(log.wal.files.distance(log.wal.tail)).toBe(bytes);
  });

  test('know finds a segment, and refuses one that is not there', () => {
    const { log, files } = pair();
    log.fillTo(3, 300);
    expect(files.ensureKnown(2).seq).toBe(2);
    expect(files.ensureKnown(3).salt).toEqual(log.wal.liveSalt);
    expect(files.startChain(3)).toBe(log.wal.startChain);
    expect(codeOf(() => files.ensureKnown(4))).toBe('SOMBRA_WAL_DAMAGED');
    expect(codeOf(() => files.get(1))).toBe('SOMBRA_INVARIANT');
    files.forgetBefore(3);
    expect(files.numbers()).toEqual([3]);
    files.close();
    expect(files.numbers()).toEqual([]);
  });
});
