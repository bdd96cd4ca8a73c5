// Goal: an append log gives back what was appended, in order, over files, reopening and truncation; misuse, failures of the disk and
// damage get typed errors and lose nothing that was promised. Method: small scripts on memory, on real files and on failing disks;
// random scripts against an array.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryVfs, NodeVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { FaultyVfs, Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { APPEND_BYTES_MAX, AppendLog } from '../src/index.ts';
import type { AppendedRecord, AppendLogOptions } from '../src/index.ts';
import { codeOf, contentOf, flipBit, picture, replaceFile } from './support/files.ts';
import { TestLog } from './support/log.ts';

const SMALL = { path: 'events', segmentSize: 4096 } as const;

function openLog(vfs: Vfs, more: Partial<AppendLogOptions> = {}): AppendLog {
  return AppendLog.open({ vfs, ...SMALL, ...more });
}

function text(record: AppendedRecord): string {
  return new TextDecoder().decode(record.bytes);
}

function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function texts(log: AppendLog, from?: number): string[] {
  return [...log.read(from)].map(text);
}

/** Appends numbered records of about 500 bytes until there are so many files. */
function fill(log: AppendLog, files: number): string[] {
  const contents: string[] = [];
  while (log.stats().segments < files) {
    const content = `${log.stats().last + 1}`.padEnd(500, '.');
    log.append(bytes(content));
    contents.push(content);
  }
  return contents;
}

