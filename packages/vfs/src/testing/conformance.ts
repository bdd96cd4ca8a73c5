/** What every file system of Sombra does alike. Runs under vitest, or under anything with the same three functions. */
import { preadFully, pwriteFully } from '../transfer.ts';
import type { Vfs, VfsFile } from '../vfs.ts';

/** The test functions that are used; those of vitest fit. */
export interface TestFunctions {
  describe(name: string, body: () => void): unknown;
  test(name: string, body: () => void | Promise<void>): unknown;
  expect(value: unknown): { toBe(expected: unknown): unknown; toEqual(expected: unknown): unknown };
}

/** A file system with an empty directory. */
export interface ConformanceSubject {
  readonly vfs: Vfs;
  /** without `/` at its end */
  readonly directory: string;
  /** Removes what the test left. */
  readonly cleanUp?: () => void;
}

/** Beyond the end of any file, and exact as a number. */
const FAR = 2 ** 52;

/** Code and errno of what `run` throws. */
export function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return describeError(error);
  }
  return 'no error';
}

function describeError(error: unknown): string {
  const { code, details } = error as { code?: unknown; details?: { errno?: unknown } };
  return code === undefined ? String(error) : `${String(code)} ${String(details?.errno)}`;
}

/**
 * Registers the tests.
 * @param name  of the file system
 * @param make  called once for each test
 */
