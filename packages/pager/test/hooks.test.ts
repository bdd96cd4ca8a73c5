// Goal: hooks report what happens, and one that throws disturbs neither the call that it ran in nor the program.
// Method: an environment that collects warnings: what a hook throws has to turn up there, and nowhere else.
import { MemoryVfs, NodeEnv } from '@sombra/vfs';
import type { EnvWarning } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import type { Pager, PagerHooks } from '../src/index.ts';
import { MortalVfs } from './support/mortal-vfs.ts';
import { newPage, openPager, valueOf, write } from './support/open.ts';

/** Collects warnings. */
class Warned extends NodeEnv {
  readonly warnings: EnvWarning[] = [];
  override warn(warning: EnvWarning): void {
    this.warnings.push(warning);
  }
}

test('commit, rotation, checkpoint and recovery are reported, with figures', () => {
  const told: [string, ...unknown[]][] = [];
  const hooks: PagerHooks = {
    commit: (lsn, pages, logBytes) => told.push(['commit', lsn, pages, logBytes > 0]),
    rotated: (seq) => told.push(['rotated', seq]),
    checkpoint: (lsn, pages, ms) => told.push(['checkpoint', lsn, pages, ms >= 0]),
    recovered: (lsn, commits) => told.push(['recovered', lsn, commits]),
  };
  const pager = openPager({ hooks, maxWalSizeMb: 0.05, checkpointAfterBytes: 1e9, locking: 'exclusive' });
  write(pager, (tx) => [newPage(tx, 1), newPage(tx, 2), newPage(tx, 3)]);
  write(pager, (tx) => [newPage(tx, 4), newPage(tx, 5)]);
  pager.checkpoint();
  pager.close();
  expect(told).toEqual([
    ['recovered', 0, 0],
    ['commit', 1, 3, true],
    ['rotated', 2],
    ['commit', 2, 2, true],
    ['checkpoint', 2, 5, true],
    ['checkpoint', 2, 0, true], // the last one, at close
  ]);
});

test.each(['shared', 'exclusive'] as const)(
  '%s: hooks that throw change nothing, and their errors are not lost',
  (locking) => {
    const env = new Warned();
    const vfs = new MemoryVfs({ env });
    const thrown: string[] = [];
    const fail = (name: string) => (): never => {
      thrown.push(name);
      throw new Error(name);
    };
    const hooks: PagerHooks = {
      commit: fail('commit'),
      rotated: fail('rotated'),
      checkpoint: fail('checkpoint'),
      recovered: fail('recovered'),
      warning: fail('warning'),
    };
    const options = { hooks, locking, maxWalSizeMb: 0.05, checkpointAfterBytes: 1e9 } as const;
    let pager = openPager(options, vfs);
    for (let i = 1; i <= 9; i += 1) {
      const page = write(pager, (tx) => newPage(tx, i));
      expect([valueOf(pager.view, page), pager.view.lsn]).toEqual([i, i]);
    }
    pager.checkpoint();
    pager.close();
    pager = openPager(options, vfs);
    expect(pager.check()).toEqual([]);
    expect(pager.view.lsn).toBe(9);
    pager.close();
    expect(new Set(thrown)).toEqual(new Set(['recovered', 'commit', 'rotated', 'checkpoint']));
    expect(env.warnings.map(({ cause }) => (cause as Error).message)).toEqual(thrown);
    for (const { code, message } of env.warnings) {
      expect(code).toBe('SOMBRA_HOOK_FAILED');
      expect(message).toContain('t.db');
    }
  },
);

describe('the hook of a commit', () => {
  /** A connection whose hook notes what another one sees when it is called. */
  function observed() {
    const memory = new MemoryVfs();
    const faults = new FaultyVfs(new MortalVfs(memory, 100));
    const seen: [lsn: number, published: number][] = [];
    const other = openPager({}, new MortalVfs(memory, 101));
    const hooks: PagerHooks = {
      commit: (lsn) => {
        other.freshen(-1);
        seen.push([lsn, other.view.lsn]);
      },
    };
    const pager = openPager({ hooks }, faults);
    const page = write(pager, (tx) => newPage(tx, 1));
    return { faults, seen, pager, page, other };
  }
  const later = (pager: Pager, page: number, value: number): Promise<number> => {
    const tx = pager.begin();
    tx.setU32(tx.edit(page), 24, value);
    return tx.commitAsync();
  };

  test('is called when other connections see it, alone and in a group, in order', async () => {
    const { seen, pager, page, other } = observed();
    await Promise.all([later(pager, page, 2), later(pager, page, 3)]);
    const covered = later(pager, page, 4);
    write(pager, (tx) => tx.setU32(tx.edit(page), 24, 5));
    await covered;
    expect(seen.map(([lsn]) => lsn)).toEqual([1, 2, 3, 4, 5]);
    for (const [lsn, published] of seen) expect(published).toBeGreaterThanOrEqual(lsn);
    pager.close();
    other.close();
  });

  test.each(['alone', 'in a group'])('is not called for one whose sync fails: %s', async (how) => {
    const { faults, seen, pager, page, other } = observed();
    faults.add({ op: 'sync', file: /wal/, nth: 1, action: 'EIO' });
    if (how === 'alone') expect(() => write(pager, (tx) => tx.setU32(tx.edit(page), 24, 2))).toThrow('commit 2');
    else await expect(later(pager, page, 2)).rejects.toMatchObject({ code: 'SOMBRA_COMMIT_UNKNOWN' });
    expect(seen).toEqual([[1, 1]]);
    pager.close();
    other.close();
  });
});

test('a hook of the last checkpoint may ask for the close that it runs in', () => {
  const env = new Warned();
  const vfs = new MemoryVfs({ env });
  const pager: Pager = openPager({ hooks: { checkpoint: () => pager.close() } }, vfs);
  write(pager, (tx) => newPage(tx, 1));
  pager.close();
  expect([pager.closed, env.warnings]).toEqual([true, []]);
  expect(vfs.list('.')).toEqual(['t.db']);
});
