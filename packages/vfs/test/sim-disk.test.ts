// Goal: SimDisk leaves after a power loss what each policy says, and nothing else. Method: small scripts with known
// images; then random scripts against a model that copies whole files at each sync.
import { describe, expect, test } from 'vitest';
import { decodeText, encodeText, pwriteFully } from '../src/index.ts';
import type { Vfs, VfsFile } from '../src/index.ts';
import { CRASH_POLICIES, failureOf, Random, SECTOR, seeds, SimCrash, SimDisk } from '../src/testing/index.ts';
import type { CrashPolicy, Keep } from '../src/testing/index.ts';

const random = (): Random => new Random(1);

/** Sectors filled with one letter each. */
function sectors(letters: string): Uint8Array {
  const bytes = new Uint8Array(letters.length * SECTOR);
  [...letters].forEach((letter, index) => bytes.fill(letter.charCodeAt(0), index * SECTOR, (index + 1) * SECTOR));
  return bytes;
}

/** A file as letters, one for each sector; `.` for zeros, `?` for a mixture. */
function letters(bytes: Uint8Array | undefined): string {
  if (bytes === undefined) return 'absent';
  let text = '';
  for (let at = 0; at < bytes.length; at += SECTOR) {
    const sector = bytes.subarray(at, at + SECTOR);
    const same = sector.every((byte) => byte === sector[0]);
    text += !same ? '?' : sector[0] === 0 ? '.' : String.fromCharCode(sector[0]!);
  }
  return text;
}

function look(disk: SimDisk, path = 'a'): string {
  return letters(disk.image().get(path));
}

/** A disk with a durable file. */
function diskWith(content: string): { disk: SimDisk; file: VfsFile } {
  const disk = new SimDisk({ seed: 1 });
  const file = disk.open('a', { write: true, create: true });
  pwriteFully(file, sectors(content), 0);
  file.sync('data');
  disk.syncDir('.');
  return { disk, file };
}

/** Every image that a policy leaves, over many seeds, sorted. */
function images(disk: SimDisk, policy: CrashPolicy | Keep, path = 'a', runs = 200): string[] {
  return [
    ...new Set(Array.from({ length: runs }, (_, seed) => look(disk.crash(policy, new Random(seed)), path))),
  ].sort();
}

function combinations(...choices: string[]): string[] {
  return choices
    .reduce<string[]>((texts, choice) => texts.flatMap((text) => [...choice].map((letter) => text + letter)), [''])
    .sort();
}

