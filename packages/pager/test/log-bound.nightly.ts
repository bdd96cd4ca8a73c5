// The loops of log-bound.test.ts on real files: a million commits in mode normal; 20,000 in mode full, where each waits for the disk.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { runTightLoop } from './support/tight-loop.ts';

test.each([
  ['normal', 1_000_000, 4],
  ['full', 20_000, 0.25],
] as const)('mode %s, %i commits', (syncMode, commits, maxWalSizeMb) => {
  const directory = mkdtempSync(join(tmpdir(), 'sombra-log-bound-'));
  try {
    const loop = { syncMode, commits, maxWalSizeMb, pages: 60, every: 100 };
    expect(runTightLoop(new NodeVfs(), directory, loop)).toBeGreaterThan(3);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
