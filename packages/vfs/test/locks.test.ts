// Goal: locks of NodeVfs hold between processes and end with them. Method: a child process that locks the same file with
// the lock package alone.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NodeVfs } from '../src/index.ts';
import type { LockMode, VfsFile } from '../src/index.ts';
import { nativeLocks } from '../src/node-locks.ts';

const FAR = 2 ** 52;
let directory: string;
let file: VfsFile;
let child: ChildProcess;

async function start(): Promise<ChildProcess> {
  const started = fork(new URL('./support/lock-process.mjs', import.meta.url), [join(directory, 't.db')], {
    execArgv: [],
  });
  const [message] = (await once(started, 'message')) as [unknown];
  expect(message).toBe('ready');
  return started;
}

async function ask(message: { at: number; shared?: boolean; unlock?: boolean }): Promise<unknown> {
  child.send(message);
  const [answer] = (await once(child, 'message')) as [unknown];
  return answer;
}

async function end(signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sombra-locks-'));
  file = new NodeVfs().open(join(directory, 't.db'), { write: true, create: true });
  child = await start();
});

afterEach(async () => {
  if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  file.close();
  rmSync(directory, { recursive: true });
});

describe('two processes', () => {
  test.each<[LockMode, LockMode, boolean]>([
    ['shared', 'shared', true],
    ['shared', 'exclusive', false],
    ['exclusive', 'shared', false],
    ['exclusive', 'exclusive', false],
  ])('%s here, %s there: granted %s, byte by byte', async (here, there, granted) => {
    for (const byte of [0, 1, 2, 16, 79]) expect(file.tryLock(FAR + byte, 1, here)).toBe(true);
    for (const byte of [0, 1, 2, 16, 79])
      expect(await ask({ at: FAR + byte, shared: there === 'shared' })).toBe(granted);
    for (const byte of [3, 15, 17, 80]) expect(await ask({ at: FAR + byte, shared: false })).toBe(true);
    for (const byte of [3, 15, 17, 80]) expect(file.tryLock(FAR + byte, 1, 'shared')).toBe(false);
  });

  test('a byte that is given back, there or here, is free', async () => {
    expect(await ask({ at: FAR, shared: false })).toBe(true);
    expect(file.tryLock(FAR, 1, 'exclusive')).toBe(false);
    expect(await ask({ at: FAR, unlock: true })).toBe(true);
    expect(file.tryLock(FAR, 1, 'exclusive')).toBe(true);
    expect(await ask({ at: FAR, shared: true })).toBe(false);
    file.unlock(FAR, 1);
    expect(await ask({ at: FAR, shared: true })).toBe(true);
  });

  test('SIGKILL frees what the other process held', async () => {
    expect(await ask({ at: FAR + 2, shared: false })).toBe(true);
    expect(file.tryLock(FAR + 2, 1, 'exclusive')).toBe(false);
    await end('SIGKILL');
    expect(file.tryLock(FAR + 2, 1, 'exclusive')).toBe(true);
  });

  test('closing another descriptor of this process frees nothing', async () => {
    expect(file.tryLock(FAR, 1, 'exclusive')).toBe(true);
    new NodeVfs().open(file.path, { write: true }).close();
    expect(await ask({ at: FAR, shared: true })).toBe(false);
  });
});

describe('availability', () => {
  test('no package, no locks', () => {
    const missing = (): never => {
      throw new Error('cannot find module');
    };
    expect(nativeLocks(missing, 'linux')).toBe(null);
    expect(nativeLocks(undefined, 'linux')).not.toBe(null);
  });

  test.each(['darwin', 'win32', 'freebsd'])('none on %s, where the package has no such byte ranges', (platform) => {
    expect(nativeLocks(undefined, platform)).toBe(null);
  });

  test('can be redefined on an instance', () => {
    const vfs = new NodeVfs();
    Object.defineProperty(vfs, 'locksAvailable', { value: false });
    expect(vfs.locksAvailable).toBe(false);
  });
});
