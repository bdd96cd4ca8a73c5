// Goal: the successor of a writer that died finds every published record durable and a log that goes on, wherever the rotation
// stood (rules L5, K6). Method: a writer on SimDisk stops before each operation of a rotation; its successor settles names and
// records with what was published; then the power fails and nothing that was not synced survives.
import { MemoryVfs } from '@sombra/vfs';
import { Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { inodeNumber, livePath, LogFiles, sealedPath, settleNames, settleRecords, Wal } from '../src/index.ts';
import type { PublishedEnd } from '../src/index.ts';
import { codeOf, contentOf, flipBit, picture } from './support/files.ts';
import { PATH, recover, recoverAndClose, TestLog } from './support/log.ts';

const LIVE = livePath(PATH);

/** What shm says about a log. */
function publishedEnd(log: TestLog): PublishedEnd {
  const { seq, offset, chain } = log.wal.tail;
  return { seq, offset, chain, lsn: log.lsn, salt: log.wal.liveSalt, inode: inodeNumber(log.wal.liveId()) };
}

describe('a rotation that stopped', () => {
  test('before each of its operations', () => {
    for (let step = 1; ; step += 1) {
      const disk = new SimDisk({ seed: 1 });
      const log = new TestLog(disk, { segmentSize: 2048 });
      for (let i = 0; i < 3; i += 1) log.commit(400);
      const end = publishedEnd(log);
      disk.crashAt = disk.ops + step;
      const code = codeOf(() => log.put(1000));
      if (code === 'no error') {
        expect(step).toBeGreaterThan(8);
        break;
      }
      expect(code).toContain(SimCrash.name);
      const killed = disk.kill();
      const options = { ...log.options, vfs: killed };
      settleRecords(options, end, 512);
      const adopted = settleNames(options, end);
      expect([step, adopted === null]).toEqual([step, step <= 5]);
      if (adopted !== null) {
        expect(adopted).toMatchObject({ seq: 2, offset: 512, inode: inodeNumber(killed.stat(LIVE)!) });
        expect(settleNames(options, { ...adopted, lsn: log.lsn })).toBeNull();
      }
      // The successor writes on.
      const files = new LogFiles(options);
      const tail = adopted ?? end;
      files.ensureKnown(tail.seq);
      const wal = Wal.attach(options, files, {
        tail: { seq: tail.seq, offset: tail.offset, chain: tail.chain },
        covered: tail.offset,
        time: log.wal.time,
      });
      log.wal = wal;
      log.commitSynced(1000);
      const lost = killed.crash({ keep: 'none', names: 'lost' }, new Random(step));
      expect(recoverAndClose({ ...options, vfs: lost }).digests).toEqual(log.digests);
    }
  });

  test('nothing to do without a log, or with the published one', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs);
    const end = publishedEnd(log);
    const before = picture(vfs);
    expect(settleNames(log.options, end)).toBeNull();
    expect(picture(vfs)).toEqual(before);
    expect(settleNames({ ...log.options, vfs: new MemoryVfs() }, { ...end, inode: undefined })).toBeNull();
  });

  test('a live file that does not continue the published end is refused, unchanged', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commit();
    const end = publishedEnd(log);
    log.fillTo(3);
    const before = picture(vfs);
    expect(codeOf(() => settleNames(log.options, end))).toBe('SOMBRA_WAL_DAMAGED');
    const second = publishedEnd(log);
    for (const wrong of [
      { ...second, inode: undefined, seq: 2, offset: second.offset + 8 },
      { ...second, inode: 99, seq: 2, chain: 1 },
    ]) {
      expect(codeOf(() => settleNames(log.options, wrong))).toBe('SOMBRA_WAL_DAMAGED');
    }
    expect(picture(vfs)).toEqual(before);
    flipBit(vfs, LIVE, 100);
    expect(codeOf(() => settleNames(log.options, { ...end, inode: 99 }))).toBe('SOMBRA_WAL_DAMAGED');
  });
});

