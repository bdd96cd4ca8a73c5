// Goal: processes that write, alone and in groups, read, checkpoint, and die, keep the log within every limit: after each phase it is
// within maxWalSizeMb and one transaction more, unless a live reader keeps it; warnings and SOMBRA_LOG_FULL come only then, and pass.
// Method: real processes on real files, which are measured; each writer counts its commits in a page, which is compared in the end.
import { describe, expect, test } from 'vitest';
import { requireBuild } from './support/build.ts';
import { LimitRun } from './support/log-limit-run.ts';
import type { Limits } from './support/log-limit-run.ts';
import { seeds } from './support/random.ts';

const MIXES: readonly Limits[] = [
  { maxWalSizeMb: 0.25, walHardLimitMb: 1 },
  { maxWalSizeMb: 0.5 },
  { maxWalSizeMb: 0.5, walHardLimitMb: 1, checkpointAfterBytes: 30_000 },
  { maxWalSizeMb: 1, walHardLimitMb: 2, checkpointAfterBytes: 8 * 1024 * 1024 },
  { maxWalSizeMb: 0.5, walHardLimitMb: 2, checkpointAfterCommits: 20 },
  { maxWalSizeMb: 2, walHardLimitMb: 4, syncMode: 'normal' },
];

describe.each(seeds(2, 900))('seed %i', (seed) => {
  test.each(MIXES)('%j', async (limits) => {
    requireBuild();
    const run = new LimitRun(limits, seed);
    try {
      await run.writersAndATool();
      await run.shortSnapshots();
      await run.pinnedAndKilled();
      await run.tooOld();
      await run.kills(40);
      await run.finish();
      console.log(`log limits ${JSON.stringify(limits)}: ${JSON.stringify(run.count)}`);
      const { commits, reads, checkpoints, warnings, tooOld, refusals } = run.count;
      for (const done of [commits, reads, checkpoints, warnings, tooOld]) expect(done).toBeGreaterThan(0);
      expect(refusals > 0).toBe(limits.walHardLimitMb !== undefined);
    } finally {
      run.dispose();
    }
  });
});
