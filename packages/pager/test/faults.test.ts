// Goal: whatever call of the file system fails, the caller gets a typed error, no acknowledged commit is lost, reads stay right,
// and the database stays usable; after a failed sync it says that it is poisoned until it is opened again (rules E1 to E4).
// Method: a life of every kind of operation (support/fault-run.ts) runs once for each call that may fail, and kind of failure.
// After the failing step reads are compared with the model, and the life goes on to its end. SOMBRA_SEED shifts which calls fail.
import { SimDisk } from '@sombra/vfs/testing';
import { expect, test } from 'vitest';
import { runWithFaults } from './support/fault-run.ts';
import { FaultCount, MODES, sweepCalls, sweepSyncs } from './support/fault-sweep.ts';
import { WrappedVfs } from './support/wrapped-vfs.ts';

const FLOOR = 1200;
const seed = Number(process.env['SOMBRA_SEED'] ?? 77);
const count = new FaultCount();

/** Every call where no other connection takes part; a selection where more calls only mean more of the same. */
const strideOf = (mode: string): number => (mode === 'exclusive' ? 1 : 4);

test.each(MODES)('%s: without a fault nothing fails', (_mode, options) => {
  expect(runWithFaults(new WrappedVfs(new SimDisk({ seed })), options, seed, {})).toEqual({
    codes: [],
    poisoned: false,
  });
});

test.each(MODES)('%s: any call fails with EIO', (mode, options) => {
  const codes = sweepCalls({ op: 'any', action: 'EIO' }, options, strideOf(mode), seed, count);
  expect([...codes]).toEqual(expect.arrayContaining(['SOMBRA_IO', 'SOMBRA_SYNC']));
});

test.each(MODES)('%s: the disk is full, once and until space is freed; no commit is in doubt', (mode, options) => {
  const op = ['pwrite', 'truncate', 'open', 'link', 'rename'] as const;
  const file = /^(?!.*-shm)/; // whose blocks are all allocated when it is made
  for (const sticky of [false, true]) {
    const codes = sweepCalls({ op, file, action: 'ENOSPC', sticky }, options, strideOf(mode), seed, count);
    expect(codes).toContain('SOMBRA_DISK_FULL');
    expect(codes).not.toContain('SOMBRA_COMMIT_UNKNOWN');
  }
});

test.each(MODES)('%s: too many open files', (_mode, options) => {
  expect(sweepCalls({ op: 'open', action: 'EMFILE' }, options, 1, seed, count)).toContain('SOMBRA_IO');
});

test.each(MODES)('%s: short reads and writes have no effect', (mode, options) => {
  expect([
    ...sweepCalls({ op: ['pwrite', 'pread'], action: { short: 7 } }, options, 2 * strideOf(mode), seed, count),
  ]).toEqual([]);
});

test.each(MODES)(
  '%s: a failed sync poisons; what is found after opening again stays, also without power',
  (_mode, options) => {
    const before = count.poisoned;
    for (const reached of ['nothing', 'some'] as const) {
      const codes = sweepSyncs(reached, options, seed, count);
      expect([...codes].filter((code) => code !== 'SOMBRA_SYNC' && code !== 'SOMBRA_COMMIT_UNKNOWN')).toEqual([]);
      if (options.syncMode === undefined && options.enableWal !== false)
        expect(codes).toContain('SOMBRA_COMMIT_UNKNOWN');
    }
    expect(count.poisoned - before).toBeGreaterThan(4);
  },
);

test('the floor is reached', () => {
  console.log(`fault runs: ${count.runs}, ${count.poisoned} of them poisoned, ${count.images} power losses after that`);
  expect(count.runs).toBeGreaterThanOrEqual(FLOOR);
});
