// Goal: the mark of an archive says what was written into it, durably, and whatever cannot be read never lets a segment go.
// Method: marks written and damaged in memory, crashes at every operation of writing one on a simulated disk.
import { MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { CRASH_POLICIES, Random, SimDisk } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { archivedThrough, archiveMarkPath, endArchive, markArchived } from '../src/index.ts';

const PATH = '/graph.db';

function writeMark(vfs: Vfs, text: string): void {
  const file = vfs.open(archiveMarkPath(PATH), { write: true, create: true });
  file.truncate(0);
  file.pwrite([new TextEncoder().encode(text)], 0);
  file.close();
}

describe('the mark', () => {
  test('is what was written last; without one nothing waits', () => {
    const vfs = new MemoryVfs();
    expect(archivedThrough(vfs, PATH)).toBe(Infinity);
    for (const seq of [0, 1, 17, 999_999_999_999_999]) {
      markArchived(vfs, PATH, seq);
      expect(archivedThrough(vfs, PATH)).toBe(seq);
    }
    endArchive(vfs, PATH);
    endArchive(vfs, PATH);
    expect(archivedThrough(vfs, PATH)).toBe(Infinity);
  });

  test.each([-1, 0.5, NaN, 1e15, '3'])('is never %s', (seq) => {
    expect(() => markArchived(new MemoryVfs(), PATH, seq as number)).toThrowError('a segment has a number');
  });

  test.each(['', '\n', 'x', '-3', '1.5', '12x', '0x12', '9'.repeat(16), '9'.repeat(400), '1e3', '\u0000'])(
    'that holds %j counts as nothing archived',
    (text) => {
      const vfs = new MemoryVfs();
      writeMark(vfs, text);
      expect(archivedThrough(vfs, PATH)).toBe(0);
    },
  );

  test('is the old or the new one after a crash anywhere', () => {
    const disk = new SimDisk({ seed: 1 });
    markArchived(disk, PATH, 5);
    const random = new Random(1);
    const found = new Set<number>();
    disk.onOperation = () => {
      for (const policy of CRASH_POLICIES) found.add(archivedThrough(disk.crash(policy, random), PATH));
    };
    markArchived(disk, PATH, 6);
    disk.onOperation = undefined;
    expect([...found].sort()).toEqual([5, 6]);
    expect(archivedThrough(disk.crash({ keep: 'none' }, random), PATH)).toBe(6);
  });
});
