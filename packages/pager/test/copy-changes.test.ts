// Goal: a copy and the changes that follow it give exactly the commit of the last of them, whatever was written, freed and checkpointed in between; what
// does not follow, is damaged, cut, mixed or of another history is refused, and restores nothing. A commit that was copied is durable when it was
// asked to be. Method: random lives beside their model; chains of copies restored and compared; crashes and errors at every operation.
import { CorruptionError, DataError, MemoryVfs, SombraError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimCrash, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { ChangesReader, CopyRestore, Pager } from '../src/index.ts';
import type { CopyChanges, DatabaseCopy } from '../src/index.ts';
import { bytesOfCopy, examineFile } from './support/copies.ts';
import { Life, PATH } from './support/life.ts';
import type { ModelState } from './support/model.ts';
import { codeOf, openPager, write } from './support/open.ts';
import { seeds } from './support/random.ts';

const STEP = 8 * 4096;

interface Part {
  readonly bytes: Uint8Array;
  readonly pages: number;
  readonly lsn: number;
  readonly state: ModelState;
}

function bytesOfChanges(changes: CopyChanges, between: () => void = () => undefined): Uint8Array {
  const found = [changes.header()];
  const into = new Uint8Array(STEP);
  while (!changes.ended) {
    found.push(into.slice(0, changes.read(into)));
    between();
  }
  return Buffer.concat(found);
}

function fullPart(life: Life, between?: () => void): Part {
  const { state } = life;
  const copy = life.pager.copy();
  const bytes = bytesOfCopy(copy, STEP, between);
  copy.release();
  return { bytes, pages: 0, lsn: copy.lsn, state };
}

function changesPart(life: Life, since: number, between?: () => void): Part {
  const { state } = life;
  const copy = life.pager.copy();
  const changes = copy.changes(since);
  const bytes = bytesOfChanges(changes, between);
  copy.release();
  return { bytes, pages: changes.pages, lsn: copy.lsn, state };
}

function begin(vfs: Vfs, seed: number): Life {
  const life = new Life(vfs, {}, seed);
  life.open();
  life.fill(6);
  life.waste(5);
  life.free(2);
  for (let i = 0; i < 3; i += 1) life.commit(6);
  return life;
}

/** Goes on for a while. */
function live(life: Life): void {
  const { random } = life;
  for (let left = random.below(5); left > 0; left -= 1) {
    const dice = random.below(10);
    if (dice < 5) life.commit(5);
    else if (dice < 6) life.fill(1 + random.below(8));
    else if (dice < 7) life.waste(1 + random.below(6));
    else if (dice < 8 && life.state.pages.size > 3) life.free(2);
    else life.checkpoint();
  }
}

/** @returns the full copy and changes that follow one another */
function chainOf(life: Life, length: number): Part[] {
  const parts = [fullPart(life, () => life.random.chance(0.2) && life.commit(3))];
  for (let i = 1; i < length; i += 1) {
    live(life);
    parts.push(changesPart(life, parts.at(-1)!.lsn, () => life.random.chance(0.2) && life.commit(3)));
  }
  return parts;
}

function pushAll(restore: CopyRestore, [full, ...rest]: readonly Part[], piece = STEP + 100): void {
  const push = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += piece) restore.push(bytes.subarray(at, at + piece));
  };
  push(full!.bytes);
  for (const { bytes, pages } of rest) {
    restore.beginChanges('changes', pages);
    push(bytes);
  }
}

test.each(seeds(60))('a chain is the commit of its last part, at each length, seed %i', (seed) => {
  const life = begin(new MemoryVfs(), seed);
  const parts = chainOf(life, 5);
  for (let length = 1; length <= parts.length; length += 1) {
    const vfs = new MemoryVfs();
    const restore = new CopyRestore(vfs, PATH, 'copy');
    pushAll(restore, parts.slice(0, length), 1 + life.random.below(3 * 4096));
    const { lsn, state } = parts[length - 1]!;
    expect(restore.finish()).toMatchObject({ lsn });
    expect(vfs.list('.')).toEqual([PATH]);
    expect(examineFile(vfs, lsn, state)).toEqual([]);
  }
  life.pager.close();
});