describe('data', () => {
  test('what is synced stays, under every policy', () => {
    const { disk, file } = diskWith('abc');
    file.pwrite([sectors('x')], SECTOR);
    file.sync('data');
    expect(disk.pending).toEqual([]);
    for (const policy of CRASH_POLICIES) expect(look(disk.crash(policy, random()))).toBe('axc');
  });

  test('none: what no sync covers is gone; all: it is there', () => {
    const { disk, file } = diskWith('abc');
    file.pwrite([sectors('xyz')], SECTOR);
    file.truncate(5 * SECTOR);
    expect(look(disk)).toBe('axyz.');
    expect(images(disk, 'none')).toEqual(['abc']);
    expect(images(disk, 'all')).toEqual(['axyz.']);
  });

  test('prefix: every point of the order, over all files, and only those', () => {
    const { disk, file } = diskWith('ab');
    const other = disk.open('b', { write: true, create: true });
    other.sync('data');
    disk.syncDir('.');
    file.pwrite([sectors('x')], 0);
    other.pwrite([sectors('z')], 0);
    file.pwrite([sectors('y')], SECTOR);
    const seen = new Set(
      Array.from({ length: 100 }, (_, seed) => {
        const left = disk.crash('prefix', new Random(seed));
        return `${look(left)} ${look(left, 'b')}`;
      }),
    );
    expect([...seen].sort()).toEqual(['ab ', 'xb ', 'xb z', 'xy z']);
  });

  test('tornLast: everything but a part of the last write', () => {
    const { disk, file } = diskWith('abcd');
    file.pwrite([sectors('x')], 0);
    file.pwrite([sectors('yz')], 2 * SECTOR);
    expect(images(disk, 'tornLast')).toEqual(['xbcd', 'xbcz', 'xbyd']);
  });

  test('random: any subset of sectors', () => {
    const { disk, file } = diskWith('abc');
    file.pwrite([sectors('xy')], 0);
    file.pwrite([sectors('z')], 2 * SECTOR);
    expect(images(disk, 'random')).toEqual(combinations('ax', 'by', 'cz'));
  });

  test('random: a sector that was written twice is as of any of the three times', () => {
    const { disk, file } = diskWith('a');
    file.pwrite([sectors('x')], 0);
    file.pwrite([sectors('y')], 0);
    expect(images(disk, 'random')).toEqual(['a', 'x', 'y']);
  });

  test('writes tear at multiples of 512 bytes of the file, and nowhere else', () => {
    const { disk, file } = diskWith('aaa');
    file.pwrite([new Uint8Array(SECTOR).fill(120)], 100);
    const seen = new Set(
      Array.from({ length: 100 }, (_, seed) => {
        const bytes = disk.crash('random', new Random(seed)).image().get('a')!;
        const changed = [...bytes.keys()].filter((at) => bytes[at] !== 97);
        return `${changed[0]}-${changed.at(-1)} ${changed.length}`;
      }),
    );
    expect([...seen].sort()).toEqual(['100-511 412', '100-611 512', '512-611 100', 'undefined-undefined 0'].sort());
  });

  test('a chosen subset: what a function says', () => {
    const { disk, file } = diskWith('ab');
    file.pwrite([sectors('xy')], 0);
    file.truncate(3 * SECTOR);
    expect(disk.pending.map(({ kind, path, parts }) => [kind, path, parts])).toEqual([
      ['write', 'a', 2],
      ['truncate', 'a', 1],
    ]);
    const left = disk.crash(
      (operation, index, part) => (operation.kind === 'truncate' ? index === 1 : part === 1),
      random(),
    );
    expect(look(left)).toBe('ay.');
  });

  test('a sync covers its own file only', () => {
    const { disk, file } = diskWith('a');
    const other = disk.open('b', { write: true, create: true });
    disk.syncDir('.');
    file.pwrite([sectors('x')], 0);
    other.pwrite([sectors('y')], 0);
    other.sync('full');
    const left = disk.crash('none', random());
    expect([look(left), look(left, 'b')]).toEqual(['a', 'y']);
  });

  test('an asynchronous sync covers what was written before it, once it resolves', async () => {
    const { disk, file } = diskWith('ab');
    file.pwrite([sectors('x')], 0);
    const sync = file.syncAsync('data');
    file.pwrite([sectors('y')], SECTOR);
    expect(images(disk, 'none')).toEqual(['ab']);
    await sync;
    expect(images(disk, 'none')).toEqual(['xb']);
    file.sync('data');
    expect(images(disk, 'none')).toEqual(['xy']);
  });
});

describe('size kept, data lost', () => {
  test.each<[CrashPolicy, string[]]>([
    [{ keep: 'none' }, ['ab']],
    [{ keep: 'none', lost: 'zeros' }, ['ab..']],
    [{ keep: 'none', lost: 'noise' }, ['ab??']],
    [{ keep: 'random' }, ['ab', 'ab.z', 'aby', 'abyz', 'xb', 'xb.z', 'xby', 'xbyz']],
    [{ keep: 'random', lost: 'zeros' }, combinations('ax', 'b', '.y', '.z')],
    [{ keep: 'random', lost: 'noise' }, combinations('ax', 'b', '?y', '?z')],
  ])('%j', (policy, expected) => {
    const { disk, file } = diskWith('ab');
    file.pwrite([sectors('x')], 0);
    file.pwrite([sectors('yz')], 2 * SECTOR);
    expect(images(disk, policy)).toEqual(expected);
  });

  test('zeros of an extension that was lost', () => {
    const { disk, file } = diskWith('ab');
    file.truncate(4 * SECTOR);
    expect(images(disk, { keep: 'none', lost: 'zeros' })).toEqual(['ab..']);
    expect(images(disk, { keep: 'none' })).toEqual(['ab']);
    file.sync('data');
    file.truncate(SECTOR);
    expect(images(disk, { keep: 'none', lost: 'noise' })).toEqual(['ab..']);
  });

  test('old bytes: of this file before it was cut, or of another file', () => {
    const { disk, file } = diskWith('abcd');
    file.truncate(SECTOR);
    file.sync('data');
    file.pwrite([sectors('x')], 2 * SECTOR);
    expect(images(disk, { keep: 'none', lost: 'old' })).toEqual(['a.c']);
    const other = disk.open('b', { write: true, create: true });
    other.pwrite([sectors('rst')], 0);
    other.sync('data');
    disk.unlink('b');
    disk.syncDir('.');
    expect(images(disk, { keep: 'none', lost: 'old' })).toEqual(['a.c', 'a.t']);
  });
});