describe('append and read', () => {
  test('positions count from 1, and everything comes back in order', () => {
    const log = openLog(new MemoryVfs());
    expect([...log.read()]).toEqual([]);
    expect(['a', 'bb', ''].map((content) => log.append(bytes(content)))).toEqual([1, 2, 3]);
    expect([...log.read()].map((record) => [record.position, text(record)])).toEqual([
      [1, 'a'],
      [2, 'bb'],
      [3, ''],
    ]);
    expect(texts(log, 3)).toEqual(['']);
    expect(texts(log, 4)).toEqual([]);
    expect(texts(log, 400)).toEqual([]);
    expect(log.stats()).toMatchObject({ first: 1, last: 3, durable: 3, segments: 1, syncs: 3 });
  });

  test('over many files, from every position, also after reopening', () => {
    const vfs = new MemoryVfs();
    let log = openLog(vfs);
    const contents = fill(log, 4);
    for (let round = 0; round < 2; round += 1) {
      for (let from = 1; from <= contents.length; from += 1) expect(texts(log, from)).toEqual(contents.slice(from - 1));
      expect(log.check()).toEqual([]);
      log.close();
      log = openLog(vfs);
      expect(log.stats()).toMatchObject({
        first: 1,
        last: contents.length,
        durable: contents.length,
        segments: 4,
        syncs: 0,
      });
    }
    expect(log.append(bytes('next'))).toBe(contents.length + 1);
    expect(texts(log).at(-1)).toBe('next');
  });

  test('a record larger than a file', () => {
    const log = openLog(new MemoryVfs());
    const large = new Random(1).bytes(100_000);
    log.append(bytes('before'));
    log.append(large);
    log.append(bytes('after'));
    expect([...log.read()].map((record) => record.bytes.length)).toEqual([6, 100_000, 5]);
    expect(Buffer.compare([...log.read(2)][0]!.bytes, large)).toBe(0);
  });

  test('bytes are copied, on the way in and out', () => {
    const log = openLog(new MemoryVfs());
    const given = bytes('abc');
    log.append(given);
    given.fill(0);
    [...log.read()][0]!.bytes.fill(0);
    expect(texts(log)).toEqual(['abc']);
  });

  test('a part of a larger buffer is appended as such', () => {
    const log = openLog(new MemoryVfs());
    log.append(bytes('0123456789').subarray(3, 6));
    expect(texts(log)).toEqual(['345']);
  });

  test('times never go back', () => {
    const vfs = new MemoryVfs();
    const times = [5000, 3000, 6000].map((time) => vfs.env.wallTimeMs() + time);
    let log = openLog(vfs);
    for (const time of times) {
      vfs.env.wallTimeMs = () => time;
      log.append(bytes('x'));
    }
    log.close();
    vfs.env.wallTimeMs = () => 1;
    log = openLog(vfs);
    log.append(bytes('y'));
    expect([...log.read()].map(({ time }) => time)).toEqual([times[0], times[0], times[2], times[2]]);
  });

  test('a read ends with the records that were there when it began; appending, rotating and closing meanwhile is safe', () => {
    const log = openLog(new MemoryVfs());
    const contents = fill(log, 2);
    const reading = log.read();
    expect(text(reading.next().value as AppendedRecord)).toBe(contents[0]);
    fill(log, 4);
    expect([...reading].map(text)).toEqual(contents.slice(1));
    const other = log.read();
    other.next();
    log.close();
    expect(codeOf(() => other.next())).toBe('SOMBRA_CLOSED');
  });

  test('it is disposable, and closing twice is harmless', () => {
    const vfs = new MemoryVfs();
    const log = openLog(vfs);
    log.append(bytes('x'));
    log[Symbol.dispose]();
    log.close();
    expect(texts(openLog(vfs))).toEqual(['x']);
  });

  test('on a real disk', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sombra-wal-'));
    try {
      const vfs = new NodeVfs();
      const options = { vfs, path: join(folder, 'events'), segmentSize: 4096 };
      const log = AppendLog.open(options);
      if (vfs.locksAvailable) expect(codeOf(() => AppendLog.open(options))).toBe('SOMBRA_BUSY');
      const contents = fill(log, 3);
      log.truncateBefore(contents.length);
      log.close();
      const again = AppendLog.open(options);
      expect(texts(again)).toEqual(contents.slice(again.stats().first - 1));
      again.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('truncateBefore', () => {
  test('gives whole files up, and nothing at or behind the position', () => {
    const plan = fill(openLog(new MemoryVfs()), 5);
    for (let position = 1; position <= plan.length + 1; position += 1) {
      const vfs = new MemoryVfs();
      const log = openLog(vfs);
      const contents = fill(log, 5);
      const first = log.truncateBefore(position);
      expect(first).toBeLessThanOrEqual(position);
      expect(log.stats().first).toBe(first);
      expect(texts(log)).toEqual(contents.slice(first - 1));
      expect(log.truncateBefore(position)).toBe(first);
      log.append(bytes('more'));
      log.close();
      const again = openLog(vfs);
      expect(again.stats().first).toBe(first);
      expect(texts(again)).toEqual([...contents.slice(first - 1), 'more']);
      expect(vfs.list('.').filter((name) => name.endsWith('-wal')).length).toBe(again.stats().segments);
    }
  });

  test('positions go on, and files are used again', () => {
    const vfs = new MemoryVfs();
    const log = openLog(vfs);
    for (let round = 0; round < 20; round += 1) {
      fill(log, 3);
      log.truncateBefore(log.stats().last);
    }
    const { first, last, segments } = log.stats();
    expect(segments).toBe(1);
    expect(texts(log)).toEqual(Array.from({ length: last - first + 1 }, (_, i) => `${first + i}`.padEnd(500, '.')));
    expect(vfs.list('.')).toEqual(['events-lock', 'events-wal', 'events-wal.spare']);
    expect(log.check()).toEqual([]);
  });

  test('when everything was given up that can be, reading begins with what is left', () => {
    const log = openLog(new MemoryVfs());
    const contents = fill(log, 2);
    const first = log.truncateBefore(contents.length + 1);
    expect(first).toBe(contents.length);
    expect(texts(log)).toEqual(contents.slice(-1));
    expect(log.truncateBefore(-5)).toBe(first);
  });

  test('reading records that were given up is an error', () => {
    const log = openLog(new MemoryVfs());
    const contents = fill(log, 4);
    const slow = log.read();
    slow.next();
    const fast = log.read(contents.length - 1);
    const first = log.truncateBefore(contents.length);
    fill(log, 2); // the file of the first record is used again
    expect(codeOf(() => slow.next())).toBe('SOMBRA_TRUNCATED');
    expect(codeOf(() => log.read(1))).toBe('SOMBRA_TRUNCATED');
    expect(text([...log.read(first)][0]!)).toBe(contents[first - 1]);
    expect(codeOf(() => fast.next())).toBe(contents.length - 1 < first ? 'SOMBRA_TRUNCATED' : 'no error');
  });

  test('a failed removal leaves the rest to the next call', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = openLog(vfs);
    const contents = fill(log, 4);
    vfs.add({ op: 'unlink', nth: 1, action: 'EACCES' });
    expect(codeOf(() => log.truncateBefore(contents.length))).toBe('SOMBRA_PERMISSION');
    expect(log.stats().segments).toBe(3);
    expect(texts(log)).toEqual(contents.slice(log.stats().first - 1));
    log.truncateBefore(contents.length);
    expect(log.stats().segments).toBe(1);
  });
});

describe('sync modes', () => {
  test('full: one sync for each append, before it returns', () => {
    const log = openLog(new MemoryVfs());
    for (let i = 1; i <= 3; i += 1) {
      log.append(bytes('x'));
      expect(log.stats()).toMatchObject({ durable: i, syncs: i });
    }
    log.sync();
    expect(log.stats().syncs).toBe(3);
  });

  test('normal: nothing until sync, close, or the end of a file', () => {
    const vfs = new MemoryVfs();
    const log = openLog(vfs, { syncMode: 'normal' });
    for (let i = 1; i <= 3; i += 1) log.append(bytes('x'));
    expect(log.stats()).toMatchObject({ last: 3, durable: 0, syncs: 0 });
    log.sync();
    expect(log.stats()).toMatchObject({ last: 3, durable: 3, syncs: 1 });
    fill(log, 2);
    expect(log.stats().durable).toBe(log.stats().last - 1);
    log.close();
    expect(openLog(vfs).stats().durable).toBe(log.stats().last);
  });

  test('syncAsync: what waits at the same time shares a sync', async () => {
    const log = openLog(new MemoryVfs(), { syncMode: 'normal' });
    const waiting = Array.from({ length: 50 }, () => {
      const position = log.append(bytes('x'));
      return log.syncAsync().then(() => expect(log.stats().durable).toBeGreaterThanOrEqual(position));
    });
    await Promise.all(waiting);
    expect(log.stats()).toMatchObject({ durable: 50, syncs: 2 });
    await log.syncAsync();
    expect(log.stats().syncs).toBe(2);
  });

  test('syncAsync over a rotation, and with a close in between', async () => {
    const vfs = new MemoryVfs();
    const log = openLog(vfs, { syncMode: 'normal' });
    log.append(bytes('x'));
    const first = log.syncAsync();
    fill(log, 3);
    const second = log.syncAsync();
    await first;
    await second;
    expect(log.stats().durable).toBe(log.stats().last);
    log.append(bytes('y'));
    const third = log.syncAsync();
    log.close();
    await third;
    expect(openLog(vfs).stats().last).toBe(log.stats().last);
    await expect(log.syncAsync()).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
  });
});

describe('misuse', () => {
  const wrong: [string, Record<string, unknown>][] = [
    ['unknown option', { segmentsize: 4096 }],
    ['no path', { path: '' }],
    ['a directory', { path: 'events/' }],
    ['path of a wrong type', { path: 5 }],
    ['the name of a file of the log events', { path: 'events-1' }],
    ['no file system', { vfs: undefined }],
    ['segmentSize too small', { segmentSize: 100 }],
    ['segmentSize too large', { segmentSize: 2 ** 31 }],
    ['segmentSize no integer', { segmentSize: 4096.5 }],
    ['segmentSize a string', { segmentSize: '4096' }],
    ['syncMode', { syncMode: 'off' }],
    ['locking', { locking: 'maybe' }],
    ['toLastGood', { toLastGood: 'yes' }],
  ];
  test.each(wrong)('%s', (_name, options) => {
    const vfs = new MemoryVfs();
    expect(codeOf(() => AppendLog.open({ vfs, ...SMALL, ...options } as unknown as AppendLogOptions))).toBe(
      'SOMBRA_CONFIG',
    );
    expect(vfs.list('.')).toEqual([]);
  });

  test('what is no Uint8Array, too long, or no position', () => {
    const log = openLog(new MemoryVfs());
    expect(() => log.append('text' as unknown as Uint8Array)).toThrow(TypeError);
    const huge = { length: APPEND_BYTES_MAX + 1 };
    Object.setPrototypeOf(huge, Uint8Array.prototype);
    Object.defineProperty(huge, 'length', { value: APPEND_BYTES_MAX + 1 });
    expect(codeOf(() => log.append(huge as unknown as Uint8Array))).toBe('SOMBRA_VALUE_TOO_LARGE');
    for (const from of [0, -1, 1.5, NaN, Infinity]) expect(() => log.read(from)).toThrow(RangeError);
    expect(() => log.truncateBefore(1.5)).toThrow(RangeError);
    expect(log.append(bytes('x'))).toBe(1);
  });

  test('every call after close', async () => {
    const log = openLog(new MemoryVfs());
    log.close();
    for (const call of [
      () => log.append(bytes('x')),
      () => log.sync(),
      () => log.read(),
      () => log.truncateBefore(1),
      () => log.check(),
    ]) {
      expect(codeOf(call)).toBe('SOMBRA_CLOSED');
    }
    await expect(log.syncAsync()).rejects.toMatchObject({ code: 'SOMBRA_CLOSED' });
    expect(log.stats().last).toBe(0);
  });

  test('a second opener, until the first one closes', () => {
    const vfs = new MemoryVfs();
    const log = openLog(vfs);
    expect(codeOf(() => openLog(vfs))).toBe('SOMBRA_BUSY');
    log.append(bytes('x'));
    log.close();
    expect(texts(openLog(vfs))).toEqual(['x']);
  });

  test('two logs in one folder', () => {
    const vfs = new MemoryVfs();
    const [a, b] = [openLog(vfs, { path: 'a' }), openLog(vfs, { path: 'a-x' })];
    fill(a, 3);
    fill(b, 2);
    for (const log of [a, b]) log.close();
    expect(openLog(vfs, { path: 'a' }).stats().segments).toBe(3);
    expect(openLog(vfs, { path: 'a-x' }).stats().segments).toBe(2);
  });

  test('without file locks it says what to do, and works with locking none', () => {
    const vfs = Object.assign(new MemoryVfs(), { locksAvailable: false });
    expect(codeOf(() => openLog(vfs))).toBe('SOMBRA_LOCKS_UNAVAILABLE');
    expect(vfs.list('.')).toEqual([]);
    const log = openLog(vfs, { locking: 'none' });
    log.append(bytes('x'));
    expect(vfs.list('.')).toEqual(['events-wal']);
  });
});

describe('failures of the disk', () => {
  test('a full disk refuses the record, and the log goes on', () => {
    for (const syncMode of ['full', 'normal'] as const) {
      const vfs = new FaultyVfs(new MemoryVfs());
      const log = openLog(vfs, { syncMode });
      const contents = fill(log, 2);
      vfs.add({ op: 'pwrite', action: { short: 100 } });
      vfs.add({ op: 'pwrite', nth: 3, action: 'ENOSPC', sticky: true });
      for (let i = 0; i < 12; i += 1) expect(codeOf(() => log.append(bytes('z'.repeat(700))))).toBe('SOMBRA_DISK_FULL');
      expect(texts(log)).toEqual(contents);
      expect(log.check()).toEqual([]);
      vfs.heal();
      expect(log.append(bytes('again'))).toBe(contents.length + 1);
      log.close();
      expect(texts(openLog(vfs))).toEqual([...contents, 'again']);
    }
  });

  test('a record that fails behind a rotation', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = openLog(vfs, { syncMode: 'normal' });
    const contents: string[] = [];
    const fits = (): boolean => log.stats().bytes < 2500;
    while (fits()) {
      contents.push('x'.repeat(600));
      log.append(bytes(contents.at(-1)!));
    }
    vfs.add({ op: 'pwrite', nth: 2, action: 'ENOSPC' }); // the header of the next file fits
    expect(codeOf(() => log.append(bytes('y'.repeat(1500))))).toBe('SOMBRA_DISK_FULL');
    expect(log.stats()).toMatchObject({ segments: 2, last: contents.length, durable: contents.length });
    log.append(bytes('y'));
    expect(texts(log)).toEqual([...contents, 'y']);
    expect(log.check()).toEqual([]);
    log.close();
    expect(texts(openLog(vfs))).toEqual([...contents, 'y']);
  });

  test('a failed sync ends the writing; reading goes on; the next open shows what is there', async () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = openLog(vfs);
    log.append(bytes('a'));
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    expect(codeOf(() => log.append(bytes('b')))).toBe('SOMBRA_SYNC');
    for (const call of [() => log.append(bytes('c')), () => log.sync(), () => log.truncateBefore(1)]) {
      expect(codeOf(call)).toBe('SOMBRA_LOCK_POISONED');
    }
    await expect(log.syncAsync()).rejects.toMatchObject({ code: 'SOMBRA_LOCK_POISONED' });
    expect(texts(log)).toEqual(['a']);
    expect(log.check()).toEqual([]);
    log.close();
    expect(texts(openLog(vfs))).toEqual(['a', 'b']); // nothing was lost here; its position was never acknowledged
  });

  test('a failed asynchronous sync, too: every waiting promise is rejected', async () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = openLog(vfs, { syncMode: 'normal' });
    log.append(bytes('a'));
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    const waiting = [log.syncAsync(), log.syncAsync()];
    for (const outcome of await Promise.allSettled(waiting))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SOMBRA_SYNC' } });
    expect(codeOf(() => log.append(bytes('b')))).toBe('SOMBRA_LOCK_POISONED');
    expect(log.stats().durable).toBe(0);
    log.close();
  });

  test('a failed sync of names while truncating', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = openLog(vfs);
    const contents = fill(log, 3);
    vfs.add({ op: 'syncDir', nth: 1, action: 'EIO' });
    expect(codeOf(() => log.truncateBefore(contents.length))).toBe('SOMBRA_SYNC');
    expect(codeOf(() => log.append(bytes('c')))).toBe('SOMBRA_LOCK_POISONED');
    const { first } = log.stats();
    expect(texts(log)).toEqual(contents.slice(first - 1));
    log.close();
    expect(texts(openLog(vfs))).toEqual(contents.slice(first - 1));
  });

  test('a closed log says so, and keeps its figures', () => {
    const log = AppendLog.open({ vfs: new MemoryVfs(), path: 't.log' });
    log.append(new Uint8Array(3));
    expect(log.closed).toBe(false);
    log.close();
    expect(log.closed).toBe(true);
    expect(log.stats()).toMatchObject({ last: 1, durable: 1 });
  });

  test('a failed sync while closing is reported, and the log is closed', () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const log = openLog(vfs, { syncMode: 'normal' });
    log.append(bytes('a'));
    vfs.add({ op: 'sync', nth: 1, action: 'EIO' });
    expect(codeOf(() => log.close())).toBe('SOMBRA_SYNC');
    log.close();
    expect(texts(openLog(vfs))).toEqual(['a']);
  });

  test('whatever call fails, opening and appending lose nothing, and the lock is given back', () => {
    const script = (vfs: Vfs, contents: string[]): void => {
      const log = openLog(vfs);
      try {
        for (let i = 0; i < 3; i += 1) {
          const content = `${contents.length + 1}`.padEnd(1900, '.');
          log.append(bytes(content));
          contents.push(content);
        }
      } finally {
        log.close();
      }
    };
    const counting = new FaultyVfs(new MemoryVfs());
    script(counting, []);
    const OPS = [
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
      'lock',
    ] as const;
    for (let nth = 1; nth <= counting.calls; nth += 1) {
      const vfs = new FaultyVfs(new MemoryVfs(), [{ op: OPS, nth, action: 'EIO' }]);
      const contents: string[] = [];
      const code = codeOf(() => script(vfs, contents));
      expect(['no error', 'SOMBRA_IO', 'SOMBRA_SYNC']).toContain(code);
      vfs.heal();
      const log = openLog(vfs);
      const found = texts(log);
      expect(found.slice(0, contents.length)).toEqual(contents);
      expect(found.length - contents.length).toBeLessThanOrEqual(1);
      log.append(bytes('next'));
      expect(texts(log)).toEqual([...found, 'next']);
      log.close();
    }
    expect(counting.calls).toBeGreaterThan(30);
  });
});

