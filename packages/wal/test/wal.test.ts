// Goal: what the log promises its writer: order, durability as the sync mode says, rotation, reuse of files, and a usable log
// after failures. Method: small scripts on memory and on failing disks; what counts is what recovery finds.
import { MemoryVfs } from '@sombra/vfs';
import type { SyncKind, Vfs, VfsFile } from '@sombra/vfs';
import { FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import {
  livePath,
  LogFiles,
  RECORD_COMMIT,
  RECORD_HEADER_SIZE,
  RecordBuilder,
  sealedPath,
  SEGMENT_HEADER_SIZE,
  sparePath,
  Wal,
} from '../src/index.ts';
import { REC_DURABLE_OFFSET, REC_DURABLE_SEQ, REC_TIME } from '../src/record/record.ts';
import { decodeSegmentHeader } from '../src/segment/segment.ts';
import { codeOf, contentOf } from './support/files.ts';
import { PATH, recover, recoverAndClose, TestLog } from './support/log.ts';
import { build } from './support/records.ts';

const LIVE = livePath(PATH);
const SPARE = sparePath(PATH);

function found(log: TestLog, vfs: Vfs): number[] {
  log.close();
  return recoverAndClose({ ...log.options, vfs }).digests;
}

/** A number in the header of a record. */
function field(vfs: Vfs, { offset }: { offset: number }, at: number): number {
  return Number(new DataView(contentOf(vfs, LIVE).buffer).getBigUint64(offset + at, true));
}

describe('append and read', () => {
  test('records lie one behind the other, and their entries can be read where append put them', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    const placed = Array.from({ length: 20 }, () => log.commit(400));
    expect(placed[0]!.offset).toBe(SEGMENT_HEADER_SIZE);
    for (let i = 1; i < placed.length; i += 1) expect(placed[i]!.offset).toBe(placed[i - 1]!.end.offset);
    const live = contentOf(vfs, LIVE);
    for (const { seq, offset, end } of placed) {
      const into = new Uint8Array(end.offset - offset + 3);
      log.wal.files.readEntry(seq, offset, end.offset - offset, into, 3);
      expect(Buffer.compare(into.subarray(3), live.subarray(offset, end.offset))).toBe(0);
    }
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('an entry that reaches behind the file is damage, not zeros', () => {
    const log = new TestLog(new MemoryVfs());
    const { offset, end } = log.commit();
    const read = (): void => log.wal.files.readEntry(1, offset, end.offset - offset + 1, new Uint8Array(4096), 0);
    expect(codeOf(read)).toBe('SOMBRA_WAL_ENTRY');
  });

  test('files have mode 0600', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs);
    log.fillTo(2);
    for (const name of [LIVE, sealedPath(PATH, 1)]) expect(vfs.stat(name)!.mode).toBe(0o600);
  });

  test('a new log never replaces one that is there', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs);
    log.commit();
    const before = contentOf(vfs, LIVE);
    expect(codeOf(() => new TestLog(vfs))).toBe('SOMBRA_WAL_EXISTS');
    expect(Buffer.compare(contentOf(vfs, LIVE), before)).toBe(0);
  });

  test('two writers of one log draw different salts and nonces', () => {
    const [a, b] = [new SimDisk({ seed: 1 }), new SimDisk({ seed: 2 })];
    for (const disk of [a, b]) new TestLog(disk).commit(100);
    const [first, second] = [decodeSegmentHeader(contentOf(a, LIVE))!, decodeSegmentHeader(contentOf(b, LIVE))!];
    expect(first.salt).not.toEqual(second.salt);
    expect(first.chain).not.toBe(second.chain);
  });
});

describe('time', () => {
  test('a record is never earlier than the one before, also over rotation and recovery', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    const put = (wal: Wal, lsn: number, time: number): { offset: number } => {
      log.builder.begin(RECORD_COMMIT, lsn, time, 1);
      log.builder.addBytes(new Uint8Array(8));
      const placed = wal.append(log.builder);
      wal.publish();
      return placed;
    };
    const now = vfs.env.wallTimeMs() + 1_000_000;
    expect([now, now - 500, now + 5].map((time, i) => field(vfs, put(log.wal, i + 1, time), REC_TIME))).toEqual([
      now,
      now,
      now + 5,
    ]);
    log.close();
    const { wal } = recoverAndClose(log.options);
    expect(wal!.time).toBe(now + 5);
  });

  test('a segment is not older than the records before it', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    const late = vfs.env.wallTimeMs() + 1_000_000;
    for (let lsn = 1; log.wal.tail.seq === 1; lsn += 1) {
      log.builder.begin(RECORD_COMMIT, lsn, late, 1);
      log.builder.addBytes(new Uint8Array(500));
      log.wal.append(log.builder);
      log.wal.publish();
    }
    expect(decodeSegmentHeader(contentOf(vfs, LIVE))!.time).toBe(late);
  });
});

