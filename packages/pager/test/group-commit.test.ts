// Goal: transactions that share a sync keep their order, are acknowledged after the sync that covers them and not before, fail together
// with it, and are seen by no other reader before they are published; a crash at any point leaves a prefix with all that was acknowledged.
// Method: a file system that counts and delays syncs; faults; a simulated disk that is crashed at every operation, 64 in flight.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Pager, WriteTransaction } from '../src/index.ts';
import { GROUP_BYTES_MAX, GROUP_COMMITS_MAX } from '../src/writing/group-commit.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { seeds } from './support/random.ts';
import { SlowSyncs } from './support/slow-syncs.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Commits a change in a group, and notes when it is acknowledged. */
function commitLater(pager: Pager, change: (tx: WriteTransaction) => void, done: (lsn: number) => void): Promise<void> {
  const tx = pager.begin();
  change(tx);
  const acknowledged = tx.commitAsync().then(done);
  acknowledged.catch(() => undefined); // the outcome may be awaited later
  return acknowledged;
}

function start(vfs: Vfs = new MemoryVfs()) {
  const slow = new SlowSyncs(vfs);
  const pager = openPager({}, slow);
  const page = write(pager, (tx) => newPage(tx, 1));
  return { slow, pager, page };
}

const setTo = (page: number, value: number) => (tx: WriteTransaction) => tx.setU32(tx.edit(page), 24, value);

describe('a full group', () => {
  test('is made durable by the commit that finds it full, so that no more than 1,024 ever wait', async () => {
    const { slow, pager, page } = start();
    const done: number[] = [];
    const all = Array.from({ length: GROUP_COMMITS_MAX }, (_, at) =>
      commitLater(pager, setTo(page, at), (lsn) => done.push(lsn)),
    );
    await turn(); // the first sync is under way
    expect([pager.isGroupFull, done.length, slow.waiting.length]).toEqual([true, 0, 1]);
    expect(valueOf(pager.view, page)).toBe(1);
    const before = slow.ended;
    all.push(commitLater(pager, setTo(page, 5000), (lsn) => done.push(lsn)));
    expect([slow.ended - before, pager.isGroupFull]).toEqual([1, false]);
    expect(valueOf(pager.view, page)).toBe(5000);
    await Promise.all(all);
    expect(done).toEqual(Array.from({ length: GROUP_COMMITS_MAX + 1 }, (_, at) => 2 + at));
    await slow.deliver();
    pager.close();
  });

  test('is full by its bytes, too', async () => {
    const { slow, pager } = start();
    const all: Promise<void>[] = [];
    let bytes = 0;
    while (!pager.isGroupFull) {
      all.push(
        commitLater(
          pager,
          (tx) => {
            for (let i = 0; i < 900; i += 1) newPage(tx, i);
          },
          () => undefined,
        ),
      );
      bytes += 900 * 4096;
    }
    expect(bytes).toBeLessThan(GROUP_BYTES_MAX + 900 * 4096);
    expect(bytes).toBeGreaterThan(GROUP_BYTES_MAX * 0.9);
    pager.flush();
    expect(pager.isGroupFull).toBe(false);
    await Promise.all(all);
    await slow.deliver();
    pager.close();
  });
});

