// Goal: what only a real file system shows: modes, kinds of files, limits, descriptors. Method: a directory under tmp.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NodeEnv, NodeVfs } from '../src/index.ts';
import { failureOf } from '../src/testing/index.ts';

const vfs = new NodeVfs();
let directory: string;
const path = (name: string): string => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sombra-node-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('modes', () => {
  const umasks = [0o000, 0o022, 0o077, 0o177, 0o777];
  const perms = [0o600, 0o640, 0o644, 0o666, 0o400];
  test.each(umasks.flatMap((umask) => perms.map((perm) => [umask, perm] as const)))(
    'umask %o, perm %o',
    (umask, perm) => {
      const before = process.umask(umask);
      try {
        for (const exclusive of [false, true]) {
          const name = path(`t-${exclusive}`);
          const file = vfs.open(name, { write: true, create: true, exclusive, perm });
          file.pwrite([Uint8Array.of(1)], 0);
          expect(file.stat().mode).toBe(perm);
          file.close();
          expect(statSync(name).mode & 0o7777).toBe(perm);
        }
      } finally {
        process.umask(before);
      }
    },
  );

  test.each(umasks)('a directory has 0700 under umask %o', (umask) => {
    const before = process.umask(umask);
    try {
      vfs.mkdir(path('d'));
      expect(statSync(path('d')).mode & 0o7777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  test('a symbolic link is neither file nor directory', () => {
    mkdirSync(path('d'));
    symlinkSync(path('d'), path('link'));
    expect([vfs.stat(path('link'))!.kind, vfs.stat(path('d'))!.kind]).toEqual(['other', 'directory']);
  });

  test('0600 by default, and a file that exists keeps its mode', () => {
    vfs.open(path('a'), { write: true, create: true }).close();
    expect(statSync(path('a')).mode & 0o7777).toBe(0o600);
    chmodSync(path('a'), 0o660);
    vfs.open(path('a'), { write: true, create: true, perm: 0o600 }).close();
    expect(statSync(path('a')).mode & 0o7777).toBe(0o660);
  });

  test('an operation that this user may not do names the owner to ask', () => {
    mkdirSync(path('closed'));
    writeFileSync(path('closed/a'), 'abc');
    writeFileSync(path('b'), 'abc');
    chmodSync(path('closed/a'), 0o000);
    chmodSync(path('closed'), 0o500);
    const root = process.geteuid!() === 0;
    chmodSync(directory, 0o755);
    if (root) process.seteuid!(65534);
    try {
      expect(failureOf(() => vfs.open(path('closed/a'), { write: true }))).toBe('SOMBRA_PERMISSION EACCES');
      expect(failureOf(() => vfs.open(path('closed/new'), { write: true, create: true }))).toBe(
        'SOMBRA_PERMISSION EACCES',
      );
      expect(failureOf(() => vfs.unlink(path('closed/a')))).toBe('SOMBRA_PERMISSION EACCES');
      expect(failureOf(() => vfs.rename(path('closed/a'), path('closed/c')))).toBe('SOMBRA_PERMISSION EACCES');
    } finally {
      if (root) process.seteuid!(0);
      chmodSync(path('closed'), 0o700);
    }
  });
});

test('the room on the disk of a path, also of one that does not exist yet', () => {
  writeFileSync(path('a'), 'abc');
  const { bsize, blocks } = statfsSync(directory);
  for (const name of ['a', 'new']) {
    const { free, size } = vfs.diskSpace(path(name))!;
    expect(size).toBe(bsize * blocks);
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(size);
  }
  expect(failureOf(() => vfs.diskSpace(path('none/new')))).toBe('SOMBRA_IO ENOENT');
});

describe('kinds of files', () => {
  test('a symbolic link is refused, whatever it leads to; realpath resolves it', () => {
    writeFileSync(path('a'), 'abc');
    symlinkSync(path('a'), path('link'));
    symlinkSync(path('nowhere'), path('dangling'));
    for (const name of ['link', 'dangling']) {
      expect(failureOf(() => vfs.open(path(name), { write: true }))).toBe('SOMBRA_IO ELOOP');
      expect(failureOf(() => vfs.open(path(name), { write: false }))).toBe('SOMBRA_IO ELOOP');
      expect(failureOf(() => vfs.open(path(name), { write: true, create: true }))).toBe('SOMBRA_IO ELOOP');
      expect(failureOf(() => vfs.open(path(name), { write: true, create: true, exclusive: true }))).toBe(
        'SOMBRA_IO EEXIST',
      );
    }
    expect(readdirSync(directory).sort()).toEqual(['a', 'dangling', 'link']);
    expect(vfs.realpath(path('link'))).toBe(vfs.realpath(path('a')));
    expect(failureOf(() => vfs.realpath(path('dangling')))).toBe('SOMBRA_IO ENOENT');
    for (const call of [() => vfs.realpath(path('dangling')), () => vfs.isNetwork(path('dangling'))])
      expect(call).toThrow(`${path('dangling')} is a symbolic link to ${path('nowhere')}, and there is no such file`);
    expect(vfs.stat(path('link'))!.ino).not.toBe(vfs.stat(path('a'))!.ino);
  });

  test('only regular files are opened, and none waits for a pipe', () => {
    mkdirSync(path('dir'));
    execFileSync('mkfifo', [path('pipe')]);
    expect(failureOf(() => vfs.open(path('dir'), { write: true }))).toBe('SOMBRA_IO EISDIR');
    expect(failureOf(() => vfs.open(path('dir'), { write: false }))).toBe('SOMBRA_IO EINVAL');
    expect(failureOf(() => vfs.open(path('pipe'), { write: true }))).toBe('SOMBRA_IO EINVAL');
    expect(failureOf(() => vfs.open(path('pipe'), { write: false }))).toBe('SOMBRA_IO EINVAL');
    expect(failureOf(() => vfs.open('/dev/null', { write: true, create: true }))).toBe('SOMBRA_IO EINVAL');
    expect(openDescriptors(directory)).toEqual([]);
  });

  test('paths that cannot be: a part that is a file, a zero byte, a name too long', () => {
    writeFileSync(path('a'), 'abc');
    expect(failureOf(() => vfs.open(path('a/b'), { write: true, create: true }))).toBe('SOMBRA_IO ENOTDIR');
    expect(failureOf(() => vfs.stat(path('a/b')))).toBe('SOMBRA_IO ENOTDIR');
    expect(failureOf(() => vfs.open(path('a\0b'), { write: true }))).toBe('SOMBRA_IO EINVAL');
    expect(failureOf(() => vfs.open(path('n'.repeat(300)), { write: true, create: true }))).toBe(
      'SOMBRA_IO ENAMETOOLONG',
    );
    expect(failureOf(() => vfs.list(path('none')))).toBe('SOMBRA_IO ENOENT');
    expect(failureOf(() => vfs.syncDir(path('none')))).toBe('SOMBRA_SYNC ENOENT');
  });
});

describe('limits', () => {
  const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;
  test.skipIf(!hasPrlimit)('at the limit of the file size a write is short, then SOMBRA_DISK_FULL', () => {
    const limit = (value: string): unknown =>
      execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${value}:`]);
    const file = vfs.open(path('a'), { write: true, create: true });
    limit('5000');
    try {
      expect(file.pwrite([new Uint8Array(4000), new Uint8Array(4000)], 0)).toBe(5000);
      expect(failureOf(() => file.pwrite([new Uint8Array(1)], 5000))).toBe('SOMBRA_DISK_FULL EFBIG');
      expect(failureOf(() => file.truncate(5001))).toBe('SOMBRA_DISK_FULL EFBIG');
      expect(file.stat().size).toBe(5000);
    } finally {
      limit('unlimited');
      file.close();
    }
  });

  test('many buffers are written in order', () => {
    const file = vfs.open(path('a'), { write: true, create: true });
    const buffers = Array.from({ length: 3000 }, (_, index) => Uint8Array.of(index, index >>> 8));
    let written = 0;
    while (written < 6000) written += file.pwrite(written === 0 ? buffers : buffers.slice(written / 2), written);
    const into = new Uint8Array(6000);
    expect(file.pread(into, 0)).toBe(6000);
    expect(buffers.every(([low, high], index) => into[index * 2] === low && into[index * 2 + 1] === high)).toBe(true);
    file.close();
  });
});

/** Descriptors of this process that lead into a directory. */
function openDescriptors(where: string): number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(where);
      } catch {
        return false; // the descriptor of this very listing
      }
    });
}

describe.skipIf(process.platform !== 'linux')('descriptors', () => {
  test('never 0 to 2, even when they are free', () => {
    closeSync(0);
    try {
      const created = vfs.open(path('a'), { write: true, create: true, exclusive: true, perm: 0o640 });
      created.pwrite([Uint8Array.of(1, 2, 3)], 0);
      const opened = vfs.open(path('a'), { write: false });
      expect(opened.stat()).toEqual(created.stat());
      expect([opened.stat().size, opened.stat().mode]).toEqual([3, 0o640]);
      const descriptors = openDescriptors(directory);
      expect(descriptors.length).toBe(2);
      expect(Math.min(...descriptors)).toBeGreaterThan(2);
      created.close();
      opened.close();
    } finally {
      expect(openSync('/dev/null', 'r')).toBe(0);
    }
  });

  test('nothing leaks, whatever fails', async () => {
    const file = vfs.open(path('a'), { write: true, create: true });
    expect(openDescriptors(directory).length).toBe(1);
    const syncs = [file.syncAsync('data'), file.syncAsync('full')];
    file.close();
    expect(openDescriptors(directory).length).toBe(1);
    await Promise.all(syncs);
    expect(openDescriptors(directory)).toEqual([]);
    vfs.syncDir(directory);
    failureOf(() => vfs.open(path('a'), { write: true, create: true, exclusive: true }));
    expect(openDescriptors(directory)).toEqual([]);
  });
});

describe('environment', () => {
  const env = new NodeEnv();
  /** Timers of this process that keep it alive. */
  const keeping = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

  test('timers fire once, or never when cleared, and keep the process alive only when asked to', async () => {
    let fired = 0;
    const before = keeping();
    env.setTimer(() => (fired += 1), 1);
    env.clearTimer(env.setTimer(() => (fired += 100), 1));
    expect(keeping()).toBe(before);
    const kept = env.setTimer(() => undefined, 1, true);
    expect(keeping()).toBe(before + 1);
    env.clearTimer(kept);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fired).toBe(1);
  });

  test('the environment can be replaced', () => {
    const fixed = Object.assign(new NodeEnv(), { wallTimeMs: () => 42 });
    expect(new NodeVfs({ env: fixed }).env.wallTimeMs()).toBe(42);
    expect(env.pid).toBe(process.pid);
    expect(Math.abs(env.wallTimeMs() - Date.now())).toBeLessThan(60_000);
  });
});