describe('names', () => {
  const names = (disk: SimDisk, policy: CrashPolicy | Keep): string[] => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const left = disk.crash(policy, new Random(seed)).image();
      seen.add([...left].map(([path, bytes]) => `${path}=${letters(bytes)}`).join(' '));
    }
    return [...seen].sort();
  };

  test('a new file is absent without a directory sync, even when its data are synced', () => {
    const disk = new SimDisk();
    const file = disk.open('a', { write: true, create: true });
    pwriteFully(file, sectors('a'), 0);
    file.sync('full');
    expect(names(disk, 'none')).toEqual(['']);
    expect(names(disk, { keep: 'none', names: 'kept' })).toEqual(['a=a']);
    expect(names(disk, { keep: 'all', names: 'lost' })).toEqual(['']);
    disk.syncDir('.');
    expect(names(disk, 'none')).toEqual(['a=a']);
  });

  test('a name without data', () => {
    const disk = new SimDisk();
    const file = disk.open('a', { write: true, create: true });
    pwriteFully(file, sectors('a'), 0);
    disk.syncDir('.');
    expect(names(disk, 'none')).toEqual(['a=']);
    expect(names(disk, { keep: 'none', lost: 'zeros' })).toEqual(['a=.']);
  });

  test('unlink undone', () => {
    const { disk } = diskWith('a');
    disk.unlink('a');
    expect([...disk.image().keys()]).toEqual([]);
    expect(names(disk, 'none')).toEqual(['a=a']);
    expect(names(disk, 'all')).toEqual(['']);
    expect(names(disk, { keep: 'none', names: 'random' })).toEqual(['', 'a=a']);
  });

  test('rename undone, with what it replaced', () => {
    const { disk } = diskWith('a');
    pwriteFully(disk.open('b', { write: true, create: true }), sectors('b'), 0);
    disk.open('b', { write: true }).sync('data');
    disk.syncDir('.');
    disk.rename('a', 'b');
    expect(names(disk, 'none')).toEqual(['a=a b=b']);
    expect(names(disk, { keep: 'none', names: 'random' })).toEqual(['a=a b=b', 'b=a']);
    disk.syncDir('.');
    expect(names(disk, 'none')).toEqual(['b=a']);
  });

  test('an unlink takes the name of its own file only', () => {
    const { disk } = diskWith('a');
    pwriteFully(disk.open('b', { write: true, create: true }), sectors('b'), 0);
    disk.open('b', { write: true }).sync('data');
    disk.syncDir('.');
    disk.rename('b', 'a');
    disk.unlink('a');
    expect(names(disk, { keep: 'none', names: 'random' })).toEqual(['', 'a=a b=b', 'a=b']);
  });

  test('link and unlink are independent: both names, one, the other, none', () => {
    const { disk } = diskWith('a');
    disk.link('a', 'b');
    disk.unlink('a');
    expect(names(disk, { keep: 'all', names: 'random' })).toEqual(['', 'a=a', 'a=a b=a', 'b=a']);
    expect(disk.crash('none', random()).stat('a')!.nlink).toBe(1);
    expect(disk.kill().stat('b')!.nlink).toBe(1);
  });

  test('directories are synced one by one; between them a rename has two halves', () => {
    const { disk } = diskWith('a');
    disk.rename('a', 'dir/a');
    expect(names(disk, { keep: 'all', names: 'random' })).toEqual(['', 'a=a', 'a=a dir/a=a', 'dir/a=a']);
    disk.syncDir('dir');
    expect(names(disk, { keep: 'all', names: 'lost' })).toEqual(['a=a dir/a=a']);
    disk.syncDir('.');
    expect(names(disk, { keep: 'all', names: 'lost' })).toEqual(['dir/a=a']);
  });
});