describe('acknowledged', () => {
  test('in order, each after the sync that covers it, many by one sync', async () => {
    const { slow, pager, page } = start();
    const done: [lsn: number, syncs: number][] = [];
    const before = slow.ended;
    const all = Array.from({ length: 10 }, (_, at) =>
      commitLater(pager, setTo(page, 10 + at), (lsn) => done.push([lsn, slow.ended])),
    );
    await turn();
    expect([slow.waiting.length, done]).toEqual([1, []]);
    // What is appended while that sync runs waits for the next one.
    all.push(commitLater(pager, setTo(page, 20), (lsn) => done.push([lsn, slow.ended])));
    await slow.deliver();
    expect(done).toEqual(Array.from({ length: 10 }, (_, at) => [2 + at, before + 1]));
    await slow.deliver();
    await Promise.all(all);
    expect(done[10]).toEqual([12, before + 2]);
    expect(valueOf(pager.view, page)).toBe(20);
    pager.close();
  });

  test('a transaction that changed nothing waits for what it saw', async () => {
    const { slow, pager, page } = start();
    const done: string[] = [];
    const first = commitLater(pager, setTo(page, 2), () => done.push('change'));
    const second = commitLater(
      pager,
      () => undefined,
      () => done.push('nothing'),
    );
    await turn();
    expect(done).toEqual([]);
    await slow.deliver();
    await Promise.all([first, second]);
    expect(done.sort()).toEqual(['change', 'nothing']);
    pager.close();
  });

  test('a synchronous commit covers what waits, and the late sync does no harm', async () => {
    const { slow, pager, page } = start();
    const done: number[] = [];
    const waiting = [2, 3].map((value) => commitLater(pager, setTo(page, value), (lsn) => done.push(lsn)));
    await turn();
    write(pager, setTo(page, 4));
    expect(valueOf(pager.view, page)).toBe(4);
    await Promise.all(waiting);
    expect(done).toEqual([2, 3]);
    const last = commitLater(pager, setTo(page, 5), (lsn) => done.push(lsn));
    await slow.deliver();
    await slow.deliver();
    await last;
    expect([done, pager.poisoned]).toEqual([[2, 3, 5], false]);
    pager.close();
  });

  test('closing makes durable what waits', async () => {
    const vfs = new MemoryVfs();
    const { slow, pager, page } = start(vfs);
    const done: number[] = [];
    const waiting = [2, 3].map((value) => commitLater(pager, setTo(page, value), (lsn) => done.push(lsn)));
    await turn();
    pager.close();
    await Promise.all(waiting);
    expect(done).toEqual([2, 3]);
    await slow.deliver();
    const again = openPager({}, vfs);
    expect(valueOf(again.view, page)).toBe(3);
    again.close();
  });

  test('over rotations, in any mode', async () => {
    for (const syncMode of ['full', 'normal', 'off'] as const) {
      const vfs = new MemoryVfs();
      const pager = openPager({ syncMode, maxWalSizeMb: 0.05, checkpointAfterBytes: 2 ** 40 }, vfs);
      const pages = write(pager, (tx) => Array.from({ length: 4 }, () => newPage(tx, 0)));
      const lsns: number[] = [];
      const all = Array.from({ length: 40 }, (_, at) =>
        commitLater(
          pager,
          (tx) => tx.setBytes(tx.edit(pages[at % 4]!), 100, new Uint8Array(3000).fill(at), 0, 3000),
          (lsn) => lsns.push(lsn),
        ),
      );
      await Promise.all(all);
      expect(lsns).toEqual(Array.from({ length: 40 }, (_, at) => 2 + at));
      expect(pager.stats().rotations).toBeGreaterThan(5);
      expect(pager.check()).toEqual([]);
      pager.close();
      expect(vfs.list('.')).toEqual(['t.db']);
    }
  });
});

describe('seen', () => {
  test('by no reader before it is published: not by reads, snapshots, other connections or checkpoints; by its own next transaction', async () => {
    const vfs = new MemoryVfs();
    const { slow, pager, page } = start(vfs);
    const other = openPager({}, new MortalVfs(vfs, 100));
    const lsns: number[] = [];
    const wait = [2, 3, 4].map((value) => commitLater(pager, setTo(page, value), (lsn) => lsns.push(lsn)));
    const added = pager.begin();
    const fresh = newPage(added, 9);
    expect(valueOf(added.view, page)).toBe(4);
    wait.push(added.commitAsync().then((lsn) => void lsns.push(lsn)));
    for (let i = 0; i < 3; i += 1) {
      await turn();
      const snapshot = pager.snapshot();
      for (const view of [pager.view, snapshot, other.view]) {
        expect([view.lsn, valueOf(view, page)]).toEqual([1, 1]);
        expect(codeOf(() => view.page(fresh))).toBe('SOMBRA_PAGE_RANGE');
      }
      expect(pager.check()).toEqual([]);
      expect(other.check()).toEqual([]);
      snapshot.release();
    }
    const old = pager.snapshot();
    while (lsns.length < 4) await slow.deliver();
    await Promise.all(wait);
    await turn();
    for (const view of [pager.view, other.view])
      expect([view.lsn, valueOf(view, page), valueOf(view, fresh)]).toEqual([5, 4, 9]);
    expect([old.lsn, valueOf(old, page)]).toEqual([1, 1]);
    old.release();
    pager.close();
    other.close();
  });
});

