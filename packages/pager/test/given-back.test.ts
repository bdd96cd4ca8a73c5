// Goal: what an idle connection could not give back it gives back by itself, when the system lets it, without a further call (rule L5).
// Method: two connections on a simulated disk; calls of the first fail around the moment at which it gives something back, and then
// nothing but time passes for it.
import { FaultyVfs, SimDisk } from '@sombra/vfs/testing';
import type { Fault } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import type { PagerWarning } from '../src/index.ts';
import { LOCK_WAIT } from '../src/sharing/locks.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';

const LONG_MS = 10_000;

/** Two processes, of which the first meets faults. */
function beside(options: Parameters<typeof openPager>[0] = {}) {
  const disk = new SimDisk({ seed: 3 });
  const mortal = new MortalVfs(disk, 100);
  const faults = new FaultyVfs(mortal);
  const warnings: PagerWarning[] = [];
  const hooks = { warning: (warning: PagerWarning) => void warnings.push(warning) };
  const a = openPager({ hooks, ...options }, faults);
  const b = openPager({}, new MortalVfs(disk, 101));
  const pass = async (ms: number): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    disk.env.advance(ms);
  };
  return { disk, mortal, faults, warnings, a, b, pass };
}

const refused = (op: Fault['op'], more: Partial<Fault> = {}): Fault => ({ op, action: 'EIO', sticky: true, ...more });
const canWrite = (pager: ReturnType<typeof openPager>): string => codeOf(() => pager.begin(0).rollback());

test('WRITE that the system would not unlock', async () => {
  const { faults, a, b, pass } = beside();
  write(a, (tx) => newPage(tx, 1));
  await pass(10);
  faults.add(refused('unlock'));
  write(a, (tx) => newPage(tx, 2));
  await pass(500);
  expect(canWrite(b)).toBe('SOMBRA_BUSY');
  faults.heal();
  await pass(LONG_MS);
  expect(canWrite(b)).toBe('no error');
  for (const pager of [a, b]) pager.close();
});

test('WRITE that was kept because the check for waiting connections failed', async () => {
  const { disk, mortal, a, b, pass } = beside();
  write(a, (tx) => newPage(tx, 1));
  await pass(10);
  const tx = a.begin();
  newPage(tx, 2);
  disk.env.advance(50); // long enough that it looks whether another one waits
  mortal.onLock = (byte) => {
    if (byte !== LOCK_WAIT) return;
    mortal.onLock = undefined;
    throw Object.assign(new Error('EIO'), { name: 'IoError', code: 'SOMBRA_IO' });
  };
  tx.commit();
  expect(mortal.onLock).toBeUndefined();
  await pass(LONG_MS);
  expect(canWrite(b)).toBe('no error');
  for (const pager of [a, b]) pager.close();
});

test('WRITE of a checkpoint in the background that failed, and whose file would not close', async () => {
  const { faults, warnings, a, b, pass } = beside({ checkpointAfterCommits: 1 });
  write(a, (tx) => newPage(tx, 1));
  faults.add(refused(['pwrite', 'close'], { file: /-dw$/ }));
  await pass(1);
  expect(warnings.map(({ code }) => code)).toContain('SOMBRA_CHECKPOINT_FAILED');
  faults.heal();
  await pass(LONG_MS);
  expect(canWrite(b)).toBe('no error');
  for (const pager of [a, b]) pager.close();
});

test('the mark of a view that has ended', async () => {
  const { faults, warnings, a, b, pass } = beside();
  const page = write(b, (tx) => newPage(tx, 1));
  const change = (value: number): void => write(b, (tx) => tx.setU32(tx.edit(page), 24, value));
  const first = a.snapshot();
  change(2);
  const second = a.snapshot();
  change(3);
  await pass(10);
  faults.add(refused(['pwrite', 'pread', 'lock', 'unlock']));
  first.release(); // the mark of the second cannot be written
  expect(warnings.map(({ code }) => code)).toEqual(['SOMBRA_UPKEEP_FAILED']);
  await pass(500);
  faults.heal();
  await pass(LONG_MS);
  expect(b.readers().map(({ lsn }) => lsn)).toEqual([second.lsn]);
  expect(valueOf(second, page)).toBe(2);
  second.release();
  expect(b.readers()).toEqual([]);
  for (const pager of [a, b]) pager.close();
});

test('a mark that goes with a commit: the commit counts, and nothing is poisoned', async () => {
  const { faults, warnings, a, b, pass } = beside();
  const page = write(a, (tx) => newPage(tx, 1));
  await pass(10);
  expect(valueOf(a.view, page)).toBe(1); // marked until the end of the turn
  faults.add(refused('unlock'));
  write(a, (tx) => tx.setU32(tx.edit(page), 24, 2));
  expect(warnings.length).toBeGreaterThan(0);
  expect(a.poisoned).toBe(false);
  faults.heal();
  await pass(LONG_MS);
  expect(b.readers()).toEqual([]);
  expect(valueOf(b.view, page)).toBe(2);
  for (const pager of [a, b]) pager.close();
});

test('a database that is cured beside others, whose locks would not unlock then, leaves no descriptor', () => {
  const { disk, faults, a, b } = beside();
  const page = write(a, (tx) => newPage(tx, 1));
  faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
  expect(codeOf(() => write(a, (tx) => tx.setU32(tx.edit(page), 24, 2)))).toBe('SOMBRA_COMMIT_UNKNOWN');
  a.close();
  const mortal = new MortalVfs(disk, 102);
  const third = new FaultyVfs(mortal, [refused('unlock', { nth: 1 })]);
  expect(codeOf(() => openPager({}, third))).toBe('SOMBRA_IO');
  expect(mortal.openFiles).toBe(0);
  third.heal();
  const c = openPager({}, third);
  write(c, (tx) => tx.setU32(tx.edit(page), 24, 3));
  expect(valueOf(b.view, page)).toBe(3);
  for (const pager of [b, c]) pager.close();
});