export function vfsConformance(
  name: string,
  make: () => ConformanceSubject,
  { describe, test, expect }: TestFunctions,
): void {
  const check = (title: string, body: (vfs: Vfs, path: (name: string) => string) => void | Promise<void>): void => {
    test(title, async () => {
      const { vfs, directory, cleanUp } = make();
      try {
        await body(vfs, (file) => (directory === '.' ? file : `${directory}/${file}`));
      } finally {
        cleanUp?.();
      }
    });
  };
  const create = (vfs: Vfs, path: string, text = ''): VfsFile => {
    const file = vfs.open(path, { write: true, create: true, exclusive: true });
    pwriteFully(file, bytesOf(text), 0);
    return file;
  };
  const content = (vfs: Vfs, path: string): string => {
    const file = vfs.open(path, { write: false });
    const bytes = new Uint8Array(file.stat().size);
    preadFully(file, bytes, 0);
    file.close();
    return textOf(bytes);
  };

  describe(`${name}: files`, () => {
    check('reads what was written, also over the end and behind a gap', (vfs, path) => {
      const file = create(vfs, path('a'), 'hello');
      expect(file.path).toBe(path('a'));
      expect(file.pwrite([bytesOf('XY'), new Uint8Array(0), bytesOf('Z')], 3)).toBe(3);
      expect(file.pwrite([], 0)).toBe(0);
      expect(file.pwrite([bytesOf('end')], 10)).toBe(3);
      const into = new Uint8Array(20).fill(7);
      expect(file.pread(into, 0)).toBe(13);
      expect([...into.subarray(0, 13)]).toEqual([...bytesOf('helXYZ\0\0\0\0end')]);
      expect([...into.subarray(13)]).toEqual([7, 7, 7, 7, 7, 7, 7]);
      expect(file.pread(into.subarray(0, 2), 11)).toBe(2);
      expect(file.pread(into, 13)).toBe(0);
      expect(file.pread(into, FAR)).toBe(0);
      expect(file.pread(new Uint8Array(0), 0)).toBe(0);
      file.close();
    });

    check('two descriptors see one file, and buffers are not kept', (vfs, path) => {
      const bytes = bytesOf('abc');
      const one = vfs.open(path('a'), { write: true, create: true });
      const two = vfs.open(path('a'), { write: false });
      one.pwrite([bytes], 0);
      bytes.fill(0);
      const into = new Uint8Array(3);
      expect(two.pread(into, 0)).toBe(3);
      expect(textOf(into)).toBe('abc');
      into.fill(0);
      expect(content(vfs, path('a'))).toBe('abc');
      one.close();
      two.close();
    });

    check('cuts and extends', (vfs, path) => {
      const file = create(vfs, path('a'), 'abcdef');
      file.truncate(2);
      expect(file.stat().size).toBe(2);
      file.truncate(5);
      expect(file.stat().size).toBe(5);
      expect(content(vfs, path('a'))).toBe('ab\0\0\0');
      file.truncate(0);
      expect(content(vfs, path('a'))).toBe('');
      file.close();
    });

    check('grows through many sizes', (vfs, path) => {
      const file = create(vfs, path('a'));
      const piece = new Uint8Array(997).map((_, index) => index);
      for (let i = 0; i < 100; i += 1) pwriteFully(file, piece, i * piece.length);
      const into = new Uint8Array(piece.length);
      for (let i = 0; i < 100; i += 7) {
        expect(preadFully(file, into, i * piece.length)).toBe(piece.length);
        expect(into.every((byte, index) => byte === piece[index])).toBe(true);
      }
      expect(file.stat().size).toBe(99_700);
      file.close();
    });

    check('syncs of both kinds, asynchronous ones also while the file is closed', async (vfs, path) => {
      const file = create(vfs, path('a'), 'abc');
      file.sync('data');
      file.sync('full');
      await file.syncAsync('data');
      const syncs = [file.syncAsync('full'), file.syncAsync('data')];
      file.close();
      await Promise.all(syncs);
      vfs.syncDir(directoryIn(path));
      expect(content(vfs, path('a'))).toBe('abc');
    });

    check('open: missing, taken, read-only', (vfs, path) => {
      expect(failureOf(() => vfs.open(path('a'), { write: true }))).toBe('SOMBRA_IO ENOENT');
      expect(failureOf(() => vfs.open(path('a'), { write: false }))).toBe('SOMBRA_IO ENOENT');
      create(vfs, path('a'), 'abc').close();
      expect(failureOf(() => vfs.open(path('a'), { write: true, create: true, exclusive: true }))).toBe(
        'SOMBRA_IO EEXIST',
      );
      const again = vfs.open(path('a'), { write: true, create: true });
      expect(again.stat().size).toBe(3);
      again.close();
      const reader = vfs.open(path('a'), { write: false });
      expect(failureOf(() => reader.pwrite([bytesOf('x')], 0))).toBe('SOMBRA_IO EBADF');
      expect(failureOf(() => reader.truncate(0))).toBe('SOMBRA_IO EBADF');
      reader.close();
      expect(content(vfs, path('a'))).toBe('abc');
    });

    check('errors name operation, path and offset', (vfs, path) => {
      const reader = create(vfs, path('a'));
      reader.close();
      try {
        reader.pwrite([bytesOf('x')], 7);
        expect('an error').toBe('thrown');
      } catch (error) {
        const { details, message } = error as { details: unknown; message: string };
        expect(details).toEqual({ errno: 'EBADF', op: 'pwrite', path: path('a'), at: 7 });
        expect(message.includes(path('a')) && message.includes('EBADF') && message.includes('7')).toBe(true);
      }
    });

    check('after close every call fails, close does not', async (vfs, path) => {
      const file = create(vfs, path('a'), 'abc');
      file.close();
      file.close();
      const calls: (() => unknown)[] = [
        () => file.pread(new Uint8Array(1), 0),
        () => file.pwrite([bytesOf('x')], 0),
        () => file.truncate(0),
        () => file.stat(),
        () => file.tryLock(0, 1, 'shared'),
        () => file.unlock(0, 1),
      ];
      for (const call of calls) expect(failureOf(call)).toBe('SOMBRA_IO EBADF');
      expect(failureOf(() => file.sync('data'))).toBe('SOMBRA_SYNC EBADF');
      expect(await file.syncAsync('data').then(() => 'no error', describeError)).toBe('SOMBRA_SYNC EBADF');
      expect(content(vfs, path('a'))).toBe('abc');
    });
  });

  describe(`${name}: names`, () => {
    check('a new file is like another one: its read and write bits, and always its owner may use it', (vfs, path) => {
      for (const [mode, expected] of [
        [0o660, 0o660],
        [0o644, 0o644],
        [0o770, 0o660],
        [0o400, 0o600],
        [0o604, 0o604],
      ] as const) {
        vfs.open(path(`like ${mode}`), { write: true, create: true, perm: mode }).close();
        const file = vfs.open(path(`new ${mode}`), {
          write: true,
          create: true,
          like: path(`like ${mode}`),
          perm: 0o601,
        });
        expect([mode, file.stat().mode]).toEqual([mode, expected]);
        file.close();
        vfs.open(path(`new ${mode}`), { write: true, create: true, perm: 0o666 }).close();
        expect(vfs.stat(path(`new ${mode}`))!.mode).toBe(expected);
      }
      const file = vfs.open(path('like none'), { write: true, create: true, like: path('none'), perm: 0o640 });
      expect(file.stat().mode).toBe(0o640);
      file.close();
    });

    check('stat by name and by descriptor agree', (vfs, path) => {
      expect(vfs.stat(path('a'))).toBe(null);
      const file = vfs.open(path('a'), { write: true, create: true, perm: 0o640 });
      pwriteFully(file, bytesOf('abc'), 0);
      const named = vfs.stat(path('a'))!;
      expect(named).toEqual(file.stat());
      expect([named.size, named.nlink, named.mode]).toEqual([3, 1, 0o640]);
      const other = create(vfs, path('b'));
      expect(other.stat().mode).toBe(0o600);
      expect(other.stat().dev === named.dev && other.stat().ino !== named.ino).toBe(true);
      file.close();
      other.close();
    });

    check('a directory is made for its owner alone, and takes files', (vfs, path) => {
      vfs.mkdir(path('d'));
      const { kind, mode } = vfs.stat(path('d'))!;
      expect([kind, mode]).toEqual(['directory', 0o700]);
      expect(vfs.list(path('d'))).toEqual([]);
      expect(failureOf(() => vfs.mkdir(path('d')))).toBe('SOMBRA_IO EEXIST');
      create(vfs, path('d/a'), 'abc').close();
      expect(vfs.stat(path('d/a'))!.kind).toBe('file');
      expect(failureOf(() => vfs.mkdir(path('d/a')))).toBe('SOMBRA_IO EEXIST');
      vfs.syncDir(path('d'));
      vfs.syncDir(directoryIn(path));
      expect([vfs.list(directoryIn(path)), vfs.list(path('d'))]).toEqual([['d'], ['a']]);
      create(vfs, path('b'), 'b').close();
      vfs.rename(path('b'), path('d/a'));
      expect(content(vfs, path('d/a'))).toBe('b');
    });

    check('a directory is no file', (vfs, path) => {
      vfs.mkdir(path('d'));
      create(vfs, path('a'), 'abc').close();
      expect(failureOf(() => vfs.open(path('d'), { write: false }))).toBe('SOMBRA_IO EINVAL');
      expect(failureOf(() => vfs.open(path('d'), { write: true }))).toBe('SOMBRA_IO EISDIR');
      expect(failureOf(() => vfs.rename(path('a'), path('d')))).toBe('SOMBRA_IO EISDIR');
      expect(failureOf(() => vfs.link(path('a'), path('d')))).toBe('SOMBRA_IO EEXIST');
      expect(failureOf(() => vfs.unlink(path('d'))).startsWith('SOMBRA_')).toBe(true);
      expect(vfs.list(directoryIn(path))).toEqual(['a', 'd']);
    });

    check('the time of the last change follows the time of day', (vfs, path) => {
      const now = vfs.env.wallTimeMs();
      const file = create(vfs, path('a'), 'abc');
      const first = file.stat().modifiedMs;
      // File systems keep time in steps of some milliseconds.
      expect(Math.abs(first - now) < 60_000).toBe(true);
      vfs.env.sleep(30);
      expect(vfs.stat(path('a'))!.modifiedMs).toBe(first);
      pwriteFully(file, bytesOf('d'), 3);
      const second = file.stat().modifiedMs;
      expect(second > first).toBe(true);
      vfs.env.sleep(30);
      file.truncate(0);
      expect(file.stat().modifiedMs > second).toBe(true);
      file.close();
    });

    check('link gives a second name to the same file', (vfs, path) => {
      const file = create(vfs, path('a'), 'abc');
      vfs.link(path('a'), path('b'));
      expect(vfs.stat(path('b'))).toEqual(file.stat());
      expect(file.stat().nlink).toBe(2);
      expect(failureOf(() => vfs.link(path('a'), path('b')))).toBe('SOMBRA_IO EEXIST');
      expect(failureOf(() => vfs.link(path('none'), path('c')))).toBe('SOMBRA_IO ENOENT');
      vfs.rename(path('a'), path('b'));
      expect(vfs.list(directoryIn(path))).toEqual(['a', 'b']);
      vfs.unlink(path('a'));
      expect(file.stat().nlink).toBe(1);
      expect(content(vfs, path('b'))).toBe('abc');
      file.close();
    });

    check('rename moves a name and replaces what had it', (vfs, path) => {
      const moved = create(vfs, path('a'), 'new');
      const replaced = create(vfs, path('b'), 'old');
      vfs.rename(path('a'), path('b'));
      expect(vfs.stat(path('a'))).toBe(null);
      expect(content(vfs, path('b'))).toBe('new');
      expect([moved.stat().nlink, replaced.stat().nlink]).toEqual([1, 0]);
      const into = new Uint8Array(3);
      expect(replaced.pread(into, 0)).toBe(3);
      expect(textOf(into)).toBe('old');
      expect(failureOf(() => vfs.rename(path('a'), path('c')))).toBe('SOMBRA_IO ENOENT');
      moved.close();
      replaced.close();
    });

    check('an unlinked file lives as long as it is open', (vfs, path) => {
      const file = create(vfs, path('a'), 'abc');
      vfs.unlink(path('a'));
      expect(vfs.stat(path('a'))).toBe(null);
      expect(failureOf(() => vfs.unlink(path('a')))).toBe('SOMBRA_IO ENOENT');
      file.pwrite([bytesOf('XYZ')], 3);
      const into = new Uint8Array(6);
      expect(file.pread(into, 0)).toBe(6);
      expect(textOf(into)).toBe('abcXYZ');
      expect(file.stat().nlink).toBe(0);
      const next = create(vfs, path('a'));
      expect(next.stat().size).toBe(0);
      next.close();
      file.close();
    });

    check('list is sorted and without path, realpath leads to the same file', (vfs, path) => {
      expect(vfs.list(directoryIn(path))).toEqual([]);
      for (const file of ['b', 'a', 'c-wal']) create(vfs, path(file)).close();
      expect(vfs.list(directoryIn(path))).toEqual(['a', 'b', 'c-wal']);
      const real = vfs.realpath(path('b'));
      expect(vfs.stat(real)).toEqual(vfs.stat(path('b')));
      expect(vfs.realpath(real)).toBe(real);
      expect(failureOf(() => vfs.realpath(path('none')))).toBe('SOMBRA_IO ENOENT');
      expect(vfs.isNetwork(path('b'))).toBe(false);
    });
  });

  describe(`${name}: locks`, () => {
    const two = (vfs: Vfs, path: (name: string) => string): [VfsFile, VfsFile] => [
      vfs.open(path('a'), { write: true, create: true }),
      vfs.open(path('a'), { write: true }),
    ];

    check('they are available', (vfs) => {
      expect(vfs.locksAvailable).toBe(true);
    });

    check('shared locks share, an exclusive one does not', (vfs, path) => {
      const [a, b] = two(vfs, path);
      expect([a.tryLock(FAR, 1, 'shared'), b.tryLock(FAR, 1, 'shared')]).toEqual([true, true]);
      expect([a.tryLock(FAR, 1, 'exclusive'), b.tryLock(FAR, 1, 'exclusive')]).toEqual([false, false]);
      b.unlock(FAR, 1);
      expect([a.tryLock(FAR, 1, 'exclusive'), b.tryLock(FAR, 1, 'shared'), b.tryLock(FAR, 1, 'exclusive')]).toEqual([
        true,
        false,
        false,
      ]);
      expect([a.tryLock(FAR, 1, 'shared'), b.tryLock(FAR, 1, 'shared')]).toEqual([true, true]);
      a.close();
      b.close();
    });

    check('bytes are independent, also far beyond the end', (vfs, path) => {
      const [a, b] = two(vfs, path);
      const last = 2 ** 53 - 2;
      for (const at of [0, 1, FAR, FAR + 1, FAR + 79, last]) expect(a.tryLock(at, 1, 'exclusive')).toBe(true);
      for (const at of [0, 1, FAR, FAR + 1, FAR + 79, last]) expect(b.tryLock(at, 1, 'shared')).toBe(false);
      for (const at of [2, FAR - 1, FAR + 2, FAR + 78, FAR + 80]) expect(b.tryLock(at, 1, 'exclusive')).toBe(true);
      expect(a.stat().size).toBe(0);
      a.close();
      b.close();
    });

    check('a part of a range can be given back', (vfs, path) => {
      const [a, b] = two(vfs, path);
      expect(a.tryLock(FAR, 10, 'exclusive')).toBe(true);
      expect(b.tryLock(FAR + 9, 5, 'shared')).toBe(false);
      a.unlock(FAR + 3, 4);
      const taken = Array.from({ length: 10 }, (_, byte) => b.tryLock(FAR + byte, 1, 'exclusive'));
      expect(taken).toEqual([false, false, false, true, true, true, true, false, false, false]);
      expect(a.tryLock(FAR, 10, 'shared')).toBe(false);
      b.unlock(FAR, 10);
      expect(a.tryLock(FAR, 10, 'shared')).toBe(true);
      expect(b.tryLock(FAR, 10, 'shared')).toBe(true);
      a.close();
      b.close();
    });

    check('one unlock drops what the descriptor holds, however often it was locked', (vfs, path) => {
      const [a, b] = two(vfs, path);
      expect([a.tryLock(FAR, 1, 'shared'), a.tryLock(FAR, 1, 'shared')]).toEqual([true, true]);
      a.unlock(FAR, 1);
      expect(b.tryLock(FAR, 1, 'exclusive')).toBe(true);
      a.unlock(FAR, 1);
      expect(a.tryLock(FAR, 1, 'shared')).toBe(false);
      a.close();
      b.close();
    });

    check('closing one descriptor drops its locks and no others', async (vfs, path) => {
      const [a, b] = two(vfs, path);
      const c = vfs.open(path('a'), { write: true });
      expect([a.tryLock(FAR, 1, 'exclusive'), b.tryLock(FAR + 1, 1, 'exclusive')]).toEqual([true, true]);
      const sync = a.syncAsync('data');
      a.close();
      expect([c.tryLock(FAR, 1, 'exclusive'), c.tryLock(FAR + 1, 1, 'exclusive')]).toEqual([true, false]);
      b.close();
      expect(c.tryLock(FAR + 1, 1, 'exclusive')).toBe(true);
      c.close();
      await sync;
    });

    check('an exclusive lock needs a descriptor that may write', (vfs, path) => {
      create(vfs, path('a')).close();
      const reader = vfs.open(path('a'), { write: false });
      expect(failureOf(() => reader.tryLock(FAR, 1, 'exclusive'))).toBe('SOMBRA_IO EBADF');
      expect(reader.tryLock(FAR, 1, 'shared')).toBe(true);
      reader.close();
    });

    check('locks belong to the file, not to its name', (vfs, path) => {
      const [a, b] = two(vfs, path);
      expect(a.tryLock(FAR, 1, 'exclusive')).toBe(true);
      vfs.rename(path('a'), path('b'));
      expect(b.tryLock(FAR, 1, 'shared')).toBe(false);
      const other = create(vfs, path('a'));
      expect(other.tryLock(FAR, 1, 'exclusive')).toBe(true);
      for (const file of [a, b, other]) file.close();
    });
  });

  describe(`${name}: environment`, () => {
    check('clock, randomness, identity', ({ env }) => {
      const [before, wallBefore] = [env.monotonicMs(), env.wallTimeMs()];
      env.sleep(3);
      expect(env.monotonicMs() >= before + 2).toBe(true);
      const wallAfter = env.wallTimeMs();
      expect(wallAfter > wallBefore - 1000).toBe(true);
      expect(env.random(0).length).toBe(0);
      expect(env.random(16).join() === env.random(16).join()).toBe(false);
      expect(env.pid > 0 && env.host !== '').toBe(true);
    });

    check('deferred calls come later, in order', async ({ env }) => {
      const seen: number[] = [];
      const done = new Promise<void>((resolve) => {
        env.defer(() => seen.push(1));
        env.defer(() => seen.push(2));
        env.defer(resolve);
      });
      expect(seen).toEqual([]);
      await done;
      expect(seen).toEqual([1, 2]);
    });

    check('a captured context runs what it is given, once, and passes its result and its error on', ({ env }) => {
      const run = env.captureContext();
      expect(run(() => 7)).toBe(7);
      const error = new RangeError('as it is');
      let thrown: unknown;
      try {
        run(() => {
          throw error;
        });
      } catch (caught) {
        thrown = caught;
      }
      expect(thrown).toBe(error);
    });
  });
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function directoryIn(path: (name: string) => string): string {
  const full = path('x');
  return full === 'x' ? '.' : full.slice(0, -2);
}
