// Goal: a file system over another one behaves like the one below, and leaves it alone. Method: seeded operations on files and names go
// to it and to a plain copy of the file system below; whatever is read is compared, and the one below at the end. SOMBRA_SEED
// replays.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { CopyOnWriteVfs } from '../src/life/copy-on-write-vfs.ts';
import { differences, imageOf } from './support/look.ts';
import { codeOf } from './support/open.ts';
import { Random, seeds } from './support/random.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const SIZE = 20_000;

function filled(seed: number): MemoryVfs {
  const random = new Random(seed);
  const vfs = new MemoryVfs();
  for (const name of NAMES.slice(0, 3)) {
    const file = vfs.open(name, { write: true, create: true });
    file.pwrite([random.bytes(random.below(SIZE))], 0);
    file.close();
  }
  return vfs;
}

/** One operation on both. */
function act(random: Random, vfs: Vfs, open: Map<string, VfsFile>): unknown {
  const name = random.pick(NAMES);
  const attempt = (run: () => unknown): unknown => {
    try {
      return run();
    } catch (error) {
      return (error as { details: Record<string, unknown> }).details['errno'];
    }
  };
  const file = (): VfsFile => {
    const known = open.get(name) ?? vfs.open(name, { write: true, create: random.chance(0.5) });
    open.set(name, known);
    return known;
  };
  switch (random.below(9)) {
    case 0:
    case 1: {
      const [length, at] = [random.below(9000), random.below(SIZE)];
      return attempt(() => {
        const into = new Uint8Array(length);
        return [file().pread(into, at), Buffer.from(into).toString('base64')];
      });
    }
    case 2:
    case 3: {
      const [bytes, at] = [random.bytes(random.below(9000)), random.below(SIZE)];
      return attempt(() => file().pwrite([bytes.subarray(0, 10), bytes.subarray(10)], at));
    }
    case 4: {
      const size = random.below(SIZE);
      return attempt(() => file().truncate(size));
    }
    case 5: {
      const to = random.pick(NAMES);
      return attempt(() => {
        if (!open.has(name) && !open.has(to)) vfs.rename(name, to);
      });
    }
    case 6:
      return attempt(() => {
        if (!open.has(name)) vfs.unlink(name);
      });
    case 7:
      open.get(name)?.close();
      open.delete(name);
      return [vfs.list('.'), vfs.stat(name)?.size];
    default:
      return attempt(() => {
        open.get(name)?.close();
        open.delete(name);
        vfs.open(name, { write: true, create: true, exclusive: true }).close();
      });
  }
}

test('it behaves like the one below, which does not change', () => {
  for (const seed of seeds(10)) {
    const base = filled(seed);
    const before = imageOf(base);
    const plain = filled(seed);
    const over = new CopyOnWriteVfs(base);
    const [a, b] = [new Map<string, VfsFile>(), new Map<string, VfsFile>()];
    for (let i = 0; i < 300; i += 1) {
      const [left, right] = [new Random(seed).fork(`${i}`), new Random(seed).fork(`${i}`)];
      expect([seed, i, act(left, over, a)]).toEqual([seed, i, act(right, plain, b)]);
    }
    expect(differences(imageOf(over), imageOf(plain))).toEqual([]);
    expect(differences(imageOf(base), before)).toEqual([]);
  }
});

describe('descriptors', () => {
  test('are closed below with the last one here, and refuse what they were not opened for', () => {
    const over = new CopyOnWriteVfs(filled(1));
    const file = over.open('a', { write: false });
    expect(codeOf(() => file.pwrite([new Uint8Array(1)], 0))).toBe('SOMBRA_IO');
    file.close();
    file.close();
    expect(codeOf(() => file.pread(new Uint8Array(1), 0))).toBe('SOMBRA_IO');
    const again = over.open('a', { write: true });
    expect(again.pread(new Uint8Array(4), 0)).toBe(4);
    expect(codeOf(() => again.tryLock(0, 1, 'shared'))).toBe('SOMBRA_INVARIANT');
    again.close();
  });
});
