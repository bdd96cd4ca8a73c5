// Goal: a database can be looked at in whatever state it is, and no byte of it changes: left behind by a crash at any operation,
// damaged, on read-only media, in use by others, poisoned. What is seen is what recovery would give, and damage is named.
// Method: images of crashes and damaged files; each is looked at with `inspect`, compared before and after, and opened for use
// afterwards where that is possible. Connections on a file system in memory. SOMBRA_SEED replays.
import { MemoryVfs } from '@sombra/vfs';
import { CRASH_POLICIES, FaultyVfs, Random, SimDisk } from '@sombra/vfs/testing';
import { SEGMENT_HEADER_SIZE } from '@sombra/wal';
import { describe, expect, test } from 'vitest';
import { readFileHeader, scanPages } from '../src/index.ts';
import { slotOffset } from '../src/format/superblock.ts';
import { oldest } from './support/damage-judge.ts';
import { damage, load, specimens } from './support/damage.ts';
import type { Files, Specimen } from './support/damage.ts';
import { Life, PATH, TINY } from './support/life.ts';
import { differences, imageOf, look, ReadOnlyVfs } from './support/look.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { compare } from './support/model.ts';
import { codeOf, newPage, openPager, valueOf, write } from './support/open.ts';
import { seeds } from './support/random.ts';
import { SCRIPTS } from './support/scripts.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const [SEED] = seeds(1);
const SPECIMENS = specimens(SEED!);

function specimen(name: string): Specimen {
  return SPECIMENS.find((one) => one.name === name)!;
}

/** The files with one of them changed. */
function changed(files: Files, name: string, change: (bytes: Uint8Array) => void): Files {
  const bytes = files.get(name)!.slice();
  change(bytes);
  return new Map([...files, [name, bytes]]);
}

describe('files that no connection has open', () => {
  test.each(SPECIMENS.map((one) => [one.name, one] as const))('%s: as recovery would find it', (_name, one) => {
    const vfs = load(one.files);
    const { seen } = look(vfs, (pager) => ({
      lsn: pager.view.lsn,
      wrong: compare(pager.view, one.promised.states.get(pager.view.lsn)!),
      problems: [...pager.check(), ...pager.damage, ...pager.warnings],
      shared: pager.shared,
    }));
    expect(seen).toEqual({ lsn: one.promised.newest, wrong: [], problems: [], shared: false });
    const real = openPager({ ...TINY, ...one.options }, vfs);
    expect(real.view.lsn).toBe(seen!.lsn);
    real.close();
  });

  test.each(SCRIPTS)('after a crash: $name', async (script) => {
    const random = new Random(SEED!).fork(script.name);
    const disk = new SimDisk({ seed: SEED! });
    const images: SimDisk[] = [];
    disk.onOperation = (number) => {
      if (number % 16 === 0)
        images.push(random.chance(0.5) ? disk.kill() : disk.crash(random.pick(CRASH_POLICIES), random));
    };
    const life = new Life(disk, script.options ?? {}, SEED!);
    try {
      // What restarts within a script is another matter: the images before it are enough here.
      await script.run(life, () => {
        throw new Error('restarted');
      });
    } catch (error) {
      if ((error as Error).message !== 'restarted') throw error;
    }
    disk.onOperation = undefined;
    for (const image of images.filter((one) => one.stat(PATH) !== null)) {
      const { seen, error } = look(image, (pager) => [pager.view.lsn, pager.check(), pager.damage]);
      expect(error).toBeUndefined();
      const real = openPager({ ...TINY, ...script.options }, image);
      expect(seen).toEqual([real.view.lsn, [], []]);
      real.close();
    }
    life.discard();
  });

  test('damage of any kind is named or harmless, never thrown as anything else, and nothing is changed', () => {
    const random = new Random(SEED!).fork('damage');
    let [opened, refused, noted] = [0, 0, 0];
    for (let i = 0; i < 240; i += 1) {
      const one = SPECIMENS[i % SPECIMENS.length]!;
      const done = damage(one, random.fork(`case ${i}`));
      const { files, file, what } = done;
      const { seen, error } = look(load(files), (pager) => {
        const problems = pager.check();
        const named = problems.length + pager.damage.length + pager.warnings.length > 0;
        const state = one.promised.states.get(pager.view.lsn);
        // With a slot or the log gone, an older commit is seen; a damaged page is never seen.
        const wrong = problems.length > 0 || state === undefined ? [] : compare(pager.view, state);
        return { named, wrong, lsn: pager.view.lsn };
      });
      if (seen === undefined) refused += 1;
      else opened += 1;
      if (seen?.named === true) noted += 1;
      expect([i, file, what, seen?.wrong ?? [], error?.code ?? '']).toEqual([i, file, what, [], error?.code ?? '']);
      // Damage to the end of the log looks like a write that a crash tore (rule F6).
      if (seen?.named === false) {
        const oldEnough = seen.lsn >= oldest(one, done) && seen.lsn <= one.promised.newest;
        expect([i, file, what, seen.lsn, oldEnough]).toEqual([i, file, what, seen.lsn, true]);
      }
    }
    expect(opened).toBeGreaterThan(150);
    expect(noted).toBeGreaterThan(60);
    expect(refused).toBeGreaterThan(5);
  });

  test('while it is inspected no other connection can open it; afterwards any can', () => {
    const vfs = load(specimen('with a log').files);
    look(vfs, () => {
      expect(codeOf(() => openPager({}, vfs))).toBe('SOMBRA_BUSY');
      expect(codeOf(() => openPager({ inspect: true }, vfs))).toBe('SOMBRA_BUSY');
      expect(() => openPager({ busyTimeoutMs: 5 }, vfs)).toThrow(/t\.db is being inspected, by sombra-inspect/);
    });
    openPager(TINY, vfs).close();
    expect(vfs.list('.')).toEqual([PATH]);
  });

  test('what is seen can only be read', () => {
    look(load(specimen('with a log').files), (pager) => {
      expect(pager.readOnly).toBe(true);
      for (const act of [() => pager.begin(), () => pager.checkpoint(), () => pager.bulk()])
        expect(codeOf(act)).toBe('SOMBRA_READ_ONLY');
    });
  });

  test('a file of several names is seen, with a warning', () => {
    const vfs = load(specimen('closed').files);
    vfs.link(PATH, 'other.db');
    expect(look(vfs, ({ warnings }) => warnings.map(({ code }) => code)).seen).toEqual(['SOMBRA_HARD_LINK']);
  });

  test('none is not created', () => {
    const vfs = new MemoryVfs();
    expect(look(vfs, () => undefined).error?.code).toBe('SOMBRA_NOT_FOUND');
  });

  test('in single-process mode no lock file is made', () => {
    const vfs = load(specimen('with a log').files);
    const { seen } = look(vfs, ({ view }) => view.lsn, { locking: 'single-process' });
    expect(seen).toBe(specimen('with a log').promised.newest);
  });
});