test('a record that was not published does not come back when a power loss takes what is written over it', () => {
  for (const synced of [false, true]) {
    const disk = new SimDisk({ seed: 1 });
    const log = new TestLog(disk, { segmentSize: 1 << 20 });
    log.commitSynced();
    if (!synced) log.commit();
    const end = publishedEnd(log);
    const from = log.wal.synced;
    log.put();
    log.put();
    log.wal.sync(); // and its writer dies
    const killed = disk.kill();
    const options = { ...log.options, vfs: killed };
    expect(settleRecords(options, end, from)).toBe(true);
    expect(settleRecords(options, end, end.offset)).toBe(false);
    expect(recoverAndClose({ ...options, vfs: killed.kill() }).digests).toEqual(log.digests.slice(0, end.lsn));
    log.records.length = end.lsn;
    const files = new LogFiles(options);
    files.ensureKnown(end.seq);
    log.wal = Wal.attach(options, files, { tail: end, covered: end.offset, time: log.wal.time });
    log.commit(150);
    const lost = killed.crash({ keep: 'none', names: 'kept' }, new Random(1));
    expect(recoverAndClose({ ...options, vfs: lost }).digests).toEqual(log.digests.slice(0, end.lsn));
  }
});

test('nor when the sync that was to make it void failed, and all closed', () => {
  const disk = new SimDisk({ seed: 1 });
  const log = new TestLog(disk, { segmentSize: 1 << 20 });
  log.commitSynced();
  const end = publishedEnd(log);
  log.put();
  log.wal.sync(); // and its writer dies
  const killed = disk.kill();
  const options = { ...log.options, vfs: killed };
  killed.syncFault = () => ({ errno: 'EIO' });
  expect(codeOf(() => settleRecords(options, end, end.offset))).toBe('SOMBRA_SYNC');
  const next = killed.kill();
  const found = recover({ ...options, vfs: next });
  expect(found.digests).toEqual(log.digests.slice(0, end.lsn));
  log.records.length = end.lsn;
  log.wal = found.wal!;
  log.commit(150);
  const lost = next.crash({ keep: 'none', names: 'kept' }, new Random(1));
  expect(recoverAndClose({ ...options, vfs: lost }).digests).toEqual(log.digests.slice(0, end.lsn));
});

test('nor does one in a segment that was not published', () => {
  const disk = new SimDisk({ seed: 1 });
  const log = new TestLog(disk, { segmentSize: 2048 });
  for (let i = 0; i < 3; i += 1) log.commitSynced(400);
  const end = publishedEnd(log);
  log.put(1500); // behind a rotation, and its writer dies
  expect(log.wal.tail.seq).toBe(2);
  log.wal.sync();
  const killed = disk.kill();
  const options = { ...log.options, vfs: killed };
  expect(settleRecords(options, end, end.offset)).toBe(false);
  expect(settleNames(options, end)).toMatchObject({ seq: 2, offset: 512 });
  const lost = killed.crash({ keep: 'none', names: 'kept' }, new Random(1));
  expect(recoverAndClose({ ...options, vfs: lost }).digests).toEqual(log.digests.slice(0, end.lsn));
});

describe('published records that may be in the cache only', () => {
  test('are durable when they were written again', () => {
    const disk = new SimDisk({ seed: 1 });
    const log = new TestLog(disk, { segmentSize: 1 << 20 });
    log.commitSynced();
    const from = log.wal.synced;
    for (let i = 0; i < 4; i += 1) log.commit();
    // The writer's sync failed, it died, and the next sync of the system has nothing left to write.
    disk.syncFault = () => ({ errno: 'EIO' });
    expect(codeOf(() => log.wal.sync())).toBe('SOMBRA_SYNC');
    const killed = disk.kill();
    expect(settleRecords({ ...log.options, vfs: killed }, publishedEnd(log), from)).toBe(true);
    const lost = killed.crash({ keep: 'none', names: 'lost' }, new Random(1));
    expect(recoverAndClose({ ...log.options, vfs: lost }).digests).toEqual(log.digests);
  });

  test('of a segment that was sealed meanwhile', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(2);
    const before = contentOf(vfs, sealedPath(PATH, 1));
    const end = { ...publishedEnd(log), seq: 1, offset: before.length };
    expect(settleRecords(log.options, end, 512)).toBe(true);
    expect(contentOf(vfs, sealedPath(PATH, 1))).toEqual(before);
    expect(codeOf(() => settleRecords(log.options, { ...end, seq: 9, offset: 600 }, 512))).toBe('SOMBRA_WAL_DAMAGED');
    expect(settleRecords(log.options, { ...end, seq: 9, offset: 600 }, 600)).toBe(false);
  });

  test('that the file does not have are damage', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs);
    const { end } = log.commit();
    const before = contentOf(vfs, LIVE);
    const behind = { ...publishedEnd(log), offset: end.offset + 8 };
    expect(codeOf(() => settleRecords(log.options, behind, 512))).toBe('SOMBRA_WAL_DAMAGED');
    expect(contentOf(vfs, LIVE)).toEqual(before);
  });
});
