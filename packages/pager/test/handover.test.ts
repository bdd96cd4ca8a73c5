// Goal: what a connection keeps, and what it gives up, when another one writes, checkpoints, closes or fails at an awkward moment.
// Method: single cases, several connections on one file system in memory, each a process of its own unless the case says otherwise.
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs, SimEnv } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { PagerOptions } from '../src/index.ts';
import type { Pager } from '../src/index.ts';
import { encodeHolder, HOLDER_SIZE, HOLDERS_OFFSET } from '../src/sharing/holders.ts';
import { LOCK_BASE, LOCK_READ, LOCK_READ_SLOTS, LOCK_RECOVER, LOCK_WAIT } from '../src/sharing/locks.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { codeOf, newPage, openPager, SMALL, valueOf, write } from './support/open.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Long enough for a connection to give up WRITE that it kept. */
const untilReleased = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** The details of the error that `run` throws. */
function errorOf(run: () => unknown): { code?: string; message: string; details?: Record<string, unknown> } {
  try {
    run();
  } catch (error) {
    return error as { code?: string; message: string };
  }
  return { message: 'no error' };
}

/** Connections of as many processes. */
function connections(
  count: number,
  options: Partial<PagerOptions> = {},
  vfs = new MemoryVfs(),
): { vfs: MemoryVfs; processes: MortalVfs[]; pagers: Pager[] } {
  const processes = Array.from({ length: count }, (_, at) => new MortalVfs(vfs, 100 + at));
  return { vfs, processes, pagers: processes.map((process) => openPager(options, process)) };
}

function set(pager: Pager, page: number, value: number): void {
  write(pager, (tx) => tx.setU32(tx.edit(page), 24, value));
}

describe('the implicit view', () => {
  test('a view that is older than the newest commit does not hold back the last checkpoint', () => {
    const { vfs, pagers } = connections(2);
    const [a, b] = pagers as [Pager, Pager];
    const page = write(a, (tx) => newPage(tx, 1));
    a.checkpoint();
    expect(valueOf(a.view, page)).toBe(1); // from here on the view of this turn
    set(b, page, 2);
    b.close();
    a.close();
    expect(vfs.list('.')).toEqual(['t.db']);
    const again = openPager({}, vfs);
    expect(valueOf(again.view, page)).toBe(2);
    again.close();
  });

  test('a view that ends its turn while its connection writes is not read on, below what a checkpoint wrote', async () => {
    const { pagers } = connections(2);
    const [a, b] = pagers as [Pager, Pager];
    const pages = write(a, (tx) => Array.from({ length: 12 }, () => newPage(tx, 1)));
    expect(valueOf(a.view, pages[0]!)).toBe(1);
    write(b, (tx) => pages.forEach((page) => tx.setU32(tx.edit(page), 24, 2)));
    const tx = a.begin(); // follows the commit; the view stays for this turn
    expect(valueOf(a.view, pages[1]!)).toBe(1);
    await turn();
    a.checkpoint();
    expect(pages.map((page) => valueOf(a.view, page))).toEqual(pages.map(() => 2));
    tx.rollback();
    a.close();
    b.close();
  });

  test('a tenure that ends within a turn leaves the view as it is, until the turn ends', async () => {
    const { pagers } = connections(2);
    const [a, b] = pagers as [Pager, Pager];
    const page = write(a, (tx) => newPage(tx, 1));
    const tx = a.begin();
    expect(valueOf(a.view, page)).toBe(1);
    tx.rollback(); // WRITE is no longer kept for it
    set(b, page, 2);
    b.checkpoint();
    expect(valueOf(a.view, page)).toBe(1);
    await turn();
    expect(valueOf(a.view, page)).toBe(2);
    a.close();
    b.close();
  });
});

test('a connection waits for WRITE until the last of its callers that wait has had its turn', () => {
  const vfs = new MemoryVfs();
  const pager = openPager({}, new MortalVfs(vfs, 100));
  const probe = vfs.open('t.db', { write: true });
  const isAwaited = (): boolean => {
    const free = probe.tryLock(LOCK_BASE + LOCK_WAIT, 1, 'exclusive');
    if (free) probe.unlock(LOCK_BASE + LOCK_WAIT, 1);
    return !free;
  };
  const [one, two] = [{}, {}];
  pager.waiting(true, one);
  pager.waiting(true, one);
  pager.waiting(true, two);
  pager.waiting(false); // of a third, which does not wait
  pager.waiting(false, one);
  expect(isAwaited()).toBe(true);
  pager.waiting(false, one);
  pager.waiting(false, two);
  expect(isAwaited()).toBe(false);
  probe.close();
  pager.close();
});

