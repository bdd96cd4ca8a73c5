// Goal: in a synchronous loop of tiny transactions the files of the log never exceed maxWalSizeMb by more than one transaction.
// Method: MemoryVfs; the sizes of live, sealed and spare segments are summed up every few commits. A million: log-bound.nightly.ts.
import { MemoryVfs } from '@sombra/vfs';
import { describe, expect, test } from 'vitest';
import { runTightLoop } from './support/tight-loop.ts';

describe('the log in a tight loop', () => {
  test.each([
    ['normal, few pages', { syncMode: 'normal', pages: 3, commits: 50_000 }],
    ['normal, many pages', { syncMode: 'normal', pages: 60, commits: 20_000 }],
    ['off', { syncMode: 'off', pages: 3, commits: 20_000 }],
    ['full', { syncMode: 'full', pages: 3, commits: 20_000 }],
  ] as const)('%s', (_, loop) => {
    const checkpoints = runTightLoop(new MemoryVfs(), '.', { maxWalSizeMb: 0.25, every: 8, ...loop });
    expect(checkpoints).toBeGreaterThan(3);
  });
});