describe('durableThrough', () => {
  test('names what is published and synced, and nothing more', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    const named = (record: { offset: number }): number => {
      expect(field(vfs, record, REC_DURABLE_SEQ)).toBe(1);
      return field(vfs, record, REC_DURABLE_OFFSET);
    };
    const first = log.put();
    expect(named(first)).toBe(SEGMENT_HEADER_SIZE);
    log.wal.sync(); // covered, not published
    const second = log.put();
    expect(named(second)).toBe(SEGMENT_HEADER_SIZE);
    log.wal.publish(); // the second is published, not covered
    const third = log.put();
    expect(named(third)).toBe(first.end.offset);
    log.wal.sync();
    log.wal.publish(second.end.offset);
    const fourth = log.put();
    expect(named(fourth)).toBe(second.end.offset);
    expect(log.wal.synced).toBe(second.end.offset);
  });

  test('publishing goes forward, up to the tail', () => {
    const log = new TestLog(new MemoryVfs());
    const first = log.put();
    const second = log.put();
    log.wal.publish(second.end.offset);
    expect(codeOf(() => log.wal.publish(first.end.offset))).toBe('SOMBRA_INVARIANT');
    expect(codeOf(() => log.wal.publish(second.end.offset + 8))).toBe('SOMBRA_INVARIANT');
    log.wal.publish(second.end.offset);
  });

  test('an asynchronous sync covers what was there when it began', async () => {
    const log = new TestLog(new MemoryVfs(), { segmentSize: 1 << 20 });
    const first = log.commit();
    const synced = log.wal.syncAsync();
    log.commit();
    await synced;
    expect(log.wal.synced).toBe(first.end.offset);
  });

  test('an asynchronous sync does not cover a record that took the place of one taken back', async () => {
    const log = new TestLog(new MemoryVfs(), { segmentSize: 1 << 20 });
    const before = log.wal.tail;
    log.put(300);
    const synced = log.wal.syncAsync();
    log.wal.rewind(before);
    log.records.pop();
    log.commit(300);
    await synced;
    expect(log.wal.synced).toBe(before.offset);
  });

  test('an asynchronous sync that ends after a rotation covers nothing of the new segment', async () => {
    const log = new TestLog(new MemoryVfs(), { segmentSize: 2048 });
    log.commit(1000);
    const synced = log.wal.syncAsync();
    log.fillTo(2);
    await synced;
    expect(log.wal.synced).toBe(SEGMENT_HEADER_SIZE);
  });
});