describe('snapshots', () => {
  test('a segment stays as long as the index of a snapshot names it, whichever snapshot ends first', () => {
    const { pagers } = connections(2, { maxWalSizeMb: 0.05, checkpointAfterBytes: 2 ** 40 });
    const [writer, reader] = pagers as [Pager, Pager];
    const filler = write(writer, (tx) => newPage(tx, 0));
    const page = write(writer, (tx) => newPage(tx, 1));
    const fill = (value: number): void => {
      for (let i = 0; i < 6; i += 1)
        write(writer, (tx) => tx.setBytes(tx.edit(filler), 100, new Uint8Array(3900).fill(value + i), 0, 3900));
    };
    fill(1); // the image of the page lies in a segment of its own now
    const snapshots = [reader.snapshot()];
    fill(2);
    snapshots.push(reader.snapshot());
    fill(3);
    snapshots.push(reader.snapshot());
    writer.checkpoint(); // as far as the first snapshot
    snapshots[0]!.release();
    fill(4);
    snapshots[1]!.release();
    writer.checkpoint();
    fill(5);
    writer.checkpoint();
    fill(6);
    expect(valueOf(snapshots[2]!, page)).toBe(1);
    expect(valueOf(reader.view, page)).toBe(1);
    snapshots[2]!.release();
    writer.close();
    reader.close();
  });

  test('the mark of an older snapshot stays while a checkpoint that may have passed the next one probes', () => {
    const vfs = new MemoryVfs();
    const process = new MortalVfs(vfs, 100);
    const writer = openPager({}, process);
    const reader = openPager({}, new MortalVfs(vfs, 62));
    const page = write(writer, (tx) => newPage(tx, 1));
    // Its first slot is probed after its second one.
    const other = vfs.open('t.db', { write: true });
    other.tryLock(LOCK_BASE + LOCK_READ + 62, 1, 'exclusive');
    const first = reader.snapshot();
    other.close();
    set(writer, page, 2);
    const second = reader.snapshot();
    set(writer, page, 3);
    const third = reader.snapshot();
    set(writer, page, 4);
    process.onLock = (byte) => {
      if (byte !== LOCK_READ + 63) return;
      // The checkpoint intends to go to commit 4, and has seen that the first slot is free.
      first.release();
      third.release();
    };
    expect(writer.checkpoint().lsn).toBe(1);
    process.onLock = undefined;
    expect(valueOf(second, page)).toBe(2);
    reader.snapshot().release();
    expect(writer.checkpoint().lsn).toBe(2);
    second.release();
    writer.close();
    reader.close();
  });
});

describe('the log', () => {
  test('a rotation counts although there is no room for the record behind it', () => {
    const vfs = new MemoryVfs();
    const process = new MortalVfs(vfs, 100);
    const faults = new FaultyVfs(process);
    const options = { maxWalSizeMb: 0.05, syncMode: 'normal' } as const;
    const a = openPager(options, faults);
    const b = openPager(options, new MortalVfs(vfs, 101));
    const page = write(a, (tx) => newPage(tx, 1));
    const fill = (pager: Pager, value: number): void =>
      write(pager, (tx) => tx.setBytes(tx.edit(page), 100, new Uint8Array(3900).fill(value), 0, 3900));
    let value = 1;
    const segment = (): boolean => vfs.list('.').some((name) => /-\d+-wal$/.test(name));
    process.onCall = (call, path) => {
      if (call === 'rename' && path === 't.db-wal')
        faults.add({ op: 'pwrite', file: /wal\.spare$/, nth: 1, action: 'ENOSPC' });
    };
    const code = codeOf(() => {
      for (; value < 40; value += 1) fill(a, value);
    });
    expect([code, segment()]).toEqual(['SOMBRA_DISK_FULL', true]);
    expect(a.poisoned).toBe(false);
    process.onCall = undefined;
    faults.heal();
    fill(b, 200);
    fill(a, 201);
    expect(b.check()).toEqual([]);
    a.close();
    b.close();
    const again = openPager(options, vfs);
    expect([again.view.lsn, again.cache.bytes[again.view.page(page) + 100]]).toEqual([value + 2, 201]);
    again.close();
  });
});

