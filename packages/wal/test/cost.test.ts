// Goal: what a log costs grows with what is done and not with what is there: descriptors, bytes read, names looked at, memory.
// Method: the calls to a file system in memory are counted, over many segments.
import { DataError } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { AppendLog, livePath, RECORD_COMMIT, RECORD_SIZE_MAX, RecordBuilder, recordPagesMax } from '../src/index.ts';
import { CountingVfs } from './support/counting-vfs.ts';
import { codeOf, contentOf, flipBit } from './support/files.ts';
import { NO_LOG, PATH, recover, TestLog } from './support/log.ts';

const MIB = 1024 * 1024;
const LIVE = livePath(PATH);

/** An append log with so many segments of one record each. */
function manySegments(vfs: CountingVfs, count: number): AppendLog {
  const log = AppendLog.open({ vfs, path: 'events', segmentSize: 4096, syncMode: 'normal' });
  for (let i = 0; i < count; i += 1) log.append(new Uint8Array(3000).fill(i));
  return log;
}

describe('recovery', () => {
  test('over many segments keeps one descriptor and one window', () => {
    const vfs = new CountingVfs();
    const log = new TestLog(vfs, { segmentSize: 2048 });
    log.fillTo(300, 600);
    log.wal.close();
    vfs.reset();
    const { wal } = recover(log.options);
    expect(wal?.tail.seq).toBe(300);
    expect(vfs.openMost).toBeLessThan(5);
    wal!.close();
    wal!.files.close();
    expect(vfs.openNow).toBe(0);
  });

  test('what lies behind damage is set aside in parts, whole and without the zeros at its end', () => {
    const vfs = new CountingVfs();
    const log = new TestLog(vfs, { segmentSize: 16 * MIB });
    log.commitSynced(200);
    const damaged = log.commitSynced(200);
    for (let i = 0; i < 5; i += 1) log.commitSynced(MIB / 2);
    log.wal.close();
    flipBit(vfs, LIVE, damaged.offset + 100);
    const tail = contentOf(vfs, LIVE).slice(damaged.offset);
    const file = vfs.open(LIVE, { write: true });
    file.truncate(12 * MIB); // zeros, as allocated ahead
    file.close();
    vfs.reset();
    const { wal, kept } = recover(log.options, NO_LOG, { toLastGood: true, keepDropped: true });
    expect(vfs.largest).toBeLessThanOrEqual(MIB);
    expect(kept).toHaveLength(1);
    const content = tail.subarray(0, tail.findLastIndex((byte) => byte !== 0) + 1);
    expect(Buffer.compare(contentOf(vfs, kept[0]!), content)).toBe(0);
    expect(wal?.tail.offset).toBe(damaged.offset);
    wal!.close();
  });
});

describe('giving segments up', () => {
  test('lists no directory, and looks at each name a few times, however many there are', () => {
    const looks = (count: number): { stats: number; opens: number } => {
      const vfs = new CountingVfs();
      const log = new TestLog(vfs, { segmentSize: 2048 });
      log.fillTo(count, 600);
      vfs.reset();
      for (let seq = 2; seq <= count; seq += 1) log.wal.release(seq);
      expect(vfs.lists).toBe(0);
      log.wal.removeAll();
      expect(vfs.list('.')).toEqual([]);
      return { stats: vfs.stats / count, opens: vfs.opens / count };
    };
    const few = looks(20);
    const many = looks(400);
    expect(many.stats).toBeLessThan(few.stats + 1);
    expect(many.opens).toBeLessThan(few.opens + 1);
  });

  test('truncateBefore, in one call or one record after the other', () => {
    for (const step of [1, 400]) {
      const vfs = new CountingVfs();
      const log = manySegments(vfs, 400);
      vfs.reset();
      for (let position = 1 + step; position <= 401; position += step) log.truncateBefore(position);
      expect([vfs.lists, log.stats().first]).toEqual([0, 400]);
      expect(vfs.opens).toBeLessThan(2 * 400);
      expect(vfs.stats).toBeLessThan(6 * 400);
      log.close();
    }
  });
});