describe('failed syncs', () => {
  test('what it should have saved is read until the crash, and no later sync saves it', () => {
    const { disk, file } = diskWith('ab');
    file.pwrite([sectors('x')], 0);
    disk.syncFault = () => ({ errno: 'EIO' });
    expect(failureOf(() => file.sync('data'))).toBe('SOMBRA_SYNC EIO');
    disk.syncFault = undefined;
    expect(look(disk)).toBe('xb');
    file.pwrite([sectors('y')], SECTOR);
    file.sync('data');
    expect(look(disk)).toBe('xy');
    for (const policy of CRASH_POLICIES) expect(look(disk.crash(policy, random()))).toBe('ay');
  });

  test('a part may have reached the disk', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed < 60; seed += 1) {
      const disk = new SimDisk({ seed });
      const file = disk.open('a', { write: true, create: true });
      pwriteFully(file, sectors('ab'), 0);
      file.sync('data');
      disk.syncDir('.');
      file.pwrite([sectors('xy')], 0);
      disk.syncFault = () => ({ errno: 'EIO', reached: 'some' });
      failureOf(() => file.sync('data'));
      seen.add(look(disk.crash('all', random())));
    }
    expect([...seen].sort()).toEqual(combinations('ax', 'by'));
  });

  test('directories and asynchronous syncs too; the fault is asked with path and number', async () => {
    const { disk, file } = diskWith('a');
    disk.open('b', { write: true, create: true });
    file.pwrite([sectors('x')], 0);
    const asked: string[] = [];
    disk.syncFault = (path, sync) => {
      asked.push(`${path} ${sync}`);
      return { errno: 'ENOSPC' };
    };
    expect(failureOf(() => disk.syncDir('.'))).toBe('SOMBRA_SYNC ENOSPC');
    await expect(file.syncAsync('data')).rejects.toMatchObject({ code: 'SOMBRA_SYNC', details: { errno: 'ENOSPC' } });
    expect(asked).toEqual(['. 3', 'a 4']);
    expect(disk.syncCount).toBe(4);
    expect([...disk.crash('all', random()).image()].map(([path, bytes]) => `${path}=${letters(bytes)}`)).toEqual([
      'a=a',
    ]);
    expect([...disk.image().keys()]).toEqual(['a', 'b']);
  });
});