test('only what was written since is in the changes', () => {
  const life = begin(new MemoryVfs(), 2);
  life.fill(60);
  const { lsn } = fullPart(life);
  expect(changesPart(life, lsn).pages).toBe(0);
  life.commit(1);
  expect(changesPart(life, lsn).pages).toBeLessThan(10);
  const copy = life.pager.copy();
  expect(codeOf(() => copy.changes(copy.lsn + 1))).toBe('SOMBRA_OPTION');
  expect(codeOf(() => copy.changes(0).read(new Uint8Array(100)))).toBe('SOMBRA_OPTION');
  const changes = copy.changes(0);
  copy.release();
  expect(codeOf(() => changes.read(new Uint8Array(4096)))).toBe('SOMBRA_CLOSED');
  life.pager.close();
});

test.each(seeds(300))('changes that are damaged, cut, mixed or in another order restore nothing, seed %i', (seed) => {
  const random = new Random(seed);
  const life = begin(new MemoryVfs(), 1 + (seed % 7));
  const parts = [fullPart(life)];
  for (let i = 0; i < 2; i += 1) {
    life.fill(3);
    parts.push(changesPart(life, parts.at(-1)!.lsn));
  }
  const stranger = changesPart(life, parts[1]!.lsn);
  life.pager.close();
  const [full, first, second] = parts as [Part, Part, Part];
  const bytes = second.bytes.slice();
  let wrong: Part[] = [full, first, { ...second, bytes }];
  switch (seed % 8) {
    case 0: {
      // Reserved bytes are under the checksum, those of the slot as well.
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
      break;
    }
    case 1:
      wrong = [full, first, { ...second, bytes: bytes.subarray(0, random.below(bytes.length)) }];
      break;
    case 2:
      wrong = [full, first, { ...second, bytes: Buffer.concat([bytes, bytes.subarray(bytes.length - 4096)]) }];
      break;
    case 3:
      wrong = [full, second];
      break;
    case 4:
      wrong = [full, second, first];
      break;
    case 5:
      wrong = [full, first, first];
      break;
    case 6:
      wrong = [full, first, { ...second, pages: second.pages + 1 }];
      break;
    default:
      // A page of other changes, with another salt.
      bytes.set(stranger.bytes.subarray(1024, 1024 + 4096), 1024);
  }
  const vfs = new MemoryVfs();
  const restore = new CopyRestore(vfs, PATH, 'copy');
  let error: unknown;
  try {
    pushAll(restore, wrong);
    restore.finish();
  } catch (caught) {
    error = caught;
    restore.abandon();
  }
  expect(error instanceof CorruptionError || error instanceof DataError, String(error)).toBe(true);
  expect(vfs.list('.')).toEqual([]);
});

test('changes of another database, or of a newer format, are refused', () => {
  const [life, other] = [begin(new MemoryVfs(), 4), begin(new MemoryVfs(), 4)];
  const full = fullPart(life);
  other.commit(5);
  const restore = new CopyRestore(new MemoryVfs(), PATH, 'copy');
  expect(codeOf(() => pushAll(restore, [full, changesPart(other, full.lsn)]))).toBe('SOMBRA_COPY_INCOMPLETE');
  restore.abandon();
  const reader = new ChangesReader('changes', 0);
  expect(codeOf(() => reader.push(new Uint8Array(1024)))).toBe('SOMBRA_COPY_INCOMPLETE');
  expect(codeOf(() => new ChangesReader('changes', 0).end())).toBe('SOMBRA_COPY_INCOMPLETE');
  life.pager.close();
  other.pager.close();
});