describe('damage that recovery refuses', () => {
  const { files, promised, checkpoint } = specimen('with several segments');

  test('in the log: named with its place; the commits before it are seen', () => {
    const damaged = changed(files, 't.db-2-wal', (bytes) => (bytes[2000]! ^= 1));
    const { seen } = look(load(damaged), (pager) => ({
      damage: pager.damage.map(({ code, details }) => [code, details['path'], typeof details['offset']]),
      lsn: pager.view.lsn,
      problems: pager.check(),
      wrong: compare(pager.view, promised.states.get(pager.view.lsn)!),
    }));
    const named = [['SOMBRA_WAL_DAMAGED', 't.db-2-wal', 'number']];
    expect(seen).toMatchObject({ damage: named, problems: [], wrong: [] });
    expect(seen!.lsn).toBeGreaterThan(checkpoint);
    expect(seen!.lsn).toBeLessThan(promised.newest);
  });

  test('the first header of the log cannot be read: the last checkpoint is seen', () => {
    const damaged = changed(files, 't.db-1-wal', (bytes) => bytes.fill(7, 0, 64));
    const { seen } = look(load(damaged), (pager) => [pager.damage.map(({ code }) => code), pager.view.lsn]);
    expect(seen).toEqual([['SOMBRA_WAL_DAMAGED'], checkpoint]);
  });

  test('a copy that was made while a checkpoint wrote it', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    const page = write(pager, (tx) => newPage(tx, 1));
    pager.checkpoint();
    const before = imageOf(vfs).get(PATH)!;
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, 2));
    pager.checkpoint();
    const copy = imageOf(vfs).get(PATH)!.slice();
    copy.set(before.subarray(0, 8192));
    pager.close();
    const { seen } = look(load(new Map([[PATH, copy]])), (one) => ({
      damage: one.damage.map(({ code }) => code),
      problems: one.check().map(({ code, page: at }) => [code, at]),
      warnings: one.warnings.map(({ code }) => code),
    }));
    expect(seen).toEqual({
      damage: ['SOMBRA_PAGE_LSN'],
      problems: [['SOMBRA_PAGE_LSN', page]],
      warnings: ['SOMBRA_WAL_MISSING'],
    });
  });

  test('a file that was cut: the pages that are left are seen', () => {
    const whole = specimen('closed').files.get(PATH)!;
    const { seen } = look(load(new Map([[PATH, whole.slice(0, whole.length - 4096)]])), (pager) => ({
      damage: pager.damage.map(({ code }) => code),
      problems: pager.check().map(({ code, page }) => [code, page]),
    }));
    expect(seen).toEqual({
      damage: ['SOMBRA_FILE_TRUNCATED'],
      problems: [['SOMBRA_FILE_TRUNCATED', whole.length / 4096 - 1]],
    });
  });

  test('an older copy beside a newer log', () => {
    const vfs = load(specimen('closed').files);
    const old = imageOf(vfs).get(PATH)!;
    const pager = openPager(TINY, vfs);
    write(pager, (tx) => newPage(tx, 1));
    pager.checkpoint();
    for (let i = 0; i < 20; i += 1) write(pager, (tx) => newPage(tx, i)); // images: several segments
    pager.checkpoint();
    const left = imageOf(vfs);
    const mixed = load(
      new Map([
        [PATH, old],
        ['t.db-wal', left.get('t.db-wal')!],
      ]),
    );
    expect(look(mixed, ({ damage: met }) => met.map(({ code }) => code)).seen).toEqual(['SOMBRA_RESTORE_MISMATCH']);
    pager.close();
  });
});

