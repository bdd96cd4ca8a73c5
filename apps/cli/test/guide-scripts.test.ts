// Goal: the scripts of the deployment guide do what it says: a backup that can be restored, a drill that notices a bad one, a report
// on a damaged database. And what they do when something is wrong, which docs/operations/scripts.md says: most go on, and end with 0.
// Method: the scripts word for word (fixtures/guide), with the paths of a temporary folder put in, run by bash with the built tools on PATH.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { GraphDB } from '@sombra/db';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { startBash } from './support/bash.ts';
import { temporaryFolder } from './support/files.ts';
import { guideScript, startGuide } from './support/guide.ts';
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
async function run(name: string, strict = false): Promise<{ status: number | null; output: string }> {
  return startGuide(name, { folder, bin }, { strict }).ended;
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
  const { status, output } = await run('backup.sh');
  expect(status).toBe(0);
  expect(output).toMatch(/Backup completed: graph-\d{8}\.db\.gz/);
  expect(kept()).toHaveLength(1);
  expect(gunzipSync(readFileSync(join(backups, kept()[0]!))).equals(readFileSync(database))).toBe(true);
  expect(await run('test-backup.sh')).toMatchObject({
    status: 0,
    output: expect.stringContaining('✓ Backup valid') as string,
  });
});

it('backup.sh: after kill -9 the backup has every commit', async () => {
  const writer = await startOwner('live-writer.mjs', database);
  await writer.until(20);
  await writer.kill();
  expect((await run('backup.sh', true)).status).toBe(0);
  const { status, output } = await run('test-backup.sh');
  expect([status, output]).toEqual([0, expect.stringContaining('✓ Backup valid')]);
  const nodes = Number(/([\d,]+) nodes/.exec(output)![1]!.replaceAll(',', ''));
  expect(nodes).toBeGreaterThanOrEqual(Number(writer.lines.at(-1)));
});

it('backup.sh stops where it is told to when the checkpoint fails: nothing is copied', async () => {
  const holder = await startOwner('holder.mjs', database);
  const { status, output } = await run('backup.sh', true);
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
  await run('backup.sh', true);
  const backup = gunzipSync(readFileSync(join(backups, kept()[0]!)));
  const later = await startOwner('live-writer.mjs', database);
  await later.until(10);
  await later.kill();
  expect(existsSync(`${database}-wal`)).toBe(true);
  const { status, output } = await run('restore.sh', true);
  expect(status).toBe(0);
  expect(output).toContain('is clean');
  expect(readFileSync(database).equals(backup)).toBe(true);
});

it('the drill on a damaged database: the damage is named, the repair refuses to make it worse, the report is written', async () => {
  await importSocial(folder, database);
  const bytes = readFileSync(database);
  bytes[8192 + 50]! ^= 1;
  writeFileSync(database, bytes);
  const { output } = await run('corruption.sh');
  expect(output).toContain('damage SOMBRA_PAGE_CHECKSUM');
  expect(readFileSync(database).equals(bytes)).toBe(true);
  const report = readFileSync(join(folder, 'corruption-report.txt'), 'utf8');
  expect(report).toContain(database);
  expect(report).toContain('damage SOMBRA_PAGE_CHECKSUM');
  expect((await run('corruption.sh', true)).status).toBe(2);
});

it.each([
  ['a flipped bit', (bytes: Buffer) => ((bytes[12 * 8192 + 99]! ^= 1), bytes)],
  ['a cut file', (bytes: Buffer) => bytes.subarray(0, bytes.length - 8192)],
  ['nothing', () => Buffer.alloc(0)],
])('test-backup.sh notices %s', async (_name, change) => {
  await importSocial(folder, database);
  writeFileSync(join(backups, 'graph-20251020.db.gz'), gzipSync(change(readFileSync(database))));
  const { status, output } = await run('test-backup.sh');
  expect([status, output]).toEqual([1, expect.stringContaining('✗ Backup corrupted')]);
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
});

function countOf(path: string): number {
  const db = GraphDB.open(path);
  const count = db.nodeCount();
  db.close();
  return count;
}