describe('rotation', () => {
  test('segments are sealed under their numbers, joined, and hold all records', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(5, 300);
    expect(vfs.list('.')).toEqual(['t.db-1-wal', 't.db-2-wal', 't.db-3-wal', 't.db-4-wal', 't.db-wal']);
    const headers = [1, 2, 3, 4].map((seq) => decodeSegmentHeader(contentOf(vfs, sealedPath(PATH, seq)))!);
    headers.push(decodeSegmentHeader(contentOf(vfs, LIVE))!);
    headers.forEach((header, i) => {
      expect(header.seq).toBe(i + 1);
      if (i === 0) return;
      const last = log.records.findLast(({ seq }) => seq === i)!;
      expect(header.previous).toEqual({ salt: headers[i - 1]!.salt, end: last.end.offset, chain: last.end.chain });
      expect(header.baseLsn).toBe(log.records.findIndex(({ seq }) => seq === i + 1));
    });
    for (const { offset, end } of log.records.slice(0, -1))
      expect(end.offset <= 2048 || offset === SEGMENT_HEADER_SIZE).toBe(true);
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('a record larger than a segment makes its segment larger, and is alone in it', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commit(100);
    const large = log.commit(20_000);
    const next = log.commit(100);
    expect([large.seq, large.offset]).toEqual([2, SEGMENT_HEADER_SIZE]);
    expect([next.seq, next.offset]).toEqual([3, SEGMENT_HEADER_SIZE]);
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('unpublished records are never sealed', () => {
    const log = new TestLog(new MemoryVfs(), { segmentSize: 2048 });
    log.put(1200);
    expect(log.wal.isFull(1200)).toBe(true);
    expect(codeOf(() => log.put(1200))).toBe('SOMBRA_INVARIANT');
  });

  test('is exactly: sync, header, sync, rename, sync names, rename, sync names', () => {
    const disk = new SimDisk({ seed: 1 });
    const log = new TestLog(disk, { segmentSize: 2048 });
    log.commit(1200);
    const steps: string[] = [];
    disk.onOperation = (_count, operation, path) => void steps.push(`${operation} ${path}`);
    log.commit(1200);
    // A descriptor carries the name under which it was opened: that of the spare.
    expect(steps).toEqual([
      `sync ${SPARE}`,
      `create ${SPARE}`,
      `pwrite ${SPARE}`,
      `sync ${SPARE}`,
      `rename ${sealedPath(PATH, 1)}`,
      'syncDir .',
      `rename ${LIVE}`,
      'syncDir .',
      `pwrite ${SPARE}`,
    ]);
  });
});

describe('release and reuse', () => {
  test('segments below a number go; one is kept as the next, with its old bytes, which never count', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(4, 300);
    const start = log.startBehind(
      log.records.findLast(({ seq }) => seq === 3)!.seq === 3
        ? log.records.findLastIndex(({ seq }) => seq === 3) + 1
        : 0,
    );
    log.wal.release(4);
    expect(vfs.list('.')).toEqual([LIVE, SPARE]);
    expect(log.wal.files.numbers()).toEqual([4]);
    const old = contentOf(vfs, SPARE);
    log.fillTo(5, 300);
    // The file of segment 5 is the one of segment 1: records of that still lie behind the new ones.
    expect(decodeSegmentHeader(contentOf(vfs, LIVE))!.seq).toBe(5);
    const tail = log.wal.tail.offset;
    expect(Buffer.compare(contentOf(vfs, LIVE).subarray(tail), old.subarray(tail))).toBe(0);
    expect(tail).toBeLessThan(old.length);
    log.close();
    const recovered = recoverAndClose(log.options, start);
    expect(recovered.digests).toEqual(log.digests.slice(start.lsn));
  });

  test('nothing goes that is live or not below', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(3);
    log.wal.release(1);
    expect(vfs.list('.')).toEqual(['t.db-1-wal', 't.db-2-wal', LIVE]);
    log.wal.release(99);
    expect(vfs.list('.')).toEqual([LIVE, SPARE]);
    log.close();
    // A database that still needs what was given up is an older copy.
    expect(codeOf(() => recoverAndClose(log.options))).toBe('SOMBRA_RESTORE_MISMATCH');
  });

  test('a failed release leaves the rest to the next call', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(4);
    vfs.add({ op: 'unlink', nth: 1, action: 'EACCES' });
    expect(codeOf(() => log.wal.release(4))).toBe('SOMBRA_PERMISSION');
    log.wal.release(4);
    expect(vfs.list('.')).toEqual([LIVE, SPARE]);
  });

  test('removeAll leaves no file', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(4);
    log.wal.release(2);
    log.wal.removeAll();
    log.wal.close();
    expect(vfs.list('.')).toEqual([]);
  });
});

describe('allocation ahead of the tail', () => {
  test('in mode full zeros are written and synced before records go there', () => {
    const disk = new SimDisk({ seed: 1 });
    const log = new TestLog(disk, { segmentSize: 1 << 20, syncMode: 'full' });
    const steps: string[] = [];
    disk.onOperation = (_count, operation) => void steps.push(operation);
    const { end } = log.commit();
    expect(steps).toEqual(['pwrite', 'sync', 'pwrite']);
    const live = contentOf(disk, LIVE);
    expect(live.length).toBe(SEGMENT_HEADER_SIZE + 256 * 1024);
    expect(live.subarray(end.offset).every((byte) => byte === 0)).toBe(true);
    log.commit();
    expect(steps).toEqual(['pwrite', 'sync', 'pwrite', 'pwrite']);
  });

  test('steps double up to 1 MiB, and end at the segment size', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 3 << 20, syncMode: 'full' });
    const sizes = new Set<number>();
    while (log.wal.tail.seq === 1) {
      sizes.add(vfs.stat(LIVE)!.size);
      log.commit(100_000);
    }
    const KIB = 1024;
    expect([...sizes].slice(1)).toEqual([256, 768, 1792, 2816].map((kib) => 512 + kib * KIB).concat(3072 * KIB));
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('other modes do not', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    const { end } = log.commit();
    expect(vfs.stat(LIVE)!.size).toBe(end.offset);
  });

  test('without room for it the record is written nevertheless', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 1 << 20, syncMode: 'full' });
    vfs.add({ op: 'pwrite', nth: 1, action: 'ENOSPC' });
    log.commitSynced();
    expect(found(log, vfs)).toEqual(log.digests);
  });
});

