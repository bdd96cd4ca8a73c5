// Goal: processes and threads that share a database, and are killed at any moment, lose no acknowledged commit; no reader sees
// anything but one commit; none waits for the dead, and one that a stopped process keeps waiting gets an error that names it.
// Method: real processes on the real file system; pages hold numbers whose sum no commit changes, and the commit that wrote them.
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { requireBuild } from './support/build.ts';
import { beginBesideStopped, runProcesses } from './support/process-run.ts';

test('two writers, three readers, one of them a thread, and one that checkpoints, with kills', async () => {
  requireBuild();
  const count = await runProcesses(8000, Number(process.env['SOMBRA_SEED'] ?? 1));
  console.log(
    `processes: ${count.kills} kills, ${count.commits} commits, ${count.reads} reads, ${count.checkpoints} checkpoints`,
  );
  for (const done of [count.kills, count.commits, count.reads, count.checkpoints]) expect(done).toBeGreaterThan(5);
}, 120_000);

test('beside a stopped holder SOMBRA_BUSY names it after busyTimeoutMs, and its death frees everything', async () => {
  requireBuild();
  const { error, pid, waited } = await beginBesideStopped(150);
  expect(error).toMatchObject({ code: 'SOMBRA_BUSY', details: { lock: 'WRITE', pid, host: hostname() } });
  expect(waited).toBeGreaterThanOrEqual(140);
}, 60_000);
