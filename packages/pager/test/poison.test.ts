// Goal: after a failed sync no connection writes, all read on, nothing acknowledged is lost, and opening the database again cures
// it, also while others have it open (rule E1); the successor of a writer that dies before it can report a failure trusts nothing (L5).
// Method: every sync of a script on a simulated disk fails once, and what it should have made durable never reaches the disk; then
// all close, or another connection opens it beside the others, or the one whose sync failed dies; power loss before and after. Single
// cases.
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { seeds } from './support/random.ts';
import { SUCCESSIONS } from './support/successions.ts';
import type { Aftermath } from './support/sync-failures.ts';
import { SlowSyncs } from './support/slow-syncs.ts';
import { syncFailures } from './support/sync-failures.ts';
import { SHM_LATE } from '../src/sharing/shm.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const AFTERMATHS: readonly Aftermath[] = ['close', 'cure', 'die'];

const cases = SUCCESSIONS.flatMap((succession) =>
  AFTERMATHS.map((aftermath) => [succession.name, aftermath, succession] as const),
);

test.each(cases)('%s: a sync fails, then %s', async (_name, aftermath, succession) => {
  const [seed] = seeds(1);
  const count = await syncFailures(succession, aftermath, {
    seed: seed!,
    first: 1 + AFTERMATHS.indexOf(aftermath),
    stride: 2,
  });
  expect(count.failures).toBeGreaterThan(5);
});

describe('beside others', () => {
  /** A connection whose next sync of the log fails, and one of another process. */
  function failing() {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(new MortalVfs(vfs, 100));
    const a = openPager({}, faults);
    const b = openPager({}, new MortalVfs(vfs, 101));
    const page = write(a, (tx) => newPage(tx, 1));
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    expect(codeOf(() => write(a, (tx) => tx.setU32(tx.edit(page), 24, 2)))).toBe('SOMBRA_COMMIT_UNKNOWN');
    return { vfs, faults, a, b, page };
  }

  test('every connection is refused to write, and reads what was published', () => {
    const { a, b, page } = failing();
    for (const pager of [a, b]) {
      expect(codeOf(() => pager.begin())).toBe('SOMBRA_LOCK_POISONED');
      expect(codeOf(() => pager.checkpoint())).toBe('SOMBRA_LOCK_POISONED');
      expect(valueOf(pager.view, page)).toBe(1);
      pager.close();
    }
  });

  test('an opener cures it when no other connection reads or writes; until then it gets an error that says what to do', async () => {
    const { vfs, a, b, page } = failing();
    const snapshot = b.snapshot();
    expect(codeOf(() => openPager({}, new MortalVfs(vfs, 102)))).toBe('SOMBRA_LOCK_POISONED');
    expect(codeOf(() => openPager({ readOnly: true }, new MortalVfs(vfs, 103)))).toBe('SOMBRA_LOCK_POISONED');
    expect(valueOf(snapshot, page)).toBe(1);
    snapshot.release();
    await turn();
    const c = openPager({}, new MortalVfs(vfs, 102));
    const found = valueOf(c.view, page); // whether the commit in doubt is there
    expect([1, 2]).toContain(found);
    await turn();
    expect([valueOf(a.view, page), valueOf(b.view, page)]).toEqual([found, found]);
    write(b, (tx) => tx.setU32(tx.edit(page), 24, 7));
    expect(codeOf(() => a.begin())).toBe('SOMBRA_LOCK_POISONED'); // its descriptors are not to be believed
    await turn();
    expect([valueOf(a.view, page), valueOf(c.view, page)]).toEqual([7, 7]);
    a.close();
    write(c, (tx) => tx.setU32(tx.edit(page), 24, 8));
    b.close();
    c.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('a connection that had it open writes after the cure through new descriptors of its own', async () => {
    const vfs = new MemoryVfs();
    const process = new FaultyVfs(new MortalVfs(vfs, 101));
    const b = openPager({}, process);
    const page = write(b, (tx) => newPage(tx, 1));
    b.checkpoint();
    const faults = new FaultyVfs(new MortalVfs(vfs, 100));
    const a = openPager({}, faults);
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    expect(codeOf(() => write(a, (tx) => tx.setU32(tx.edit(page), 24, 2)))).toBe('SOMBRA_COMMIT_UNKNOWN');
    await turn();
    openPager({}, new MortalVfs(vfs, 102)).close();
    // A descriptor from before would report the failure of others, once.
    let opened = 0;
    const open = process.open.bind(process);
    process.open = (path, mode) => {
      if (path === 't.db' || path === 't.db-wal') opened += 1;
      return open(path, mode);
    };
    write(b, (tx) => tx.setU32(tx.edit(page), 24, 3));
    b.checkpoint();
    expect(opened).toBeGreaterThanOrEqual(2);
    a.close();
    b.close();
  });

  test('a poison mark that cannot be set is no reason to believe: the next holder settles everything', () => {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(new MortalVfs(vfs, 100));
    const a = openPager({}, faults);
    const process = new MortalVfs(vfs, 101);
    const b = openPager({}, process);
    const page = write(a, (tx) => newPage(tx, 1));
    const tx = a.begin();
    tx.setU32(tx.edit(page), 24, 2);
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO', sticky: true });
    faults.add({ op: 'pwrite', file: /shm/, action: 'EIO' });
    expect(codeOf(() => tx.commit())).toBe('SOMBRA_COMMIT_UNKNOWN');
    expect(codeOf(() => a.begin())).toBe('SOMBRA_LOCK_POISONED');
    const shm = vfs.open('t.db-shm', { write: false });
    const words = new Uint8Array(8);
    shm.pread(words, 1024);
    expect([...words.subarray(0, 4)]).toEqual([0, 0, 0, 0]); // not poisoned, as far as anybody can see
    expect(words.subarray(4).some((byte) => byte !== 0)).toBe(true); // but held
    write(b, (next) => next.setU32(next.edit(page), 24, 3));
    expect(valueOf(b.view, page)).toBe(3);
    faults.heal();
    a.close();
    b.close();
  });

  test('a sync that was in flight when its connection gave way fails: the next writer publishes nothing', async () => {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(new MortalVfs(vfs, 100));
    const slow = new SlowSyncs(faults);
    const a = openPager({}, slow);
    const b = openPager({}, new MortalVfs(vfs, 101));
    const page = write(a, (tx) => newPage(tx, 1));
    expect(lateMark(vfs)).toBe(false);
    const waiting = a.begin();
    waiting.setU32(waiting.edit(page), 24, 2);
    const durable = waiting.commitAsync();
    while (slow.waiting.length === 0) await turn();
    b.waiting(true);
    // Each commit lets the connection check whether another waits; it gives way after some milliseconds.
    while (!lateMark(vfs)) write(a, (tx) => tx.setU32(tx.edit(page), 24, 3));
    b.waiting(false);
    expect(await durable).toBe(2); // another sync covered it
    const tx = b.begin();
    tx.setU32(tx.edit(page), 24, 4);
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    await slow.deliver();
    expect(a.poisoned).toBe(true);
    expect(codeOf(() => tx.commit())).toBe('SOMBRA_COMMIT_UNKNOWN');
    expect(valueOf(b.view, page)).toBe(3);
    a.close();
    b.close();
  });
});

/** Does shm say that a sync may fail although its connection does not hold WRITE? */
function lateMark(vfs: MemoryVfs): boolean {
  const word = new Uint8Array(4);
  vfs.open('t.db-shm', { write: false }).pread(word, SHM_LATE);
  return word.some((byte) => byte !== 0);
}