describe('failed appends', () => {
  const faults: [string, { short: number } | string, number][] = [
    ['nothing was written', 'ENOSPC', 1],
    ['a part of the header was written', { short: 40 }, 2],
    ['the header was written', { short: RECORD_HEADER_SIZE }, 2],
    ['all but the last byte was written', { short: -1 }, 2],
    ['quota', 'EDQUOT', 1],
    ['device', 'EIO', 1],
  ];
  test.each(faults)('%s: the log is as before and goes on', (_name, action, nth) => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    for (let i = 0; i < 3; i += 1) log.commit();
    const tail = log.wal.tail;
    build(log.builder, log.lsn + 1, log.random, 400);
    if (typeof action !== 'string') {
      vfs.add({ op: 'pwrite', nth: 1, action: { short: action.short < 0 ? log.builder.length - 1 : action.short } });
      vfs.add({ op: 'pwrite', nth, action: 'ENOSPC' });
    } else vfs.add({ op: 'pwrite', nth, action });
    expect(codeOf(() => log.wal.append(log.builder))).toBe(action === 'EIO' ? 'SOMBRA_IO' : 'SOMBRA_DISK_FULL');
    expect(log.wal.tail).toEqual(tail);
    vfs.heal();
    expect(recoverAndClose(log.options).digests).toEqual(log.digests); // as it stands
    for (let i = 0; i < 3; i += 1) log.commit(100);
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('short writes go on until all is written', () => {
    const vfs = new FaultyVfs(new MemoryVfs(), [{ op: 'pwrite', action: { short: 100 } }]);
    const log = new TestLog(vfs);
    log.fillTo(3, 700);
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('a failed rotation leaves the log as before, and the next append rotates', () => {
    for (const op of ['open', 'pwrite', 'rename'] as const) {
      const vfs = new FaultyVfs(new MemoryVfs());
      const log = new TestLog(vfs, { segmentSize: 2048 });
      log.commit(1200);
      const tail = log.wal.tail;
      vfs.add({ op, nth: 1, action: 'ENOSPC' });
      expect(codeOf(() => log.put(1200))).toBe('SOMBRA_DISK_FULL');
      expect(log.wal.tail).toEqual(tail);
      log.commit(1200);
      expect(log.wal.tail.seq).toBe(2);
      expect(found(log, vfs)).toEqual(log.digests);
    }
  });

  test('a sealed file whose closing fails changes nothing about the log', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commit(1200);
    vfs.add({ op: 'close', nth: 1, action: 'EIO' });
    expect(codeOf(() => log.put(1200))).toBe('SOMBRA_IO');
    expect(log.wal.tail.seq).toBe(2);
    log.commit(1200);
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('the record fails after its segment was begun: that one stays, empty, and is used', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commit(1200);
    vfs.add({ op: 'pwrite', nth: 2, action: 'ENOSPC' }); // the first is the header
    expect(codeOf(() => log.put(1200))).toBe('SOMBRA_DISK_FULL');
    expect(log.wal.tail).toMatchObject({ seq: 2, offset: SEGMENT_HEADER_SIZE });
    log.commit(1200);
    expect(found(log, vfs)).toEqual(log.digests);
  });
});

describe('taking back', () => {
  test('what was taken back is not found, whatever of it still lies behind the tail', () => {
    for (const same of [true, false]) {
      const vfs = new MemoryVfs();
      const log = new TestLog(vfs, { segmentSize: 1 << 20 });
      log.commit(300);
      const tail = log.wal.tail;
      const put = (lsn: number, fill: number): void => {
        log.builder.begin(RECORD_COMMIT, lsn, 1_800_000_000_000, 5);
        log.builder.addBytes(new Uint8Array(300).fill(fill));
        log.wal.append(log.builder);
      };
      put(2, 1);
      const first = log.wal.tail.offset;
      put(3, 1);
      log.wal.rewind(tail);
      // The same record again, byte for byte, or one of the same length: the old third one stands exactly behind it.
      put(2, same ? 1 : 2);
      log.wal.publish();
      expect(log.wal.tail.offset).toBe(first);
      log.close();
      const { lsns, wal } = recoverAndClose(log.options);
      expect(lsns).toEqual([1, 2]);
      expect(wal!.tail.offset).toBe(first);
    }
  });

  test('only what is not published can be taken back', () => {
    const log = new TestLog(new MemoryVfs());
    const { end } = log.commit();
    const tail = log.wal.tail;
    log.put();
    log.wal.publish();
    expect(codeOf(() => log.wal.rewind(tail))).toBe('SOMBRA_INVARIANT');
    expect(codeOf(() => log.wal.rewind({ ...end, offset: 1 << 20 }))).toBe('SOMBRA_INVARIANT');
    expect(codeOf(() => log.wal.rewind({ ...log.wal.tail, seq: 9 }))).toBe('SOMBRA_INVARIANT');
  });
});

/** Syncs of files fail, as long as it says so; counts the calls. */
class FailingSyncs extends FaultyVfs {
  syncs = 0;
  override check(op: Parameters<FaultyVfs['check']>[0], path: string, at?: number): number {
    if (op === 'sync') this.syncs += 1;
    return super.check(op, path, at);
  }
}

describe('failing syncs', () => {
  test('after one nothing is written or synced any more, and no second sync is tried', () => {
    const vfs = new FailingSyncs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    log.commitSynced();
    log.put();
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    expect(codeOf(() => log.wal.sync())).toBe('SOMBRA_SYNC');
    const { syncs } = vfs;
    expect(codeOf(() => log.wal.sync())).toBe('SOMBRA_LOCK_POISONED');
    expect(codeOf(() => log.put())).toBe('SOMBRA_LOCK_POISONED');
    expect(vfs.syncs).toBe(syncs);
    expect(log.wal.synced).toBe(log.records[0]!.end.offset);
  });

  test('an asynchronous one, too', async () => {
    const vfs = new FailingSyncs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    log.commit();
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    await expect(log.wal.syncAsync()).rejects.toMatchObject({ code: 'SOMBRA_SYNC' });
    expect(log.wal.synced).toBe(SEGMENT_HEADER_SIZE);
    await expect(log.wal.syncAsync()).rejects.toMatchObject({ code: 'SOMBRA_LOCK_POISONED' });
    expect(codeOf(() => log.put())).toBe('SOMBRA_LOCK_POISONED');
  });

  const places: [string, 'sync' | 'syncDir', number][] = [
    ['of the live segment before it is sealed', 'sync', 1],
    ['of the next header', 'sync', 2],
    ['of the sealed name', 'syncDir', 1],
    ['of the live name', 'syncDir', 2],
  ];
  test.each(places)('%s: in a rotation it ends the writing, and recovery finds every record', (_name, op, nth) => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commitSynced(1200);
    vfs.add({ op, nth, action: 'EIO' });
    expect(codeOf(() => log.put(1200))).toBe('SOMBRA_SYNC');
    expect(codeOf(() => log.put(100))).toBe('SOMBRA_LOCK_POISONED');
    vfs.heal();
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('of an allocation', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = new TestLog(vfs, { segmentSize: 1 << 20, syncMode: 'full' });
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    expect(codeOf(() => log.put())).toBe('SOMBRA_SYNC');
    expect(codeOf(() => log.put())).toBe('SOMBRA_LOCK_POISONED');
  });

  test('at creation nothing is left under the live name', () => {
    for (const op of ['sync', 'pwrite', 'rename'] as const) {
      const vfs = new FaultyVfs(new MemoryVfs(), [{ op, nth: 1, action: 'EIO' }]);
      expect(codeOf(() => new TestLog(vfs))).toBe(op === 'sync' ? 'SOMBRA_SYNC' : 'SOMBRA_IO');
      expect(vfs.stat(LIVE)).toBeNull();
      vfs.heal();
      const log = new TestLog(vfs);
      log.commit();
      expect(found(log, vfs)).toEqual(log.digests);
    }
  });
});

describe('attach: another writer goes on', () => {
  test('where the first one published', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 1 << 20 });
    log.commit();
    const { tail, time } = log.wal;
    log.put(500); // never published
    log.records.pop();
    log.wal.close();
    log.wal = Wal.attach(log.options, log.wal.files, { tail, covered: tail.offset, time });
    log.commit(100);
    log.commit(100);
    expect(found(log, vfs)).toEqual(log.digests);
  });

  test('not when the live file is another segment, another log, or the same number with another salt', () => {
    const vfs = new MemoryVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.commit();
    const { tail, time } = log.wal;
    const attach = (): unknown => Wal.attach(log.options, log.wal.files, { tail, covered: 0, time });
    vfs.rename(LIVE, 'away');
    const other = new TestLog(vfs, { segmentSize: 2048 });
    expect(codeOf(attach)).toBe('SOMBRA_WAL_DAMAGED');
    other.fillTo(2);
    expect(codeOf(attach)).toBe('SOMBRA_WAL_DAMAGED');
    other.close();
    vfs.unlink(LIVE);
    const stranger = new TestLog(vfs, { identity: { ...log.options.identity, timeline: 2 } });
    expect(codeOf(attach)).toBe('SOMBRA_WAL_DAMAGED');
    stranger.close();
    vfs.rename('away', LIVE);
    (attach() as Wal).close();
  });
});

