// Goal: what lies under the names of a log is reported file by file, damage with its place, and nothing is changed; what recovery gives
// up with `keepDropped` is kept, byte for byte. Method: logs in memory of several segments, whole and damaged by hand.
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { livePath, sealedPath, SEGMENT_HEADER_SIZE, surveyLog } from '../src/index.ts';
import type { SurveyedSegment } from '../src/index.ts';
import { contentOf, flipBit, makeNewer, picture } from './support/files.ts';
import { IDENTITY, NO_LOG, PATH, recover, TestLog } from './support/log.ts';

const LIVE = livePath(PATH);

/** A closed log of three segments; each record was synced and published. */
function threeSegments(): { vfs: MemoryVfs; log: TestLog } {
  const vfs = new MemoryVfs();
  const log = new TestLog(vfs, { segmentSize: 2048 });
  while (log.wal.tail.seq < 3) log.commitSynced(300);
  for (let i = 0; i < 3; i += 1) log.commitSynced(50);
  log.close();
  return { vfs, log };
}

/** Surveys without a change. */
function survey(vfs: MemoryVfs, start = NO_LOG): SurveyedSegment[] {
  const before = picture(vfs);
  const found = surveyLog({ vfs, path: PATH, identity: IDENTITY }, start);
  expect(picture(vfs)).toEqual(before);
  return found;
}

const lastOf = (log: TestLog, seq: number): number => log.records.findLastIndex((record) => record.seq === seq) + 1;

test('without files there is nothing', () => {
  expect(survey(new MemoryVfs())).toEqual([]);
});

test('each segment with its commits', () => {
  const { vfs, log } = threeSegments();
  const found = survey(vfs);
  expect(found.map(({ path, seq, live, state }) => [path, seq, live, state])).toEqual([
    [sealedPath(PATH, 1), 1, false, 'replayed'],
    [sealedPath(PATH, 2), 2, false, 'replayed'],
    [LIVE, 3, true, 'replayed'],
  ]);
  for (const { seq, lastLsn, end, damage, size, path } of found) {
    const last = lastOf(log, seq!);
    expect([seq, lastLsn, end, damage]).toEqual([seq, last, log.records[last - 1]!.end.offset, null]);
    expect(size).toBe(contentOf(vfs, path).length);
  }
  expect(found.reduce((sum, { records }) => sum + records, 0)).toBe(log.lsn);
});

test('from a checkpoint on', () => {
  const { vfs, log } = threeSegments();
  const behind = lastOf(log, 1) + 1;
  const found = survey(vfs, log.startBehind(behind));
  expect(found.map(({ state }) => state)).toEqual(['checkpointed', 'replayed', 'replayed']);
  expect(found.reduce((sum, { records }) => sum + records, 0)).toBe(log.lsn - behind);
});

test('damage, with its place and how far it was synced', () => {
  const { log } = threeSegments();
  for (let lsn = 1; lsn < log.lsn; lsn += 1) {
    const { vfs } = threeSegments();
    const { seq, offset } = log.records[lsn - 1]!;
    flipBit(vfs, seq === 3 ? LIVE : sealedPath(PATH, seq), offset + 90);
    const damaged = survey(vfs).filter(({ damage }) => damage !== null);
    // The record before the last one names the last but two: nothing shows what was never named.
    if (seq === 3 && lsn > log.lsn - 2) continue;
    expect([lsn, damaged.map(({ seq: at, damage }) => [at, damage!.offset])]).toEqual([lsn, [[seq, offset]]]);
    expect(damaged[0]!.damage!.durable).toBeGreaterThan(offset);
  }
});

test('headers that cannot be read, are newer, or belong to another log', () => {
  const { vfs, log } = threeSegments();
  flipBit(vfs, LIVE, 60);
  makeNewer(vfs, sealedPath(PATH, 2));
  expect(survey(vfs).map(({ seq, state, header }) => [seq, state, header === null])).toEqual([
    [1, 'replayed', false],
    [2, 'newer format', true],
    [null, 'unreadable', true],
  ]);
  const other = { ...IDENTITY, timeline: 2 };
  const states = surveyLog({ vfs, path: PATH, identity: other }, NO_LOG).map(({ state }) => state);
  expect(states[0]).toBe('other log');
  // Another history of the same database: the segment of the replay position has another salt.
  const start = { ...log.startBehind(1), salt: new Uint8Array(8).fill(9) };
  expect(survey(vfs, start)[0]!.state).toBe('other log');
});

test('what is given up is kept: the segments behind the damage, and the tail of the live one', () => {
  for (const seq of [1, 2, 3]) {
    const { vfs, log } = threeSegments();
    const name = seq === 3 ? LIVE : sealedPath(PATH, seq);
    const { offset } = log.records.find((record) => record.seq === seq)!;
    flipBit(vfs, name, offset + 90);
    const before = new Map(vfs.list('.').map((one) => [one, contentOf(vfs, one)]));
    const { wal, kept, digests } = recover(log.options, NO_LOG, { toLastGood: true, keepDropped: true });
    expect(digests).toEqual(
      log.digests.slice(
        0,
        log.records.findIndex((record) => record.seq === seq),
      ),
    );
    const given = [2, 3]
      .filter((number) => number > seq)
      .map((number) => (number === 3 ? LIVE : sealedPath(PATH, number)));
    const contents = kept.map((one) => contentOf(vfs, one));
    if (seq < 3) expect(contents).toEqual(given.map((one) => before.get(one)!));
    else {
      expect(kept).toEqual([expect.stringMatching(/^t\.db-wal\.set-aside-[0-9a-f]{16}-from-\d+$/)]);
      const tail = before.get(LIVE)!.subarray(offset, offset + contents[0]!.length);
      expect(Buffer.compare(contents[0]!, tail)).toBe(0);
      expect(offset).toBe(SEGMENT_HEADER_SIZE);
    }
    wal!.close();
    wal!.files.close();
  }
});
