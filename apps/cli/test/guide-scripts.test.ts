// Goal: the scripts of the deployment guide do what it says: a backup that can be restored, a drill that notices a bad one, a report
// on a damaged database. Method: the scripts word for word (fixtures/guide), with the paths of a temporary folder put in, run by
// bash with the built tools on PATH.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, expect, it, vi } from 'vitest';
import { temporaryFolder } from './support/files.ts';
import { importSocial } from './support/social.ts';
import { binFolder, startOwner } from './support/tools.ts';

const root = temporaryFolder();
const bin = binFolder(root);
let number = 0;
let folder: string;
let database: string;
let backups: string;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\n', { mode: 0o755 });

beforeEach(() => {
  number += 1;
  folder = join(root, `${number}`);
  for (const name of ['data', 'backups', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  [database, backups] = [join(folder, 'data/graph.db'), join(folder, 'backups')];
});

/** Runs one of the guide's scripts. @param strict  stop at the first command that fails */
function run(name: string, strict = false): { status: number | null; output: string } {
  const script = readFileSync(new URL(`fixtures/guide/${name}`, import.meta.url), 'utf8')
    .replaceAll('/usr/local/bin', bin)
    .replaceAll('/data/sombra', join(folder, 'data'))
    .replaceAll('/backups/sombra', backups)
    .replaceAll('graph-20251020.db.gz', readdirSync(backups)[0] ?? 'none')
    .replaceAll('/tmp/sombra-backup-test', join(folder, 'tmp/test'));
  const { status, stdout, stderr } = spawnSync('bash', [...(strict ? ['-e'] : []), '-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` },
  });
  return { status, output: stdout + stderr };
}

/** Names of the backups. */
function kept(): string[] {
  return readdirSync(backups).sort();
}

it('backup.sh: a backup of a quiet database, and old ones go', async () => {
  await importSocial(folder, database);
  const old = join(backups, 'graph-20200101.db.gz');
  writeFileSync(old, 'old');
  const days = (count: number): number => Date.now() / 1000 - count * 86_400;
  utimesSync(old, days(9), days(9));
  const { status, output } = run('backup.sh');
  expect(status).toBe(0);
  expect(output).toMatch(/Backup completed: graph-\d{8}\.db\.gz/);
  expect(kept()).toHaveLength(1);
  expect(gunzipSync(readFileSync(join(backups, kept()[0]!))).equals(readFileSync(database))).toBe(true);
  expect(run('test-backup.sh')).toMatchObject({
    status: 0,
    output: expect.stringContaining('✓ Backup valid') as string,
  });
});

it('backup.sh: after kill -9 the backup has every commit', async () => {
  const writer = await startOwner('live-writer.mjs', database);
  await writer.until(20);
  await writer.kill();
  expect(run('backup.sh', true).status).toBe(0);
  const { status, output } = run('test-backup.sh');
  expect([status, output]).toEqual([0, expect.stringContaining('✓ Backup valid')]);
  const nodes = Number(/([\d,]+) nodes/.exec(output)![1]!.replaceAll(',', ''));
  expect(nodes).toBeGreaterThanOrEqual(Number(writer.lines.at(-1)));
});

it('backup.sh stops where it is told to when the checkpoint fails: nothing is copied', async () => {
  const holder = await startOwner('holder.mjs', database);
  const { status, output } = run('backup.sh', true);
  expect(status).toBe(1);
  expect(output).toContain('SOMBRA_BUSY');
  expect(output).toContain(`process ${holder.pid}`);
  expect(kept()).toEqual([]);
  await holder.kill();
});

it('the restore: over whatever is there, with the log forgotten or not', async () => {
  const writer = await startOwner('live-writer.mjs', database);
  await writer.until(10);
  await writer.kill();
  run('backup.sh', true);
  const backup = gunzipSync(readFileSync(join(backups, kept()[0]!)));
  const later = await startOwner('live-writer.mjs', database);
  await later.until(10);
  await later.kill();
  expect(existsSync(`${database}-wal`)).toBe(true);
  const { status, output } = run('restore.sh', true);
  expect(status).toBe(0);
  expect(output).toContain('is clean');
  expect(readFileSync(database).equals(backup)).toBe(true);
});

it('the drill on a damaged database: the damage is named, the repair refuses to make it worse, the report is written', async () => {
  await importSocial(folder, database);
  const bytes = readFileSync(database);
  bytes[8192 + 50]! ^= 1;
  writeFileSync(database, bytes);
  const { output } = run('corruption.sh');
  expect(output).toContain('damage SOMBRA_PAGE_CHECKSUM');
  expect(readFileSync(database).equals(bytes)).toBe(true);
  const report = readFileSync(join(folder, 'corruption-report.txt'), 'utf8');
  expect(report).toContain(database);
  expect(report).toContain('damage SOMBRA_PAGE_CHECKSUM');
  expect(run('corruption.sh', true).status).toBe(2);
});

it.each([
  ['a flipped bit', (bytes: Buffer) => ((bytes[12 * 8192 + 99]! ^= 1), bytes)],
  ['a cut file', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8192)],
  ['nothing', () => Buffer.alloc(0)],
])('test-backup.sh notices %s', async (_name, change) => {
  await importSocial(folder, database);
  writeFileSync(join(backups, 'graph-20251020.db.gz'), gzipSync(change(readFileSync(database))));
  const { status, output } = run('test-backup.sh');
  expect([status, output]).toEqual([1, expect.stringContaining('✗ Backup corrupted')]);
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
});