/** Counts descriptors that are open. */
class CountingVfs extends FaultyVfs {
  open_ = new Set<VfsFile>();
  override open(path: string, mode: Parameters<Vfs['open']>[1]): VfsFile {
    const file = super.open(path, mode);
    const { open_ } = this;
    open_.add(file);
    return {
      path: file.path,
      pread: (into, at) => file.pread(into, at),
      pwrite: (buffers, at) => file.pwrite(buffers, at),
      truncate: (size) => file.truncate(size),
      sync: (kind: SyncKind) => file.sync(kind),
      syncAsync: (kind) => file.syncAsync(kind),
      stat: () => file.stat(),
      tryLock: (at, length, mode2) => file.tryLock(at, length, mode2),
      unlock: (at, length) => file.unlock(at, length),
      close: () => {
        open_.delete(file);
        file.close();
      },
    };
  }
}

const ANY_BUT_CLOSE = [
  'open',
  'stat',
  'rename',
  'unlink',
  'list',
  'syncDir',
  'pread',
  'pwrite',
  'truncate',
  'sync',
] as const;

test('no descriptor is left open, whatever fails', () => {
  const script = (vfs: Vfs): void => {
    const log = new TestLog(vfs, { segmentSize: 2048, syncMode: 'full' });
    try {
      log.fillTo(4, 300);
      log.wal.files.readEntry(1, 512, 100, new Uint8Array(100), 0);
      log.wal.files.readEntry(2, 512, 100, new Uint8Array(100), 0);
    } finally {
      log.close();
    }
    const start = log.startBehind(log.records.findIndex(({ seq }) => seq === 2));
    const { wal } = recover(log.options, start);
    try {
      wal!.release(4);
    } finally {
      wal!.close();
      wal!.files.close();
    }
  };
  const counting = new CountingVfs(new MemoryVfs());
  script(counting);
  const total = counting.calls;
  expect(total).toBeGreaterThan(100);
  let failures = 0;
  for (let nth = 1; nth <= total; nth += 1) {
    const vfs = new CountingVfs(new MemoryVfs(), [{ op: ANY_BUT_CLOSE, nth, action: 'EIO' }]);
    if (codeOf(() => script(vfs)) !== 'no error') failures += 1;
    expect([nth, vfs.open_.size]).toEqual([nth, 0]);
  }
  expect(failures).toBeGreaterThan(total / 2);
});

test('builders of other logs do not mix: a record is sealed with the salt of the log that it goes to', () => {
  const [a, b] = [new MemoryVfs(), new MemoryVfs()];
  const [first, second] = [new TestLog(a), new TestLog(b)];
  const builder = new RecordBuilder(512);
  build(builder, 1, new Random(5), 300);
  first.wal.append(builder);
  second.wal.append(builder);
  first.wal.publish();
  second.wal.publish();
  expect(recoverAndClose(first.options).lsns).toEqual([1]);
  expect(recoverAndClose(second.options).lsns).toEqual([1]);
  expect(new LogFiles(first.options).numbers()).toEqual([]);
});