describe('stopping', () => {
  /** Eight counted operations. */
  function script(disk: SimDisk): void {
    const file = disk.open('a', { write: true, create: true });
    file.pwrite([sectors('a')], 0);
    file.sync('data');
    disk.syncDir('.');
    file.pread(new Uint8Array(10), 0);
    disk.link('a', 'b');
    disk.rename('b', 'c');
    file.truncate(0);
    disk.unlink('c');
  }

  test('operations that change the disk are counted and announced', () => {
    const disk = new SimDisk();
    const seen: string[] = [];
    disk.onOperation = (count, operation, path) => seen.push(`${count} ${operation} ${path} ${disk.ops}`);
    script(disk);
    expect(seen).toEqual([
      '1 create a 0',
      '2 pwrite a 1',
      '3 sync a 2',
      '4 syncDir . 3',
      '5 link b 4',
      '6 rename c 5',
      '7 truncate a 6',
      '8 unlink c 7',
    ]);
    expect(disk.ops).toBe(8);
  });

  test('crashAt: that operation does not happen, and every later call throws SimCrash', () => {
    for (let at = 1; at <= 9; at += 1) {
      const disk = new SimDisk();
      disk.crashAt = at;
      if (at <= 8) expect(() => script(disk)).toThrow(SimCrash);
      else script(disk);
      expect(disk.ops).toBe(Math.min(at - 1, 8));
    }
    const disk = new SimDisk();
    const file = disk.open('a', { write: true, create: true });
    disk.crashAt = 2;
    const calls: (() => unknown)[] = [
      () => file.pwrite([], 0),
      () => file.pread(new Uint8Array(1), 0),
      () => file.stat(),
      () => file.sync('data'),
      () => file.truncate(0),
      () => file.tryLock(0, 1, 'shared'),
      () => file.unlock(0, 1),
      () => file.close(),
      () => disk.open('a', { write: false }),
      () => disk.stat('a'),
      () => disk.list('.'),
      () => disk.realpath('a'),
      () => disk.link('a', 'b'),
      () => disk.rename('a', 'b'),
      () => disk.unlink('a'),
      () => disk.syncDir('.'),
    ];
    for (const call of calls) expect(call).toThrow(SimCrash);
    expect(disk.ops).toBe(1);
    expect([...disk.crash('all', random()).image().keys()]).toEqual(['a']);
  });

  test('SimCrash is no error of Sombra, and has no code', () => {
    const error = new SimCrash(3);
    expect(error.name).toBe('SimCrash');
    expect('code' in error).toBe(false);
  });

  test('what is in flight ends with SimCrash; timers and deferred calls do not run any more', async () => {
    const { disk, file } = diskWith('a');
    file.pwrite([sectors('x')], 0);
    const sync = file.syncAsync('data');
    let ran = 0;
    disk.env.defer(() => (ran += 1));
    disk.env.setTimer(() => (ran += 1), 5);
    disk.halt();
    await expect(sync).rejects.toBeInstanceOf(SimCrash);
    disk.env.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).toBe(0);
    expect(images(disk, 'none')).toEqual(['a']);
  });

  test('a hook may stop the machine, or fail the call', () => {
    const disk = new SimDisk();
    disk.onOperation = (_, operation) => {
      if (operation === 'sync') throw new Error('from the hook');
      if (operation === 'truncate') disk.halt();
    };
    const file = disk.open('a', { write: true, create: true });
    expect(() => file.sync('data')).toThrow('from the hook');
    file.pwrite([sectors('a')], 0);
    expect(() => file.truncate(0)).toThrow(SimCrash);
    expect(look(disk)).toBe('a');
  });

  test('a deferred call that meets the end of the machine ends there', async () => {
    const disk = new SimDisk();
    const file = disk.open('a', { write: true, create: true });
    disk.env.defer(() => file.sync('data'));
    disk.crashAt = 2;
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => disk.stat('a')).toThrow(SimCrash);
  });
});

describe('the death of the processes', () => {
  test('everything written stays, durable or not; locks are gone', () => {
    const { disk, file } = diskWith('a');
    file.tryLock(7, 1, 'exclusive');
    file.pwrite([sectors('xy')], 0);
    disk.link('a', 'b');
    const next = disk.kill();
    expect([look(next), look(next, 'b'), next.stat('a')!.nlink]).toEqual(['xy', 'xy', 2]);
    expect(next.stat('a')!.ino).toBe(next.stat('b')!.ino);
    expect(next.stat('a')!.dev).not.toBe(disk.stat('a')!.dev);
    const again = next.open('a', { write: true });
    expect(again.tryLock(7, 1, 'exclusive')).toBe(true);
    expect(next.pending).toMatchObject(disk.pending.map(({ kind, path, parts }) => ({ kind, path, parts })));
    expect(images(next, 'none')).toEqual(['a']);
    again.sync('data');
    next.syncDir('.');
    expect([images(next, 'none', 'a'), images(next, 'none', 'b')]).toEqual([['xy'], ['xy']]);
  });

  test('the disk that it was taken from does not change', () => {
    const { disk, file } = diskWith('a');
    file.pwrite([sectors('x')], 0);
    const killed = disk.kill();
    const crashed = disk.crash('all', random());
    for (const other of [killed, crashed]) {
      other.open('a', { write: true }).pwrite([sectors('zz')], 0);
      other.unlink('a');
      other.syncDir('.');
    }
    expect([look(disk), disk.pending.length, images(disk, 'none')[0]]).toEqual(['x', 1, 'a']);
  });

  test('another process: another pid, other random numbers, a later time', () => {
    const disk = new SimDisk({ seed: 3 });
    disk.env.sleep(50);
    for (const next of [disk.kill(), disk.crash('all', random())]) {
      expect(next.env.pid).not.toBe(disk.env.pid);
      expect(next.env.wallTimeMs()).toBe(disk.env.wallTimeMs());
      expect(next.env.random(16)).not.toEqual(new SimDisk({ seed: 3 }).env.random(16));
    }
  });
});