describe('failed', () => {
  /** Codes with which promises are rejected; 'kept' for those that are not. */
  const outcomes = (promises: Promise<unknown>[]): Promise<string[]> =>
    Promise.all(
      promises.map((promise) =>
        promise.then(
          () => 'kept',
          (error: unknown) => String((error as { code?: unknown }).code),
        ),
      ),
    );

  test('a failed sync rejects everything in doubt, and poisons', async () => {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(vfs);
    const slow = new SlowSyncs(faults);
    const pager = openPager({}, slow);
    const page = write(pager, (tx) => newPage(tx, 1));
    const none = (): undefined => undefined;
    const first = [2, 3].map((value) => commitLater(pager, setTo(page, value), none));
    await slow.deliver();
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    const second = [4, 5, 6].map((value) => commitLater(pager, setTo(page, value), none));
    await turn();
    const third = commitLater(pager, setTo(page, 7), none);
    await slow.deliver();
    expect(await outcomes([...first, ...second, third])).toEqual([
      'kept',
      'kept',
      ...Array<string>(4).fill('SOMBRA_COMMIT_UNKNOWN'),
    ]);
    expect([pager.poisoned, codeOf(() => pager.begin())]).toEqual([true, 'SOMBRA_LOCK_POISONED']);
    const { failed } = faults;
    await turn();
    expect([valueOf(pager.view, page), pager.view.lsn]).toEqual([3, 3]);
    pager.close();
    expect(faults.failed).toBe(failed);
    const again = openPager({}, vfs);
    expect([3, 7]).toContain(valueOf(again.view, page)); // nothing between: the records stand there in one piece
    again.close();
  });

  test('the synchronous sync of a later commit fails: what waits is in doubt with it', async () => {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(vfs);
    const slow = new SlowSyncs(faults);
    const pager = openPager({}, slow);
    const page = write(pager, (tx) => newPage(tx, 1));
    const waiting = [2, 3].map((value) => commitLater(pager, setTo(page, value), () => undefined));
    await turn();
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    expect(codeOf(() => write(pager, setTo(page, 4)))).toBe('SOMBRA_COMMIT_UNKNOWN');
    await slow.deliver(); // the late one succeeds, which proves nothing
    expect(await outcomes(waiting)).toEqual(['SOMBRA_COMMIT_UNKNOWN', 'SOMBRA_COMMIT_UNKNOWN']);
    expect(pager.poisoned).toBe(true);
    pager.close();
  });

  test.each(['exclusive', 'shared'] as const)(
    'another file fails to sync meanwhile: nothing is acknowledged any more (%s)',
    async (locking) => {
      const vfs = new MemoryVfs();
      const faults = new FaultyVfs(vfs);
      const slow = new SlowSyncs(faults);
      const pager = openPager({ locking }, slow);
      const page = write(pager, (tx) => newPage(tx, 1));
      const waiting = [2, 3].map((value) => commitLater(pager, setTo(page, value), () => undefined));
      await turn();
      faults.add({ op: 'sync', file: /^t\.db$/, nth: 1, action: 'EIO' });
      // The checkpoint publishes what waits; what is appended after that is in doubt.
      expect(codeOf(() => pager.checkpoint())).toBe('SOMBRA_SYNC');
      await slow.deliver();
      expect(await outcomes(waiting)).toEqual(['kept', 'kept']);
      expect(codeOf(() => pager.begin())).toBe('SOMBRA_LOCK_POISONED');
      pager.close();
    },
  );

  test('no room for a record: that transaction is rejected, those before it stand, and writing goes on', async () => {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(vfs);
    const slow = new SlowSyncs(faults);
    const pager = openPager({}, slow);
    const page = write(pager, (tx) => newPage(tx, 1));
    const lsns: number[] = [];
    const waiting = [2, 3].map((value) => commitLater(pager, setTo(page, value), (lsn) => lsns.push(lsn)));
    faults.add({ op: 'pwrite', file: /wal/, nth: 1, action: { short: 100 } });
    faults.add({ op: 'pwrite', file: /wal/, nth: 2, action: 'ENOSPC' });
    expect(codeOf(() => void commitLater(pager, setTo(page, 4), () => undefined))).toBe('SOMBRA_DISK_FULL');
    faults.heal();
    waiting.push(commitLater(pager, setTo(page, 5), (lsn) => lsns.push(lsn)));
    while (lsns.length < 3) await slow.deliver();
    await Promise.all(waiting);
    expect([lsns, valueOf(pager.view, page), pager.poisoned]).toEqual([[2, 3, 4], 5, false]);
    expect(pager.check()).toEqual([]);
    pager.close();
    const again = openPager({}, vfs);
    expect([valueOf(again.view, page), again.view.lsn]).toEqual([5, 4]);
    again.close();
  });
});

