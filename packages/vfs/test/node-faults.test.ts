// Goal: what NodeVfs does when a system call fails. Method: single functions of node:fs fail on request, the rest is real.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NodeVfs } from '../src/index.ts';
import type { VfsFile } from '../src/index.ts';
import { errnoOf } from '../src/node-errno.ts';
import { nativeLocks } from '../src/node-locks.ts';
import { failureOf } from '../src/testing/index.ts';

/** What the next calls of a function do: fail with an errno, then go on as they are. */
const plans = vi.hoisted(() => new Map<string, string[]>());
/** Calls so far, by function. */
const calls = vi.hoisted(() => new Map<string, number>());
/** The type that statfs reports, if set. */
const fileSystem = vi.hoisted(() => ({ type: undefined as number | undefined }));

vi.mock('node:fs', async (original) => {
  const actual = await original<typeof fs>();
  const failure = (name: string): Error | undefined => {
    calls.set(name, (calls.get(name) ?? 0) + 1);
    const errno = plans.get(name)?.shift();
    return errno === undefined
      ? undefined
      : Object.assign(new Error(`${errno}: planned`), { code: errno, errno: -1, syscall: name });
  };
  type Call = (...given: unknown[]) => unknown;
  const synchronous = (name: keyof typeof fs): Call => {
    const call = actual[name] as Call;
    return (...given) => {
      const error = failure(name);
      if (error !== undefined) throw error;
      return call(...given);
    };
  };
  const asynchronous = (name: 'fsync' | 'fdatasync'): Call => {
    const call = actual[name];
    return (fd, done) => {
      const error = failure(name);
      if (error === undefined) return call(fd as number, done as fs.NoParamCallback);
      return setImmediate(() => (done as fs.NoParamCallback)(error));
    };
  };
  const names = [
    'readSync',
    'writeSync',
    'writevSync',
    'ftruncateSync',
    'fsyncSync',
    'fdatasyncSync',
    'fstatSync',
    'closeSync',
    'openSync',
  ] as const;
  return {
    ...actual,
    ...Object.fromEntries(names.map((name) => [name, synchronous(name)])),
    fsync: asynchronous('fsync'),
    fdatasync: asynchronous('fdatasync'),
    statfsSync: (path: string) => ({
      ...actual.statfsSync(path),
      ...(fileSystem.type === undefined ? {} : { type: fileSystem.type }),
    }),
  };
});

const vfs = new NodeVfs();
let directory: string;
let file: VfsFile;

beforeEach(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'sombra-faults-'));
  file = vfs.open(join(directory, 'a'), { write: true, create: true });
  file.pwrite([Uint8Array.of(1, 2, 3)], 0);
  calls.clear();
});

afterEach(() => {
  plans.clear();
  file.close();
  fs.rmSync(directory, { recursive: true });
});

describe('EINTR', () => {
  test.each<[string, (file: VfsFile) => unknown]>([
    ['readSync', (one) => one.pread(new Uint8Array(3), 0)],
    ['writeSync', (one) => one.pwrite([Uint8Array.of(4)], 0)],
    ['writevSync', (one) => one.pwrite([Uint8Array.of(4), Uint8Array.of(5)], 0)],
    ['ftruncateSync', (one) => one.truncate(1)],
    ['fdatasyncSync', (one) => one.sync('data')],
    ['fsyncSync', (one) => one.sync('full')],
    ['fstatSync', (one) => one.stat()],
    ['openSync', () => vfs.open(join(directory, 'a'), { write: false }).close()],
  ])('%s is called again', (name, call) => {
    plans.set(name, ['EINTR', 'EINTR']);
    call(file);
    expect(calls.get(name)).toBe(3);
  });

  test.each(['data', 'full'] as const)('an asynchronous %s sync is called again', async (kind) => {
    const name = kind === 'data' ? 'fdatasync' : 'fsync';
    plans.set(name, ['EINTR']);
    await file.syncAsync(kind);
    expect(calls.get(name)).toBe(2);
  });

  test('close is not: the descriptor is gone', () => {
    const other = vfs.open(join(directory, 'b'), { write: true, create: true });
    plans.set('closeSync', ['EINTR']);
    calls.clear();
    expect(failureOf(() => other.close())).toBe('SOMBRA_IO EINTR');
    expect(failureOf(() => other.close())).toBe('no error');
    expect(calls.get('closeSync')).toBe(1);
  });
});

