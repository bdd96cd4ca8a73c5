// Goal: a copy is exactly one commit, whatever is written, checkpointed and freed while it is read; it opens as it is, with a timeline and
// a salt of its own. What is not a whole copy is told by an error. Method: random lives beside their model; copies are read in steps between
// which the life goes on, opened and compared; their bytes are damaged, cut, mixed and given in pieces of any size.
import { CorruptionError, DataError, MemoryVfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { CopyReader, CopyRestore, Pager } from '../src/index.ts';
import { decodeSuperblock } from '../src/format/superblock.ts';
import { bytesOfCopy, examineFile, fileOf } from './support/copies.ts';
import { Life, PATH, TINY } from './support/life.ts';
import { codeOf, newPage, openPager, write } from './support/open.ts';
import { seeds } from './support/random.ts';

/** A life of a few commits with free pages. */
function shortLife(seed: number, options: ConstructorParameters<typeof Life>[1] = {}): Life {
  const life = new Life(new MemoryVfs(), options, seed);
  life.open();
  life.fill(6);
  life.waste(5);
  life.free(2);
  for (let i = 0; i < 3; i += 1) life.commit(6);
  return life;
}

describe.each([{ enableWal: true }, { enableWal: false }, { locking: 'exclusive' as const }])('%j', (options) => {
  test.each(seeds(12))('is one commit, while the life goes on, seed %i', (seed) => {
    const life = shortLife(seed, options);
    const { random, pager } = life;
    for (let round = 0; round < 3; round += 1) {
      const { lsn } = pager.view;
      const { state } = life;
      const copy = pager.copy();
      expect(copy.lsn).toBe(lsn);
      const bytes = bytesOfCopy(copy, 4096 * (1 + random.below(3)), () => {
        if (random.chance(0.3)) life.commit(4);
        if (random.chance(0.1)) life.waste(2);
        if (random.chance(0.1)) life.checkpoint();
      });
      copy.release();
      expect(examineFile(fileOf(bytes), lsn, state)).toEqual([]);
      const reader = new CopyReader('copy');
      reader.push(bytes);
      expect(reader.end()).toMatchObject({ checkpointLsn: lsn, timeline: copy.timeline, clean: true });
      life.commit(5);
    }
    expect(pager.stats().snapshots).toBe(0);
    pager.close();
  });
});

describe('identity', () => {
  test('the database stays the same, timeline and salt are new, and each copy differs', () => {
    const life = shortLife(1);
    const slots = [1, 2].map(() => {
      const copy = life.pager.copy();
      expect(copy.sourceTimeline).toBe(1);
      expect(copy.position).toMatchObject({ seq: expect.any(Number) as number, offset: expect.any(Number) as number });
      const slot = decodeSuperblock(bytesOfCopy(copy, 1 << 16), 0)!;
      copy.release();
      expect(slot.databaseId).toEqual(copy.databaseId);
      return slot;
    });
    const [a, b] = slots as [(typeof slots)[0], (typeof slots)[0]];
    expect(a.databaseId).toEqual(b.databaseId);
    expect(new Set([1, a.timeline, b.timeline]).size).toBe(3);
    expect(a.salt).not.toBe(b.salt);
    life.pager.close();
  });

  test('free pages are empty in it', () => {
    const pager = openPager();
    const secret = new TextEncoder().encode('nobody may read this');
    const page = write(pager, (tx) => {
      const number = newPage(tx, 1);
      tx.setBytes(tx.edit(number), 100, secret, 0, secret.length);
      newPage(tx, 2);
      return number;
    });
    write(pager, (tx) => newPage(tx, 3) && tx.freeUntouched(page) && tx.free(newPage(tx, 4)));
    const copy = pager.copy();
    const bytes = bytesOfCopy(copy, 4096);
    copy.release();
    expect(Buffer.from(bytes).includes(Buffer.from(secret))).toBe(false);
    pager.close();
  });

  test('it ends with its database, and after its release', () => {
    const pager = openPager();
    const [released, open] = [pager.copy(), pager.copy()];
    released.release();
    released.release();
    expect(codeOf(() => released.read(new Uint8Array(4096)))).toBe('SOMBRA_CLOSED');
    expect(codeOf(() => open.read(new Uint8Array(100)))).toBe('SOMBRA_OPTION');
    pager.close();
    expect(codeOf(() => open.read(new Uint8Array(4096)))).toBe('SOMBRA_CLOSED');
    expect(codeOf(() => pager.copy())).toBe('SOMBRA_CLOSED');
  });
});

describe('bytes of a copy', () => {
  const bytesOf = (pageSize: number): Uint8Array => {
    const pager = Pager.open({ vfs: new MemoryVfs(), path: PATH, ...TINY, pageSize });
    for (let i = 0; i < 4; i += 1) write(pager, (tx) => newPage(tx, i));
    const copy = pager.copy();
    const bytes = bytesOfCopy(copy, pageSize);
    copy.release();
    pager.close();
    return bytes;
  };
  const read = (pieces: Iterable<Uint8Array>): number[] => {
    const pages: number[] = [];
    const reader = new CopyReader('copy', (page) => pages.push(page));
    for (const piece of pieces) reader.push(piece);
    reader.end();
    return pages;
  };

  test.each([4096, 8192, 16384, 65536])('are read in pieces of any size, with pages of %i bytes', (pageSize) => {
    const bytes = bytesOf(pageSize);
    const whole = read([bytes]);
    expect(whole).toHaveLength(bytes.length / pageSize - Math.max(1, 8192 / pageSize));
    for (const size of [1000, 4096, 8191, 8192, 10_000, pageSize + 1]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(read(pieces)).toEqual(whole);
    }
  });

  test.each(seeds(200))('damaged, cut, extended or mixed are refused, and restore nothing, seed %i', (seed) => {
    const random = new Random(seed);
    const [bytes, other] = [bytesOf(4096), bytesOf(4096)];
    const pages = bytes.length / 4096;
    const page = 2 + random.below(pages - 2);
    let wrong = bytes.slice();
    switch (seed % 5) {
      case 0: {
        // Of the superblock area, only the slot means anything.
        const at = random.chance(0.2) ? random.below(512) : 8192 + random.below(bytes.length - 8192);
        wrong[at]! ^= 1 << random.below(8);
        break;
      }
      case 1:
        wrong = bytes.slice(0, random.below(bytes.length));
        break;
      case 2:
        wrong = Uint8Array.from([...bytes, ...random.bytes(1 + random.below(8192))]);
        break;
      case 3:
        wrong.set(other.subarray(page * 4096, (page + 1) * 4096), page * 4096);
        break;
      default: {
        const second = 2 + ((page - 2 + 1 + random.below(pages - 3)) % (pages - 2));
        wrong.copyWithin(page * 4096, second * 4096, (second + 1) * 4096);
      }
    }
    const vfs = new MemoryVfs();
    const restore = new CopyRestore(vfs, PATH, 'copy');
    let error: unknown;
    try {
      restore.push(wrong);
      restore.finish();
    } catch (caught) {
      error = caught;
      restore.abandon();
    }
    expect(error instanceof CorruptionError || error instanceof DataError, String(error)).toBe(true);
    expect(vfs.list('.')).toEqual([]);
  });
});

describe('restoring', () => {
  test('gives the same commit with another salt and timeline, and never replaces a file', () => {
    const life = shortLife(3);
    const copy = life.pager.copy();
    const bytes = bytesOfCopy(copy, 1 << 16);
    copy.release();
    const vfs = new MemoryVfs();
    const restore = new CopyRestore(vfs, PATH, 'copy');
    restore.push(bytes);
    const restored = restore.finish();
    restore.abandon();
    expect(vfs.list('.')).toEqual([PATH]);
    expect(restored).toMatchObject({ lsn: copy.lsn, pageCount: copy.pageCount, pageSize: 4096 });
    expect([1, copy.timeline]).not.toContain(restored.timeline);
    expect(examineFile(vfs, copy.lsn, life.state)).toEqual([]);
    expect(codeOf(() => new CopyRestore(vfs, PATH, 'copy'))).toBe('SOMBRA_FILE_EXISTS');
    life.pager.close();
  });
});