describe('following', () => {
  test('reads each byte about once, however often it is woken', async () => {
    const vfs = new CountingVfs();
    const log = AppendLog.open({ vfs, path: 'events', segmentSize: MIB, syncMode: 'normal' });
    const records = log.follow();
    let written = 0;
    vfs.reset();
    for (let i = 0; i < 400; i += 1) {
      const next = records.next();
      await Promise.resolve(); // it waits
      const bytes = new Uint8Array(1000).fill(i);
      written += bytes.length;
      log.append(bytes);
      const { value } = await next;
      expect([value?.position, Buffer.compare(value!.bytes, bytes)]).toEqual([i + 1, 0]);
    }
    expect(vfs.bytesRead).toBeLessThan(2 * written);
    expect(vfs.opens).toBeLessThan(20);
    await records.return();
    log.close();
    expect(vfs.openNow).toBe(0);
  });

  test('goes on over segments that are sealed, given up and used again while it waits at their end', async () => {
    const vfs = new CountingVfs();
    const log = AppendLog.open({ vfs, path: 'events', segmentSize: 4096, syncMode: 'normal' });
    const records = log.follow();
    for (let i = 1; i <= 30; i += 1) {
      log.append(new Uint8Array(3000).fill(i));
      const { value } = await records.next();
      expect([value?.position, value?.bytes.every((byte) => byte === i)]).toEqual([i, true]);
      log.truncateBefore(i);
    }
    expect(log.stats().first).toBe(30);
    log.append(new Uint8Array(3000));
    log.append(new Uint8Array(3000));
    log.truncateBefore(32);
    await expect(records.next()).rejects.toMatchObject({ code: 'SOMBRA_TRUNCATED' });
    log.close();
    expect(vfs.openNow).toBe(0);
  });

  test('figures and reads of a log of many segments look at each header once', () => {
    const vfs = new CountingVfs();
    const log = manySegments(vfs, 300);
    vfs.reset();
    expect([...log.read()]).toHaveLength(300);
    expect(vfs.opens).toBe(300);
    expect(log.stats()).toMatchObject({ segments: 300, first: 1, last: 300 });
    log.close();
  });
});

describe('a record builder', () => {
  test('gives the memory of a large record back after small ones', () => {
    const builder = new RecordBuilder(4096);
    const put = (size: number): void => {
      builder.begin(RECORD_COMMIT, 1, 0, 0);
      builder.addBytes(new Uint8Array(size));
    };
    put(8 * MIB);
    const large = builder.bytes.length;
    expect(large).toBeGreaterThanOrEqual(8 * MIB);
    for (let i = 0; i < 10; i += 1) put(100);
    put(8 * MIB); // still in use
    expect(builder.bytes.length).toBe(large);
    for (let i = 0; i < 20; i += 1) put(100);
    expect(builder.bytes.length).toBeLessThanOrEqual(MIB);
    put(8 * MIB);
    expect(builder.length).toBeGreaterThan(8 * MIB);
  });

  test('refuses a record that no log can hold, naming the limit', () => {
    const builder = new RecordBuilder(4096);
    builder.begin(RECORD_COMMIT, 1, 0, 0);
    const endless = { length: RECORD_SIZE_MAX } as Uint8Array;
    expect(codeOf(() => builder.addBytes(endless))).toBe('SOMBRA_VALUE_TOO_LARGE');
    expect(() => builder.addBytes(endless)).toThrow(DataError);
    expect(() => builder.addBytes(endless)).toThrow(String(RECORD_SIZE_MAX));
    for (const pageSize of [4096, 8192, 65536]) {
      expect(recordPagesMax(pageSize) * (pageSize + 24) + 72).toBeLessThanOrEqual(RECORD_SIZE_MAX);
      expect(recordPagesMax(pageSize)).toBeGreaterThan(30_000);
    }
  });
});