/** A backup that was made so many days ago. */
function putOld(days: number, bytes: Uint8Array): string {
  const path = join(backups, 'graph-20200101.db.gz');
  writeFileSync(path, bytes);
  const time = Date.now() / 1000 - days * 86_400;
  utimesSync(path, time, time);
  return path;
}

describe('what is unsafe', () => {
  it('backup.sh: the checkpoint fails because a process writes, and the copy has none of its commits, with exit code 0', async () => {
    const holder = await startOwner('holder.mjs', database);
    const { status, output } = await run('backup.sh');
    expect(status).toBe(0);
    expect(output).toMatch(/SOMBRA_BUSY[^]*Backup completed/);
    await holder.kill();
    const copy = join(folder, 'copy.db');
    writeFileSync(copy, gunzipSync(readFileSync(join(backups, kept()[0]!))));
    // Nobody has closed them; this recovers what there is.
    expect([database, copy].map(countOf)).toEqual([1, 0]);
    expect(await run('test-backup.sh')).toMatchObject({ status: 0 });
  });

  it('backup.sh: without the database it removes the last good backup, with exit code 0', async () => {
    await importSocial(folder, database);
    putOld(9, gzipSync(readFileSync(database)));
    rmSync(database);
    const { status, output } = await run('backup.sh');
    expect([status, output]).toEqual([0, expect.stringContaining('Backup completed')]);
    expect(kept()).toEqual([]);
  });

  it('backup.sh: without the folder of the backups it makes none, with exit code 0', async () => {
    await importSocial(folder, database);
    const script = guideScript('backup.sh', { folder, bin });
    rmSync(backups, { recursive: true });
    const { status, output } = await startBash(['-c', script], { cwd: folder, path: [bin] }).ended;
    expect([status, output]).toEqual([0, expect.stringContaining('Backup completed')]);
    expect(existsSync(backups)).toBe(false);
  });

  it('backup.sh: damage is copied, with exit code 0', async () => {
    await importSocial(folder, database);
    const bytes = readFileSync(database);
    bytes[8192 + 50]! ^= 1;
    writeFileSync(database, bytes);
    expect(await run('backup.sh')).toMatchObject({ status: 0 });
    expect(await run('test-backup.sh')).toMatchObject({ status: 1 });
  });

  it('backup.sh: the second backup of a day is not made, with exit code 0', async () => {
    await importSocial(folder, database);
    await run('backup.sh');
    const [first] = kept();
    const before = readFileSync(join(backups, first!));
    const db = GraphDB.open(database);
    db.addNode('Later');
    db.close();
    const { status, output } = await run('backup.sh');
    expect([status, output]).toEqual([0, expect.stringContaining('already exists')]);
    expect(readFileSync(join(backups, first!)).equals(before)).toBe(true);
    expect(kept()).toHaveLength(2);
  });

  it('restore.sh: without the backup it empties the database, removes its log, and starts the application', async () => {
    const writer = await startOwner('live-writer.mjs', database);
    await writer.until(10);
    await writer.kill();
    const { status, output } = await run('restore.sh');
    expect([status, output]).toEqual([0, expect.stringContaining('No such file or directory')]);
    expect(readFileSync(database)).toHaveLength(0);
    expect(existsSync(`${database}-wal`)).toBe(false);
  });

  it('test-backup.sh: without a backup it says that one is damaged', async () => {
    const { status, output } = await run('test-backup.sh');
    expect([status, output]).toEqual([1, expect.stringContaining('✗ Backup corrupted: \n')]);
  });

  it('test-backup.sh: a backup of long ago passes', async () => {
    await importSocial(folder, database);
    putOld(400, gzipSync(readFileSync(database)));
    const { status, output } = await run('test-backup.sh');
    expect([status, output]).toEqual([0, expect.stringContaining('✓ Backup valid')]);
  });

  it('corruption.sh: a database that is sound passes, and the report does not say what verify found', async () => {
    await importSocial(folder, database);
    expect(await run('corruption.sh', true)).toMatchObject({ status: 0 });
    expect(readFileSync(join(folder, 'corruption-report.txt'), 'utf8')).not.toContain('is clean');
  });
});
