// Goal: processes and threads that share a database, and are killed at any moment, lose no acknowledged commit; no reader sees
// anything but one commit; none waits for the dead, and one that a stopped process keeps waiting gets an error that names it.
// Method: real processes on the real file system; pages hold numbers whose sum no commit changes, and the commit that wrote them.
import { expect, test } from 'vitest';
import { requireBuild } from './support/build.ts';
import { runProcesses } from './support/process-run.ts';

test('two writers, three readers, one of them a thread, and one that checkpoints, with kills', async () => {
  requireBuild();
  const count = await runProcesses(60_000, Number(process.env['SOMBRA_SEED'] ?? 1));
  console.log(
    `processes: ${count.kills} kills, ${count.commits} commits, ${count.reads} reads, ${count.checkpoints} checkpoints`,
  );
  for (const done of [count.kills, count.commits, count.reads, count.checkpoints]) expect(done).toBeGreaterThan(5);
}, 300_000);