describe('restoring', () => {
  /** What is under the name is the commit, if anything is. */
  function isThere(vfs: Vfs, { lsn, state }: Part): boolean {
    if (vfs.stat(PATH) === null) return false;
    expect(examineFile(vfs, lsn, state)).toEqual([]);
    return true;
  }

  test('a crash at any operation leaves the whole file or none', async () => {
    const life = begin(new MemoryVfs(), 9);
    const parts = chainOf(life, 3);
    const last = parts.at(-1)!;
    life.pager.close();
    let [images, whole] = [0, 0];
    for (const isAsync of [false, true]) {
      for (let step = 1; ; step += 1) {
        const disk = new SimDisk({ seed: step });
        disk.crashAt = disk.ops + step;
        let ended = false;
        try {
          const restore = new CopyRestore(disk, PATH, 'copy');
          pushAll(restore, parts);
          if (isAsync) await restore.finishAsync();
          else restore.finish();
          ended = true;
        } catch (error) {
          expect(error).toBeInstanceOf(SimCrash);
        }
        for (const image of [disk.kill(), ...CRASH_POLICIES.map((policy) => disk.crash(policy, new Random(step)))]) {
          images += 1;
          const found = isThere(image, last);
          if (ended) expect(found, 'a file that was acknowledged').toBe(true);
          whole += Number(found);
        }
        if (ended) break;
      }
    }
    console.log(`restores: ${images} images, ${whole} with a file`);
    expect(images).toBeGreaterThan(100);
    expect(whole).toBeGreaterThan(10);
    expect(whole).toBeLessThan(images);
  });

  test.each(['EIO', 'ENOSPC', 'EMFILE', 'EACCES'])('%s at any call is told, and leaves no file', (action) => {
    const life = begin(new MemoryVfs(), 10);
    const parts = chainOf(life, 3);
    life.pager.close();
    let failures = 0;
    for (let nth = 1; ; nth += 1) {
      const disk = new MemoryVfs();
      const faulty = new FaultyVfs(disk);
      faulty.add({ op: 'any', nth, action });
      let restore: CopyRestore | undefined;
      let error: unknown;
      try {
        restore = new CopyRestore(faulty, PATH, 'copy');
        pushAll(restore, parts);
        restore.finish();
      } catch (caught) {
        error = caught;
      }
      restore?.abandon();
      const [failed] = faulty.failed;
      if (error !== undefined) expect(error).toBeInstanceOf(SombraError);
      else expect(isThere(disk, parts.at(-1)!)).toBe(true);
      if (failed?.op !== 'unlink') expect(disk.list('.').filter((name) => name.includes('.tmp-'))).toEqual([]);
      if (failed === undefined) break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(5);
  });
});

describe('history', () => {
  const copied = <T>(pager: Pager, look: (copy: DatabaseCopy) => T): T => {
    const copy = pager.copy();
    try {
      return look(copy);
    } finally {
      copy.release();
    }
  };

  test('a copy may follow an earlier one, across a close, and not one whose end of the log is elsewhere', () => {
    const vfs = new MemoryVfs();
    const life = begin(vfs, 11);
    const base = copied(life.pager, ({ position }) => position!);
    expect(copied(life.pager, (copy) => copy.mayFollow(base))).toBe(true);
    life.commit(3);
    expect(copied(life.pager, (copy) => copy.mayFollow(base))).toBe(true);
    const here = copied(life.pager, ({ position }) => position!);
    for (const other of [
      { ...here, salt: new Uint8Array(8) },
      { ...here, seq: here.seq + 1 },
      { ...here, offset: here.offset + 8 },
      { ...here, chain: here.chain + 1 },
    ])
      expect(copied(life.pager, (copy) => copy.mayFollow(other))).toBe(false);
    life.close();
    life.open();
    expect(copied(life.pager, (copy) => copy.mayFollow(base))).toBe(true);
    life.commit(3);
    expect(copied(life.pager, (copy) => copy.mayFollow(base))).toBe(true);
    life.pager.close();
  });

  test.each([{ syncMode: 'full' }, { syncMode: 'normal' }, { syncMode: 'off' }, { enableWal: false }] as const)(
    'what was made durable survives a power loss, %j',
    (options) => {
      const disk = new SimDisk({ seed: 3 });
      const life = new Life(disk, options, 12);
      life.open();
      life.fill(4);
      for (let i = 0; i < 3; i += 1) life.commit(4);
      const copy = life.pager.copy();
      const before = disk.ops;
      copy.makeDurable();
      const took = disk.ops - before;
      copy.makeDurable();
      expect(disk.ops - before, 'twice').toBe(took);
      if ('syncMode' in options && options.syncMode === 'full') expect(took).toBe(0);
      else expect(took).toBeGreaterThan(0);
      const { lsn, state } = { lsn: copy.lsn, state: life.state };
      for (const policy of CRASH_POLICIES)
        expect(examineFile(disk.crash(policy, new Random(1)), lsn, state)).toEqual([]);
      copy.release();
      life.commit(4);
      life.pager.close();
    },
  );

  test('nobody who may not write can make it durable, unless it is', () => {
    const vfs = new MemoryVfs();
    const writer = openPager({ vfs, syncMode: 'normal' });
    const reader = Pager.open({ vfs, path: writer.path, readOnly: true });
    write(writer, (tx) => tx.setCounter(1, 5));
    expect(copied(reader, (copy) => codeOf(() => copy.makeDurable()))).toBe('SOMBRA_READ_ONLY');
    copied(writer, (copy) => copy.makeDurable());
    copied(reader, (copy) => copy.makeDurable());
    const tx = writer.begin();
    tx.setCounter(1, 6);
    tx.commit();
    const held = writer.begin();
    expect(copied(reader, (copy) => codeOf(() => copy.makeDurable(0)))).toBe('SOMBRA_READ_ONLY');
    held.rollback();
    reader.close();
    writer.close();
  });
});