describe('damage', () => {
  /** A closed log of some files, in mode normal: no room is allocated ahead. */
  function closed(files = 4): { vfs: MemoryVfs; contents: string[] } {
    const vfs = new MemoryVfs();
    const log = openLog(vfs, { syncMode: 'normal' });
    const contents = fill(log, files);
    for (const content of ['x', 'y', 'z']) {
      log.append(bytes(content));
      log.sync();
      contents.push(content);
    }
    log.close();
    vfs.unlink('events-lock');
    return { vfs, contents };
  }

  function refuses(vfs: MemoryVfs, code: string): void {
    const before = picture(vfs);
    expect(codeOf(() => openLog(vfs, { locking: 'none' }))).toBe(code);
    expect(picture(vfs)).toEqual(before);
  }

  test('in the newest file is refused at open, except of the last record', () => {
    const { vfs, contents } = closed();
    const live = contentOf(vfs, 'events-wal');
    const log = openLog(vfs, { locking: 'none' });
    expect(texts(log)).toEqual(contents);
    log.close();
    flipBit(vfs, 'events-wal', live.length - 200);
    refuses(vfs, 'SOMBRA_WAL_DAMAGED');
    const kept = openLog(vfs, { locking: 'none', toLastGood: true });
    expect(contents.slice(0, texts(kept).length)).toEqual(texts(kept));
    expect(kept.stats().droppedBytes).toBeGreaterThan(0);
  });

  test('in an older file is found by reading and by check, and records before and behind it can be read', () => {
    const { vfs, contents } = closed();
    flipBit(vfs, 'events-2-wal', 1500);
    const log = openLog(vfs, { locking: 'none' });
    const read: string[] = [];
    expect(
      codeOf(() => {
        for (const record of log.read()) read.push(text(record));
      }),
    ).toBe('SOMBRA_WAL_DAMAGED');
    expect(read.length).toBeGreaterThan(5);
    expect(read).toEqual(contents.slice(0, read.length));
    expect(log.check().map(({ code }) => code)).toEqual(['SOMBRA_WAL_DAMAGED']);
    const behind = contents.length - 8;
    expect(texts(log, behind)).toEqual(contents.slice(behind - 1));
    log.close();
    // One way out: keep what lies before.
    const before = openLog(vfs, { locking: 'none', toLastGood: true });
    expect(texts(before)).toEqual(read);
    expect(before.append(bytes('next'))).toBe(read.length + 1);
    expect(before.check()).toEqual([]);
  });

  test('the other way out: keep what lies behind', () => {
    const { vfs, contents } = closed();
    flipBit(vfs, 'events-2-wal', 1500);
    const log = openLog(vfs, { locking: 'none' });
    const first = log.truncateBefore(contents.length - 8);
    expect(texts(log)).toEqual(contents.slice(first - 1));
    expect(log.check()).toEqual([]);
  });

  test('a header, a missing file', () => {
    for (const name of ['events-1-wal', 'events-2-wal', 'events-3-wal', 'events-wal']) {
      const { vfs, contents } = closed();
      flipBit(vfs, name, 60);
      refuses(vfs, 'SOMBRA_WAL_DAMAGED');
      if (name === 'events-1-wal') {
        expect(codeOf(() => openLog(vfs, { locking: 'none', toLastGood: true }))).toBe('SOMBRA_WAL_DAMAGED');
        continue;
      }
      const log = openLog(vfs, { locking: 'none', toLastGood: true });
      const kept = texts(log);
      expect(kept).toEqual(contents.slice(0, kept.length));
      expect(kept.length).toBeGreaterThan(3);
      log.append(bytes('next'));
      log.close();
      expect(texts(openLog(vfs, { locking: 'none' }))).toEqual([...kept, 'next']);
    }
    const { vfs } = closed();
    vfs.unlink('events-2-wal');
    refuses(vfs, 'SOMBRA_WAL_DAMAGED');
  });

  test('files of others are refused and left alone', () => {
    const { vfs } = closed();
    replaceFile(vfs, 'events-9-wal', contentOf(vfs, 'events-1-wal'));
    refuses(vfs, 'SOMBRA_WAL_FOREIGN');
    const other = closed();
    const mixed = closed();
    replaceFile(mixed.vfs, 'events-2-wal', contentOf(other.vfs, 'events-2-wal'));
    refuses(mixed.vfs, 'SOMBRA_WAL_FOREIGN');
    const database = new MemoryVfs();
    new TestLog(database, { path: 'events' }).close();
    refuses(database, 'SOMBRA_WAL_FOREIGN');
  });

  test('a record that no append log writes', () => {
    const vfs = new MemoryVfs();
    const identity = { pageSize: 0, databaseId: new Random(1).bytes(16), timeline: 1 };
    const log = new TestLog(vfs, { path: 'events', identity });
    log.builder.begin(1, 1, 1, 0);
    log.builder.addBytes(new Uint8Array(3));
    log.builder.addBytes(new Uint8Array(3));
    log.wal.append(log.builder);
    log.wal.publish();
    log.close();
    const opened = openLog(vfs);
    expect(codeOf(() => texts(opened))).toBe('SOMBRA_WAL_RECORD');
    expect(opened.check().map(({ code }) => code)).toEqual(['SOMBRA_WAL_RECORD']);
  });

  test('random bits: an error, or the right records', () => {
    const { vfs, contents } = closed();
    const files = vfs.list('.').map((name) => [name, contentOf(vfs, name)] as const);
    const random = new Random(5);
    let wrong = 0;
    for (let run = 0; run < 800; run += 1) {
      for (const [name, content] of files) replaceFile(vfs, name, content);
      const [name, content] = random.pick(files);
      flipBit(vfs, name, random.below(content.length), random.below(8));
      const read: string[] = [];
      let opened: AppendLog | undefined;
      const code = codeOf(() => {
        opened = openLog(vfs, { locking: 'none' });
        for (const record of opened.read()) read.push(text(record));
      });
      opened?.close();
      expect(['no error', 'SOMBRA_WAL_DAMAGED', 'SOMBRA_FORMAT_VERSION']).toContain(code);
      if (read.some((content_, at) => content_ !== contents[at])) wrong += 1;
      if (code === 'no error' && read.length < contents.length - 1) wrong += 1;
    }
    expect(wrong).toBe(0);
  });
});

