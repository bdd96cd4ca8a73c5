// Goal: codes, names and next steps of errors. Method: tables.
import { describe, expect, test } from 'vitest';
import {
  assert,
  CorruptionError,
  DataError,
  decodeText,
  encodeText,
  InvariantError,
  IoError,
  PoisonedError,
  preadFully,
  pwriteFully,
  SombraError,
  StateError,
  TransactionError,
  verifying,
} from '../src/index.ts';
import { MemoryVfs } from '../src/index.ts';
import { systemError } from '../src/system-error.ts';
import type { Operation } from '../src/system-error.ts';
import { FaultyVfs, failureOf } from '../src/testing/index.ts';

describe('error classes', () => {
  test.each([SombraError, CorruptionError, DataError, IoError, PoisonedError, StateError, TransactionError])(
    '%s keeps code, message, cause and details',
    (kind) => {
      const cause = new Error('before');
      const error = new kind('SOMBRA_X', 'what to do', { cause, details: { page: 3 } });
      expect(error).toBeInstanceOf(SombraError);
      expect([error.name, error.code, error.message, error.cause, error.details]).toEqual([
        kind.name,
        'SOMBRA_X',
        'what to do',
        cause,
        { page: 3 },
      ]);
      expect(new kind('SOMBRA_X', 'text').details).toEqual({});
      expect('cause' in new kind('SOMBRA_X', 'text')).toBe(false);
    },
  );

  test('assert throws InvariantError when the condition is false', () => {
    assert(true, 'never');
    expect(() => assert(false, 'pages are sorted')).toThrow(InvariantError);
    expect(() => assert(false, 'pages are sorted')).toThrow('pages are sorted (a bug of Sombra: please report it)');
    expect(new InvariantError('x').code).toBe('SOMBRA_INVARIANT');
  });

  test('costly checks run in tests', () => {
    expect(verifying).toBe(process.env['SOMBRA_VERIFY'] === '1');
  });
});

describe('system errors', () => {
  test.each<[string, Operation, string, RegExp]>([
    ['ENOSPC', 'pwrite', 'SOMBRA_DISK_FULL', /free space/],
    ['EDQUOT', 'truncate', 'SOMBRA_DISK_FULL', /quota/],
    ['EFBIG', 'pwrite', 'SOMBRA_DISK_FULL', /ulimit -f/],
    ['ENOSPC', 'open', 'SOMBRA_DISK_FULL', /free space/],
    ['ENOSPC', 'sync', 'SOMBRA_SYNC', /open the database again/],
    ['EIO', 'sync', 'SOMBRA_SYNC', /may be lost/],
    ['EIO', 'syncDir', 'SOMBRA_SYNC', /may be lost/],
    ['EACCES', 'open', 'SOMBRA_PERMISSION', /chown, chmod/],
    ['EPERM', 'link', 'SOMBRA_PERMISSION', /chown, chmod/],
    ['EROFS', 'rename', 'SOMBRA_PERMISSION', /mount it for writing/],
    ['EACCES', 'unlink', 'SOMBRA_PERMISSION', /chown, chmod/],
    ['EPERM', 'pwrite', 'SOMBRA_IO', /manual/],
    ['EIO', 'pread', 'SOMBRA_IO', /device/],
    ['ENOENT', 'open', 'SOMBRA_IO', /check the path/],
    ['EMFILE', 'open', 'SOMBRA_IO', /ulimit -n/],
    ['EXDEV', 'rename', 'SOMBRA_IO', /one file system/],
    ['EWHATEVER', 'lock', 'SOMBRA_IO', /manual/],
  ])('%s of %s is %s', (errno, op, code, advice) => {
    const cause = new Error(errno);
    const error = systemError(errno, op, 'dir/t.db', { at: 512, cause });
    expect(error).toBeInstanceOf(IoError);
    expect([error.code, error.cause, error.details]).toEqual([code, cause, { errno, op, path: 'dir/t.db', at: 512 }]);
    expect(error.message).toMatch(advice);
    expect(error.message).toContain(`${op} of dir/t.db at byte 512 failed with ${errno}: `);
  });
});

describe('text', () => {
  test('round trips, keeps a byte order mark, replaces what is no UTF-8', () => {
    const text = '\ufeffgraph \u00e9 \u{1f600}';
    const bytes = encodeText(text);
    expect(decodeText(bytes)).toBe(text);
    expect(decodeText(bytes, 3, 8)).toBe('graph');
    expect(decodeText(Uint8Array.of(0x61, 0xff, 0x62))).toBe('a\ufffdb');
    expect(decodeText(encodeText('\ud800'))).toBe('\ufffd');
  });
});

describe('whole transfers', () => {
  test('go on after short calls, and stop at the end of the file', () => {
    const vfs = new FaultyVfs(new MemoryVfs(), [{ op: ['pread', 'pwrite'], action: { short: 3 }, sticky: true }]);
    const file = vfs.open('a', { write: true, create: true });
    const bytes = encodeText('twenty bytes of data');
    pwriteFully(file, bytes, 5);
    const into = new Uint8Array(30);
    expect(preadFully(file, into, 5)).toBe(20);
    expect(decodeText(into, 0, 20)).toBe('twenty bytes of data');
    expect(vfs.failed.length).toBe(7 + 8);
    expect(preadFully(file, into, 25)).toBe(0);
    pwriteFully(file, new Uint8Array(0), 0);
  });

  test('a write that makes no progress is an error', () => {
    const vfs = new FaultyVfs(new MemoryVfs(), [
      { op: 'pwrite', nth: 2, action: { short: 0 } },
      { op: 'pwrite', nth: 1, action: { short: 4 } },
    ]);
    const file = vfs.open('a', { write: true, create: true });
    expect(failureOf(() => pwriteFully(file, new Uint8Array(10), 0))).toBe('SOMBRA_IO undefined');
    expect(file.stat().size).toBe(4);
  });
});