/** Values of the pages as of each commit. */
type History = ReadonlyMap<number, number>[];

/** 64 transactions in flight, some synchronous commits among them, rotations; each sets two pages, whose sum stays the same. */
async function inFlight(
  pager: Pager,
  pages: readonly number[],
  random: Random,
  history: History,
  acknowledged: (lsn: number) => void,
): Promise<void> {
  const all: Promise<void>[] = [];
  for (let i = 0; i < 64; i += 1) {
    const tx = pager.begin();
    const next = new Map(history[history.length - 1]);
    const [from, to] = [random.pick(pages), random.pick(pages)];
    next.set(from, next.get(from)! - 1);
    next.set(to, next.get(to)! + 1);
    for (const page of [from, to]) tx.setU32(tx.edit(page), 24, next.get(page)!);
    tx.setCounter(0, tx.lsn); // also when nothing else changes
    history.push(next);
    if (random.chance(0.05)) acknowledged(tx.commit());
    else all.push(tx.commitAsync().then(acknowledged));
    if (random.chance(0.1)) await turn();
  }
  await Promise.all(all);
}

test.each(seeds(2))('seed %i: 64 in flight, crashed at every operation', async (seed) => {
  const random = new Random(seed).fork('group');
  const disk = new SimDisk({ seed });
  const options = { maxWalSizeMb: 0.05, checkpointAfterBytes: 2 ** 40, cacheSize: 12 };
  const pager = openPager(options, disk);
  const pages = write(pager, (tx) => Array.from({ length: 5 }, () => newPage(tx, 1000)));
  const history: History = [new Map(), new Map(pages.map((page) => [page, 1000]))];
  let acked = 1;
  let images = 0;
  const judge = (image: SimDisk, where: string): void => {
    images += 1;
    const found = openPager(options, image);
    const { lsn } = found.view;
    if (lsn < acked || lsn >= history.length)
      expect.fail(`${where}: commit ${lsn} is found, ${acked} was acknowledged of ${history.length - 1}`);
    const values = pages.map((page) => valueOf(found.view, page));
    expect([where, values]).toEqual([where, pages.map((page) => history[lsn]!.get(page))]);
    expect([where, found.check(), found.warnings.filter(({ code }) => code !== 'SOMBRA_SUPERBLOCK_SLOT')]).toEqual([
      where,
      [],
      [],
    ]);
    found.close();
  };
  disk.onOperation = (number, operation, path) => {
    const where = `seed ${seed}, before operation ${number} (${operation} ${path})`;
    judge(disk.kill(), `${where}, kill`);
    judge(disk.crash(random.pick(CRASH_POLICIES), random.fork(where)), where);
  };
  await inFlight(pager, pages, random, history, (lsn) => (acked = Math.max(acked, lsn)));
  disk.onOperation = undefined;
  expect(acked).toBe(history.length - 1);
  judge(disk.kill(), 'in the end');
  expect(images).toBeGreaterThan(150);
  pager.close();
});