describe('a file that cannot be opened even so', () => {
  const whole = specimen('closed').files.get(PATH)!;

  test('its header is read slot by slot', () => {
    const vfs = load(new Map([[PATH, whole]]));
    const { slots, newest, size } = readFileHeader(vfs, PATH);
    expect([slots.map(({ state, offset }) => [state, offset]), size]).toEqual([
      [
        ['valid', 0],
        ['valid', 4096],
      ],
      whole.length,
    ]);
    const one = slotOffset(newest!.sequence);
    const cut = load(new Map([[PATH, whole.map((byte, at) => (at === one + 40 ? byte ^ 1 : byte))]]));
    const other = readFileHeader(cut, PATH);
    expect(other.slots.map(({ state }) => state).sort()).toEqual(['damaged', 'valid']);
    expect(other.newest!.sequence).toBe(newest!.sequence - 1);
    const newer = whole.slice();
    newer[one + 8] = 2;
    expect(readFileHeader(load(new Map([[PATH, newer]])), PATH).slots.map(({ state }) => state)).toContain(
      'newer format',
    );
    expect(readFileHeader(load(new Map([[PATH, new Uint8Array(0)]])), PATH)).toMatchObject({ newest: null, size: 0 });
  });

  test('its pages are looked at one by one', () => {
    const { newest } = readFileHeader(load(new Map([[PATH, whole]])), PATH);
    const roots = 2;
    const broken = whole.slice();
    broken[roots * 4096 + 100]! ^= 1; // the roots page: nothing above it can be found
    broken[4 * 4096 + 100]! ^= 1;
    const vfs = load(new Map([[PATH, broken]]));
    expect(look(vfs, () => undefined).error?.code).toBe('SOMBRA_PAGE_CHECKSUM');
    const scan = scanPages(vfs, PATH, newest!, 100);
    expect(scan.problems.map(({ code, page }) => [code, page])).toEqual([
      ['SOMBRA_PAGE_CHECKSUM', roots],
      ['SOMBRA_PAGE_CHECKSUM', 4],
    ]);
    expect(scan.checkedPages).toBe(newest!.pageCount - roots);
    expect(scanPages(vfs, PATH, newest!, 1)).toMatchObject({ problemCount: 2, problems: [{ page: roots }] });
    const short = load(new Map([[PATH, whole.slice(0, 5 * 4096)]]));
    expect(scanPages(short, PATH, newest!, 100).problems).toMatchObject([{ code: 'SOMBRA_FILE_TRUNCATED', page: 5 }]);
  });
});

describe('read-only media', () => {
  test.each(SPECIMENS.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const vfs = new ReadOnlyVfs(load(one.files));
    const { seen } = look(vfs, (pager) => [pager.view.lsn, pager.check(), pager.damage]);
    expect(seen).toEqual([one.promised.newest, [], []]);
  });

  test('beside others that may write: they wait until the look is over', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({}, vfs);
    const page = write(pager, (tx) => newPage(tx, 1));
    look(new ReadOnlyVfs(vfs), (seen) => {
      expect(valueOf(seen.view, page)).toBe(1);
      expect(codeOf(() => pager.begin())).toBe('SOMBRA_BUSY');
      expect(() => pager.begin(0)).toThrow(/is being inspected/);
    });
    const tx = pager.begin();
    expect(look(new ReadOnlyVfs(vfs), () => 'seen').error?.code).toBe('SOMBRA_BUSY');
    tx.rollback();
    pager.close();
  });
});