describe('failing syncs', () => {
  test.each(['EIO', 'ENOSPC', 'EDQUOT'])('%s of any sync is SOMBRA_SYNC', async (errno) => {
    for (const name of ['fdatasyncSync', 'fsyncSync', 'fdatasync', 'fsync']) plans.set(name, [errno]);
    expect(failureOf(() => file.sync('data'))).toBe(`SOMBRA_SYNC ${errno}`);
    expect(failureOf(() => file.sync('full'))).toBe(`SOMBRA_SYNC ${errno}`);
    for (const kind of ['data', 'full'] as const) {
      const error = await file.syncAsync(kind).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'SOMBRA_SYNC', details: { errno, op: 'sync', path: file.path } });
      expect((error as Error).cause).toBeInstanceOf(Error);
    }
  });

  test('a descriptor that was closed while its sync fails is closed after it', async () => {
    plans.set('fdatasync', ['EIO']);
    const other = vfs.open(join(directory, 'b'), { write: true, create: true });
    calls.clear();
    const sync = other.syncAsync('data');
    other.close();
    expect(calls.get('closeSync')).toBeUndefined();
    await expect(sync).rejects.toMatchObject({ code: 'SOMBRA_SYNC' });
    expect(calls.get('closeSync')).toBe(1);
  });

  test('a close that fails after the last sync is reported by that sync', async () => {
    const other = vfs.open(join(directory, 'b'), { write: true, create: true });
    const syncs = [other.syncAsync('data'), other.syncAsync('data')];
    plans.set('closeSync', ['EIO']);
    other.close();
    const results = await Promise.allSettled(syncs);
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed.map(({ reason }) => (reason as { code: string }).code)).toEqual(['SOMBRA_IO']);
  });

  test.each(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP'])('a directory that cannot be synced (%s) is skipped', (errno) => {
    plans.set('fsyncSync', [errno]);
    vfs.syncDir(directory);
    expect(calls.get('fsyncSync')).toBe(1);
    plans.set('openSync', [errno]);
    vfs.syncDir(directory);
    expect(calls.get('fsyncSync')).toBe(1);
  });

  test.each(['EMFILE', 'ENFILE', 'ENOMEM'])('%s while a directory is opened ahead is no failed sync', (errno) => {
    plans.set('openSync', [errno]);
    expect(failureOf(() => vfs.openDirectory(directory))).toBe(`SOMBRA_IO ${errno}`);
    expect(calls.get('fsyncSync') ?? 0).toBe(0);
    const opened = vfs.openDirectory(directory);
    plans.set('fsyncSync', ['EIO']);
    expect(failureOf(() => opened.sync())).toBe('SOMBRA_SYNC EIO');
    opened.sync();
    opened.close();
    opened.close();
    expect(calls.get('closeSync')).toBe(1);
  });

  test.each(['EMFILE', 'ENFILE', 'ENOMEM'])('%s while the lock package is loaded says nothing about locks', (errno) => {
    const notFound = (): never => {
      throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
    };
    plans.set('openSync', [errno]);
    expect(failureOf(() => nativeLocks(notFound, 'linux'))).toBe(`SOMBRA_IO ${errno}`);
    expect(nativeLocks(notFound, 'linux')).toBe(null);
  });

  test.each(['EIO', 'ENOSPC', 'EROFS', 'EACCES', 'EBADF'])('%s of a directory sync is never skipped', (errno) => {
    plans.set('fsyncSync', [errno]);
    expect(failureOf(() => vfs.syncDir(directory))).toBe(`SOMBRA_SYNC ${errno}`);
    expect(calls.get('closeSync')).toBe(1);
  });
});

describe('other failures', () => {
  test('keep the code of the system, the offset and the cause', () => {
    plans.set('readSync', ['EIO']);
    plans.set('writeSync', ['ENOSPC']);
    expect(failureOf(() => file.pread(new Uint8Array(3), 0))).toBe('SOMBRA_IO EIO');
    try {
      file.pwrite([Uint8Array.of(1)], 4096);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'SOMBRA_DISK_FULL',
        details: { errno: 'ENOSPC', op: 'pwrite', path: file.path, at: 4096 },
      });
      expect((error as Error).cause).toMatchObject({ code: 'ENOSPC' });
    }
  });

  test('what fails after opening closes the descriptor', () => {
    plans.set('fstatSync', ['EIO']);
    expect(failureOf(() => vfs.open(join(directory, 'a'), { write: true }))).toBe('SOMBRA_IO EIO');
    expect(calls.get('closeSync')).toBe(1);
  });

  test('a file that comes and goes while it is opened: tried again', () => {
    fs.unlinkSync(join(directory, 'a'));
    plans.set('openSync', ['EEXIST', 'ENOENT', 'EEXIST', 'ENOENT']);
    const other = vfs.open(join(directory, 'a'), { write: true, create: true });
    expect(calls.get('openSync')).toBe(5);
    other.close();
  });

  test('what is no system error passes through', () => {
    expect(() => file.pread(new Uint8Array(1), 0.5)).toThrow(RangeError);
    expect(errnoOf(new Error('text'))).toBeUndefined();
    expect(errnoOf(Object.assign(new Error('text'), { code: 'ERR_OTHER' }))).toBeUndefined();
    expect(errnoOf(Object.assign(new Error('text'), { code: 'EIO' }))).toBe('EIO');
  });
});

describe.skipIf(process.platform !== 'linux')('network file systems', () => {
  test.each([
    [0x6969, true],
    [0x517b, true],
    [0xff534d42, true],
    [0xff534d42 - 2 ** 32, true],
    [0xfe534d42, true],
    [0x65735546, true],
    [0x01021997, true],
    [0xef53, false],
    [0x01021994, false],
    [0x9123683e, false],
    [0x58465342, false],
    [0x794c7630, false],
  ])('statfs type %i: network %s, for a file that exists or not', (type, expected) => {
    fileSystem.type = type;
    try {
      expect(vfs.isNetwork(file.path)).toBe(expected);
      expect(vfs.isNetwork(join(directory, 'new'))).toBe(expected);
    } finally {
      fileSystem.type = undefined;
    }
  });

  test('a directory that is missing is an error', () => {
    expect(failureOf(() => vfs.isNetwork(join(directory, 'none/new')))).toBe('SOMBRA_IO ENOENT');
  });
});