test.each(seeds(10))('seed %i: random scripts give what an array gives', (seed) => {
  const random = new Random(seed);
  const vfs = new MemoryVfs();
  const options = (): Partial<AppendLogOptions> => ({
    segmentSize: 4096 + random.below(4000),
    syncMode: random.chance(0.3) ? 'full' : 'normal',
  });
  let log = openLog(vfs, options());
  const model: Uint8Array[] = [];
  let first = 1;
  for (let step = 0; step < 300; step += 1) {
    const draw = random.below(100);
    if (draw < 70) {
      const content = random.bytes(random.below(random.chance(0.03) ? 20_000 : 700));
      model.push(content);
      expect(log.append(content)).toBe(model.length);
    } else if (draw < 75) log.sync();
    else if (draw < 80) {
      log.close();
      log = openLog(vfs, options());
    } else if (draw < 83) {
      const position = first + random.below(model.length + 2 - first);
      first = log.truncateBefore(position);
      expect(first).toBeLessThanOrEqual(Math.max(position, first));
    } else if (model.length >= first) {
      const from = first + random.below(model.length + 1 - first);
      let at = from;
      for (const record of log.read(from)) {
        if (record.position !== at || Buffer.compare(record.bytes, model[at - 1]!) !== 0)
          throw new Error(`record ${record.position}, expected ${at}`);
        at += 1;
        if (random.chance(0.02)) break;
      }
      if (at > model.length + 1) throw new Error('read too much');
    }
    const stats = log.stats();
    expect([stats.first, stats.last]).toEqual([first, model.length]);
  }
  expect(log.check()).toEqual([]);
});