describe('beside others', () => {
  test('it joins as a reader: sees every commit, keeps no other connection waiting, and changes neither file nor log', async () => {
    const vfs = new MemoryVfs();
    const writer = openPager({}, new MortalVfs(vfs, 100));
    const page = write(writer, (tx) => newPage(tx, 1));
    const before = imageOf(vfs);
    const seen = openPager({ inspect: true }, new MortalVfs(vfs, 101));
    expect([seen.shared, seen.readOnly, valueOf(seen.view, page), seen.check()]).toEqual([true, true, 1, []]);
    expect(differences(before, imageOf(vfs))).toEqual(['t.db-shm']);
    expect(writer.readers()).toMatchObject([{ pid: 101, lsn: 1 }]);
    write(writer, (tx) => tx.setU32(tx.edit(page), 24, 2));
    expect(writer.checkpoint()).toMatchObject({ lsn: 1, newestLsn: 2 });
    await turn();
    expect(valueOf(seen.view, page)).toBe(2);
    seen.close();
    expect(writer.readers()).toEqual([]);
    writer.close();
    expect(vfs.list('.')).toEqual([PATH]);
  });

  test('it is refused, with the name of the holder, where no other connection is admitted', () => {
    const vfs = new MemoryVfs();
    const pager = openPager({ locking: 'exclusive' }, new MortalVfs(vfs, 100));
    write(pager, (tx) => newPage(tx, 1));
    const { error } = look(vfs, () => undefined);
    expect([error?.code, error?.details['pid']]).toEqual(['SOMBRA_BUSY', 100]);
    pager.close();
  });

  test('a poisoned database is read, with a warning', () => {
    const vfs = new MemoryVfs();
    const faults = new FaultyVfs(new MortalVfs(vfs, 100));
    const pager = openPager({}, faults);
    const page = write(pager, (tx) => newPage(tx, 1));
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    expect(codeOf(() => write(pager, (tx) => tx.setU32(tx.edit(page), 24, 2)))).toBe('SOMBRA_COMMIT_UNKNOWN');
    const seen = openPager({ inspect: true }, new MortalVfs(vfs, 101));
    expect([seen.warnings.map(({ code }) => code), valueOf(seen.view, page), seen.check()]).toEqual([
      ['SOMBRA_LOCK_POISONED'],
      1,
      [],
    ]);
    seen.close();
    pager.close();
    // No connection has it open any more: what recovery would find.
    expect(look(vfs, ({ warnings, view }) => [warnings, [1, 2].includes(valueOf(view, page))]).seen).toEqual([
      [],
      true,
    ]);
  });
});

describe('toLastGood', () => {
  const { files, promised } = specimen('with several segments');
  const names = [...files.keys()].filter((name) => name.endsWith('-wal')).sort();

  test('without damage it changes nothing', () => {
    const pager = openPager({ ...TINY, toLastGood: true }, load(files));
    expect([pager.view.lsn, pager.warnings]).toEqual([promised.newest, []]);
    pager.close();
  });

  test.each(names)('damage in %s: the commits before it, and every byte behind it kept', (name) => {
    const vfs = load(changed(files, name, (bytes) => (bytes[SEGMENT_HEADER_SIZE + 200]! ^= 1)));
    expect(codeOf(() => openPager(TINY, vfs))).toBe('SOMBRA_WAL_DAMAGED');
    const before = imageOf(vfs);
    const pager = openPager({ ...TINY, toLastGood: true }, vfs);
    const { lsn } = pager.view;
    expect(pager.warnings.map(({ code }) => code)).toEqual(['SOMBRA_LOG_GIVEN_UP']);
    expect(compare(pager.view, promised.states.get(lsn)!)).toEqual([]);
    expect(lsn).toBeLessThan(promised.newest);
    const aside = vfs.list('.').filter((one) => one.includes('set-aside'));
    expect(aside.every((one) => pager.warnings[0]!.message.includes(one))).toBe(true);
    pager.close();
    const left = imageOf(vfs);
    const found = Buffer.concat(aside.map((one) => left.get(one)!));
    // Whole segments behind the damage, and the tail of the live one as far as it is not zeros.
    for (const lost of names.slice(names.indexOf(name) + (name === 't.db-wal' ? 0 : 1))) {
      const content = before.get(lost)!;
      const end = content.findLastIndex((byte) => byte !== 0) + 1;
      expect(found.includes(Buffer.from(content.subarray(end - 600, end)))).toBe(true);
    }
    const again = openPager(TINY, vfs);
    expect([again.view.lsn, again.warnings, again.check()]).toEqual([lsn, [], []]);
    again.close();
  });
});