describe('virtual time', () => {
  test('passes in sleep and advance only; timers fire in order', () => {
    const { env } = new SimDisk();
    const start = env.monotonicMs();
    const seen: string[] = [];
    env.setTimer(() => seen.push(`late ${env.monotonicMs() - start}`), 20);
    env.setTimer(() => seen.push(`early ${env.monotonicMs() - start}`), 10);
    env.clearTimer(env.setTimer(() => seen.push('never'), 15));
    env.setTimer(() => env.setTimer(() => seen.push(`nested ${env.monotonicMs() - start}`), 3), 10);
    env.sleep(5);
    expect([seen, env.monotonicMs() - start]).toEqual([[], 5]);
    env.advance(25);
    expect(seen).toEqual(['early 10', 'nested 13', 'late 20']);
    expect(env.monotonicMs() - start).toBe(30);
  });
});

/** What survives for certain, as of the syncs so far. */
class Model {
  /** by inode number */
  readonly durable = new Map<bigint, Uint8Array>();
  readonly durableNames = new Map<string, bigint>();
}

/** Names and contents as text, which compares fast. */
function textOf(files: Iterable<readonly [string, Uint8Array]>): string[] {
  return [...files].map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString('base64')}`);
}

function readAll(vfs: Vfs, path: string): Uint8Array {
  const file = vfs.open(path, { write: false });
  const bytes = new Uint8Array(file.stat().size);
  file.pread(bytes, 0);
  file.close();
  return bytes;
}

/** A random script on a disk; the model follows by reading files back at each sync. */
function play(disk: SimDisk, draws: Random, steps: number): Model {
  const model = new Model();
  const paths = ['a', 'b', 'c'];
  for (let step = 0; step < steps; step += 1) {
    const path = draws.pick(paths);
    const other = draws.pick(paths);
    const there = disk.stat(path);
    const kind = draws.below(10);
    if (there === null) {
      disk.open(path, { write: true, create: true }).close();
    } else if (kind < 4) {
      const file = disk.open(path, { write: true });
      file.pwrite([draws.bytes(1 + draws.below(1500))], draws.below(3000));
      file.close();
    } else if (kind === 4) {
      disk.open(path, { write: true }).truncate(draws.below(4000));
    } else if (kind === 5) {
      disk.unlink(path);
    } else if (kind === 6) {
      disk.rename(path, other);
    } else if (kind === 7) {
      if (disk.stat(other) === null) disk.link(path, other);
    } else if (kind === 8) {
      disk.open(path, { write: true }).sync('data');
      model.durable.set(there.ino, readAll(disk, path));
    } else {
      disk.syncDir('.');
      model.durableNames.clear();
      for (const name of disk.list('.')) model.durableNames.set(name, disk.stat(name)!.ino);
    }
  }
  return model;
}

describe('against a model', () => {
  test('none leaves the last syncs, all leaves everything, for random scripts', () => {
    for (const seed of seeds(60)) {
      const disk = new SimDisk({ seed });
      const model = play(disk, new Random(seed).fork('script'), 60);
      const none = disk.crash('none', new Random(seed));
      const certain = [...model.durableNames].sort();
      const expected = textOf(
        certain.map(([name, ino]) => [name, model.durable.get(ino) ?? new Uint8Array(0)] as const),
      );
      expect(textOf(none.image()), `SOMBRA_SEED=${seed}`).toEqual(expected);
      const all = disk.crash('all', new Random(seed));
      expect(textOf(all.image()), `SOMBRA_SEED=${seed}`).toEqual(textOf(disk.image()));
      expect(textOf(disk.kill().image()), `SOMBRA_SEED=${seed}`).toEqual(textOf(disk.image()));
      const later = disk.kill().crash('none', new Random(seed));
      expect(textOf(later.image()), `SOMBRA_SEED=${seed}`).toEqual(expected);
    }
  });

  test('the same seed: the same disk, trace and images', () => {
    const run = (seed: number): unknown[] => {
      const disk = new SimDisk({ seed });
      disk.syncFault = (_, sync) => (sync % 3 === 0 ? { errno: 'EIO', reached: 'some' } : undefined);
      const draws = new Random(seed).fork('script');
      for (let part = 0; part < 10; part += 1) failureOf(() => play(disk, draws, 10));
      const left = CRASH_POLICIES.map((policy) => textOf(disk.crash(policy, new Random(seed)).image()));
      return [disk.traceHash, disk.ops, textOf(disk.image()), left, disk.env.random(8)];
    };
    for (const seed of seeds(5)) expect(run(seed), `SOMBRA_SEED=${seed}`).toEqual(run(seed));
    expect(run(1)[0]).not.toBe(run(2)[0]);
  });
});

describe('directories that were made', () => {
  /** A file in a directory, both synced as said. */
  function diskWithDirectory(synced: { parent: boolean }): SimDisk {
    const disk = new SimDisk({ seed: 1 });
    disk.mkdir('d');
    if (synced.parent) disk.syncDir('.');
    const file = disk.open('d/a', { write: true, create: true });
    pwriteFully(file, sectors('x'), 0);
    file.sync('data');
    file.close();
    disk.syncDir('d');
    return disk;
  }

  test('are lost with all that is in them, unless the directory above was synced', () => {
    const lost = diskWithDirectory({ parent: false }).crash('none', random());
    expect([lost.stat('d'), look(lost, 'd/a')]).toEqual([null, 'absent']);
    const kept = diskWithDirectory({ parent: true }).crash('none', random());
    expect([kept.stat('d')?.kind, kept.stat('d')?.mode, look(kept, 'd/a')]).toEqual(['directory', 0o700, 'x']);
    expect(look(kept.crash('none', random()), 'd/a')).toBe('x');
  });

  test('stay when only the processes die', () => {
    const next = diskWithDirectory({ parent: false }).kill();
    expect([next.stat('d')?.kind, look(next, 'd/a'), next.list('.')]).toEqual(['directory', 'x', ['d']]);
    expect(look(next.crash('none', random()), 'd/a')).toBe('absent');
  });

  test('may survive by chance', () => {
    const images = [1, 2, 3, 4, 5, 6].map((seed) => {
      const after = diskWithDirectory({ parent: false }).crash('random', new Random(seed));
      return [after.stat('d')?.kind, look(after, 'd/a')].join();
    });
    expect([...new Set(images)].sort()).toEqual([',absent', 'directory,x']);
  });
});

describe('sweeps', () => {
  /** Replaces a file as it should be done, or without a step. */
  function replace(disk: SimDisk, leaveOut: 'nothing' | 'sync' | 'syncDir'): void {
    const file = disk.open('new', { write: true, create: true });
    pwriteFully(file, encodeText('new'.repeat(400)), 0);
    if (leaveOut !== 'sync') file.sync('data');
    file.close();
    disk.rename('new', 'a');
    if (leaveOut !== 'syncDir') disk.syncDir('.');
  }

  /** Crashes before and after every operation, under every policy; images in which the file is neither old nor new, or not new though it was acknowledged. */
  function sweep(leaveOut: 'nothing' | 'sync' | 'syncDir'): string[] {
    const problems = new Set<string>();
    for (let operation = 1; ; operation += 1) {
      const disk = new SimDisk();
      const old = disk.open('a', { write: true, create: true });
      pwriteFully(old, encodeText('old'), 0);
      old.sync('data');
      disk.syncDir('.');
      disk.crashAt = disk.ops + operation;
      let acknowledged = false;
      try {
        replace(disk, leaveOut);
        acknowledged = true;
      } catch (error) {
        if (!(error instanceof SimCrash)) throw error;
      }
      for (const policy of CRASH_POLICIES) {
        for (const seed of [1, 2, 3]) {
          const text = decodeText(disk.crash(policy, new Random(seed)).image().get('a') ?? encodeText('absent'));
          if (text === 'new'.repeat(400)) continue;
          if (text !== 'old') problems.add('damaged');
          else if (acknowledged) problems.add('lost');
        }
      }
      if (acknowledged) return [...problems].sort();
    }
  }

  test('a file that is replaced as it should be is old or new, and new once that was said', () => {
    expect(sweep('nothing')).toEqual([]);
  });

  test('a missing sync of the file is found', () => {
    expect(sweep('sync')).toEqual(['damaged']);
  });

  test('a missing sync of the directory is found', () => {
    expect(sweep('syncDir')).toEqual(['lost']);
  });
});