describe('the holder of a lock', () => {
  test('beside a transaction of another process SOMBRA_BUSY names it', () => {
    const { pagers } = connections(2, { busyTimeoutMs: 5 });
    const [a, b] = pagers as [Pager, Pager];
    const open = a.begin();
    const error = errorOf(() => b.begin());
    expect([error.code, error.details?.['lock'], error.details?.['pid']]).toEqual(['SOMBRA_BUSY', 'WRITE', 100]);
    expect(error.message).toContain('process 100');
    expect(Number(error.details?.['since'])).toBeGreaterThan(0);
    open.rollback();
    b.begin().rollback();
    a.close();
    b.close();
  });

  test('a connection that opens or closes is named, and an exclusive opener learns which others are there', () => {
    const { vfs, pagers } = connections(1);
    const [a] = pagers as [Pager];
    const locks = vfs.open('t.db', { write: true });
    const shm = vfs.open('t.db-shm', { write: true });
    expect(locks.tryLock(LOCK_BASE + LOCK_RECOVER, 1, 'exclusive')).toBe(true);
    const record = encodeHolder({ pid: 777, host: 'elsewhere', since: 1000 });
    expect(record.length).toBe(HOLDER_SIZE);
    shm.pwrite([record], HOLDERS_OFFSET + LOCK_RECOVER * HOLDER_SIZE);
    const error = errorOf(() => openPager({}, new MortalVfs(vfs, 101)));
    expect(error.details).toEqual({ lock: 'RECOVER', pid: 777, host: 'elsewhere', since: 1000 });
    locks.close();
    shm.close();
    const exclusive = errorOf(() => openPager({ locking: 'exclusive' }, new MortalVfs(vfs, 102)));
    expect([exclusive.code, exclusive.details?.['lock'], exclusive.details?.['pid']]).toEqual([
      'SOMBRA_BUSY',
      'PRESENCE',
      100,
    ]);
    a.close();
  });

  test('when all reader slots are taken, the reader of longest standing is named', () => {
    const vfs = new MemoryVfs();
    const readers = Array.from({ length: 64 }, (_, at) => openPager({}, new MortalVfs(vfs, 200 + at)));
    const snapshots = readers.map((reader) => reader.snapshot());
    const others = vfs.open('t.db', { write: true });
    for (let byte = LOCK_READ; byte < LOCK_READ + LOCK_READ_SLOTS; byte += 1)
      others.tryLock(LOCK_BASE + byte, 1, 'exclusive');
    const error = errorOf(() => openPager({}, new MortalVfs(vfs, 300)));
    expect([error.code, error.details?.['lock']]).toEqual(['SOMBRA_BUSY', 'READ']);
    expect(Number(error.details?.['pid'])).toBeGreaterThanOrEqual(200);
    expect(error.message).toContain('all 1024 slots for readers');
    expect(error.message).toContain(`the oldest by process ${String(error.details?.['pid'])}`);
    snapshots[5]!.release();
    const late = openPager({}, new MortalVfs(vfs, 300));
    expect(late.view.lsn).toBe(0);
    others.close();
    for (const pager of [...readers, late]) pager.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('two file system objects of one thread: an idle connection lets go, a busy one is refused at once', () => {
    const vfs = new MemoryVfs();
    const a = openPager({}, new MortalVfs(vfs, 100));
    const b = openPager({ busyTimeoutMs: 60_000 }, new MortalVfs(vfs, 100));
    const page = write(a, (tx) => newPage(tx, 1));
    set(a, page, 2); // the second commit in a row keeps WRITE
    set(b, page, 3);
    const open = a.begin();
    const began = Date.now();
    expect(codeOf(() => b.begin())).toBe('SOMBRA_BUSY');
    expect(Date.now() - began).toBeLessThan(30_000);
    open.rollback();
    a.close();
    b.close();
  });

  test('a dead reader and a dead writer leave nothing locked', async () => {
    const { vfs, processes, pagers } = connections(3);
    const [writer, reader, other] = pagers as [Pager, Pager, Pager];
    const page = write(writer, (tx) => newPage(tx, 1));
    reader.snapshot();
    set(writer, page, 2);
    await untilReleased();
    expect(other.checkpoint()).toMatchObject({ lsn: 1, newestLsn: 2 });
    processes[1]!.die('the checkpoint');
    expect(other.checkpoint()).toMatchObject({ lsn: 2, newestLsn: 2 });
    const open = writer.begin();
    open.setU32(open.edit(page), 24, 3);
    processes[0]!.die('its commit');
    set(other, page, 4);
    expect([valueOf(other.view, page), other.view.lsn]).toEqual([4, 3]);
    other.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('an open transaction is rolled back at its deadline, so that it does not keep others out', () => {
    const env = new SimEnv({ seed: 1 });
    const { pagers } = connections(2, { transactionTimeoutMs: 20 }, new MemoryVfs({ env }));
    const [a, b] = pagers as [Pager, Pager];
    const open = a.begin();
    const page = newPage(open, 1);
    expect(codeOf(() => b.begin())).toBe('SOMBRA_BUSY');
    env.advance(60);
    expect(open.state).toBe('rolled-back');
    expect(codeOf(() => open.edit(page))).toBe('SOMBRA_TRANSACTION_TIMEOUT');
    write(b, (tx) => newPage(tx, 2));
    a.close();
    b.close();
  });
});

describe('files that change while they are open', () => {
  /** All of a file. */
  const contentOf = (vfs: MemoryVfs, path: string): Uint8Array => {
    const file = vfs.open(path, { write: false });
    const bytes = new Uint8Array(file.stat().size);
    file.pread(bytes, 0);
    file.close();
    return bytes;
  };

  test('when main is replaced, writers stop before they write, and reads go on', () => {
    const { vfs, pagers } = connections(2);
    const [a, b] = pagers as [Pager, Pager];
    const page = write(a, (tx) => newPage(tx, 1));
    a.checkpoint();
    const copy = vfs.open('copy.db', { write: true, create: true });
    copy.pwrite([contentOf(vfs, 't.db')], 0);
    copy.close();
    const before = contentOf(vfs, 'copy.db');
    vfs.rename('copy.db', 't.db');
    for (const pager of [a, b]) {
      expect(codeOf(() => pager.begin())).toBe('SOMBRA_DATABASE_MOVED');
      expect(codeOf(() => pager.checkpoint())).toBe('SOMBRA_LOCK_POISONED');
      expect(valueOf(pager.view, page)).toBe(1);
      pager.close();
    }
    expect(Buffer.compare(contentOf(vfs, 't.db'), before)).toBe(0);
  });

  test('when the superblock is another one, or main was cut, writers stop', () => {
    for (const change of ['superblock', 'cut'] as const) {
      const { vfs, pagers } = connections(1);
      const [a] = pagers as [Pager];
      write(a, (tx) => Array.from({ length: 9 }, () => newPage(tx, 1)));
      a.checkpoint();
      const main = vfs.open('t.db', { write: true });
      if (change === 'cut') main.truncate(3 * SMALL.pageSize);
      else {
        const older = connections(1);
        older.pagers[0]!.close();
        main.pwrite([contentOf(older.vfs, 't.db').subarray(0, 8192)], 0);
      }
      main.close();
      expect(codeOf(() => a.begin())).toBe('SOMBRA_DATABASE_MOVED');
      a.close();
    }
  });

  test('when the shm file is removed, existing connections go on, and a new opener gets an error that says so', () => {
    const { vfs, pagers } = connections(2);
    const [a, b] = pagers as [Pager, Pager];
    const page = write(a, (tx) => newPage(tx, 1));
    vfs.unlink('t.db-shm');
    const error = errorOf(() => openPager({}, new MortalVfs(vfs, 150)));
    expect([error.code, error.message.includes('t.db-shm')]).toEqual(['SOMBRA_BUSY', true]);
    set(b, page, 2);
    set(a, page, 3);
    a.close();
    b.close();
    const again = openPager({}, vfs);
    expect(valueOf(again.view, page)).toBe(3);
    again.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });

  test('the synced position in the shm file distinguishes damage of the last commit from a torn one', () => {
    for (const withShm of [true, false]) {
      const { vfs, processes, pagers } = connections(1);
      const [a] = pagers as [Pager];
      const page = write(a, (tx) => newPage(tx, 1));
      set(a, page, 2);
      processes[0]!.die('its next commit');
      const live = vfs.open('t.db-wal', { write: true });
      const bytes = contentOf(vfs, 't.db-wal');
      const last = bytes.findLastIndex((byte) => byte !== 0);
      live.pwrite([Uint8Array.of(bytes[last]! ^ 1)], last);
      live.close();
      if (!withShm) vfs.unlink('t.db-shm');
      if (withShm) expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_WAL_DAMAGED');
      else {
        const recovered = openPager({}, vfs);
        expect(valueOf(recovered.view, page)).toBe(1);
        recovered.close();
      }
    }
  });
});

describe('read-only connections', () => {
  test('they follow writers, keep their snapshots, and may be the last to close', async () => {
    const vfs = new MemoryVfs();
    const writer = openPager({}, new MortalVfs(vfs, 100));
    const page = write(writer, (tx) => newPage(tx, 1));
    const reader = openPager({ readOnly: true }, new MortalVfs(vfs, 101));
    expect(valueOf(reader.view, page)).toBe(1);
    const old = reader.snapshot();
    set(writer, page, 2);
    await turn();
    expect([valueOf(reader.view, page), valueOf(old, page)]).toEqual([2, 1]);
    expect(writer.checkpoint()).toMatchObject({ lsn: 1, newestLsn: 2 });
    writer.close();
    expect([valueOf(reader.view, page), valueOf(old, page)]).toEqual([2, 1]);
    reader.close();
    const again = openPager({}, vfs);
    expect(valueOf(again.view, page)).toBe(2);
    again.close();
    expect(vfs.list('.')).toEqual(['t.db']);
  });
});
