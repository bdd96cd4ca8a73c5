// Goal: wal-archive.sh and s3-backup.sh of the deployment guide do what it says, with what Debian has for them; and what they do when
// something is wrong. Method: word for word (fixtures/guide) but for paths, beside a process that writes, against a server of S3.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { GraphDB } from '@sombra/db';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BUCKET, CREDENTIALS, startS3rver } from '../../../packages/ops/test/support/s3rver.ts';
import type { RunningServer } from '../../../packages/ops/test/support/s3rver.ts';
import { hasProgram } from '../../../tooling/vitest/programs.ts';
import { startBash } from './support/bash.ts';
import { sombra } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { guideScript, startGuide } from './support/guide.ts';
import { importSocial } from './support/social.ts';
import { binFolder, startOwner } from './support/tools.ts';

const root = temporaryFolder();
const bin = binFolder(root);
const social = join(root, 'social.db');
let number = 0;
let folder: string;
let database: string;
let backups: string;
let archive: string;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeAll(() => importSocial(root, social));

beforeEach(() => {
  number += 1;
  folder = join(root, `${number}`);
  [database, backups] = [join(folder, 'data/graph.db'), join(folder, 'backups')];
  archive = join(backups, 'wal-archive');
  for (const name of ['data', 'backups/wal-archive', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
});

describe.skipIf(!hasProgram('inotifywait', 'inotify-tools'))('wal-archive.sh', () => {
  it('copies each segment that is closed; put beside a copy of the database they bring it up to their end', async () => {
    copyFileSync(social, database);
    const base = join(folder, 'base.db');
    copyFileSync(social, base);
    const script = startGuide('wal-archive.sh', { folder, bin });
    await script.says('Watches established');
    const db = GraphDB.open(database, { maxWalSizeMb: 8, autoCheckpointIntervalMs: null });
    for (let i = 0; i < 50; i += 1) db.addNode('Tick', { text: 'x'.repeat(100_000) });
    const live = readdirSync(join(folder, 'data')).filter((name) => /^graph\.db-\d+-wal$/.test(name));
    expect(live.length).toBeGreaterThan(0);
    for (const name of live) await script.says(`Archived: ${name}\n`);
    const nodes = db.nodeCount();
    for (const name of live)
      expect(readFileSync(join(archive, name)).equals(readFileSync(join(folder, 'data', name)))).toBe(true);
    script.kill('SIGTERM');
    await script.ended;
    db.close();
    for (const name of live) copyFileSync(join(archive, name), base + name.slice('graph.db'.length));
    const restored = GraphDB.open(base);
    const found = restored.nodeCount();
    restored.close();
    expect(found).toBeGreaterThan(5);
    expect(found).toBeLessThanOrEqual(nodes);
    expect((await sombra(['verify', base])).code).toBe(0);
  });

  it('has nothing of the segment that a process was writing when it was killed', async () => {
    const script = startGuide('wal-archive.sh', { folder, bin });
    await script.says('Watches established');
    const writer = await startOwner('live-writer.mjs', database, '5');
    await writer.until(20);
    expect(readdirSync(archive)).toEqual([]);
    await writer.kill();
    script.kill('SIGTERM');
    await script.ended;
  });

  it('says that it has archived what it could not copy', async () => {
    const script = startBash(['-c', guideScript('wal-archive.sh', { folder, bin })], { cwd: folder, path: [bin] });
    await script.says('Watches established');
    rmSync(archive, { recursive: true });
    writeFileSync(join(folder, 'data/graph.db-wal'), 'closed');
    await script.says(/cp: [^]*Archived: graph\.db-wal/);
    expect(existsSync(archive)).toBe(false);
    script.kill('SIGTERM');
    await script.ended;
  });
});

it('wal-archive.sh: without inotifywait it ends at once, with exit code 0', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  const { status, output } = await startGuide('wal-archive.sh', { folder, bin }, { path: empty }).ended;
  expect([status, output]).toEqual([0, expect.stringContaining('inotifywait: command not found')]);
});

describe.skipIf(!hasProgram('aws', 'awscli'))('s3-backup.sh', () => {
  const place = `s3://${BUCKET}/sombra`;

  /** Runs `work` with a server, and `aws` that talks to it. */
  async function withServer(work: (server: RunningServer, path: string) => Promise<void>): Promise<void> {
    const started = await startS3rver();
    let closed: Promise<void> | undefined;
    const server = { endpoint: started.endpoint, close: () => (closed ??= started.close()) };
    const path = join(folder, 'aws');
    mkdirSync(path);
    writeFileSync(
      join(path, 'aws'),
      `#!/bin/sh\nPATH=\${PATH#*:}\nexec aws --endpoint-url ${server.endpoint} --cli-connect-timeout 5 "$@"\n`,
      { mode: 0o755 },
    );
    for (const name of readdirSync(bin)) symlinkSync(join(bin, name), join(path, name));
    try {
      await work(server, path);
    } finally {
      await server.close();
    }
  }

  const env = { ...CREDENTIALS, AWS_MAX_ATTEMPTS: '1', AWS_EC2_METADATA_DISABLED: 'true' };
  const run = async (path: string): Promise<{ status: number | null; output: string }> =>
    startGuide('s3-backup.sh', { folder, bin: path, bucket: `s3://${BUCKET}` }, { env }).ended;

  it('stores the backup of today, which can be fetched and restored', () =>
    withServer(async (_server, path) => {
      copyFileSync(social, database);
      expect(await startGuide('backup.sh', { folder, bin }).ended).toMatchObject({ status: 0 });
      const { status, output } = await run(path);
      expect([status, output]).toEqual([0, expect.stringMatching(/ graph-\d{8}\.db\.gz\n$/)]);
      const fetch = `aws s3 cp ${place}/ fetched --recursive`;
      expect(await startBash(['-c', fetch], { cwd: folder, path: [path], env }).ended).toMatchObject({ status: 0 });
      const [packed] = readdirSync(join(folder, 'fetched'));
      const fetched = join(folder, 'fetched.db');
      writeFileSync(fetched, gunzipSync(readFileSync(join(folder, 'fetched', packed!))));
      expect((await sombra(['verify', fetched])).code).toBe(0);
    }));

  it('ends with 1 when there is no backup of today, or no server', () =>
    withServer(async (server, path) => {
      const none = await run(path);
      expect([none.status, none.output]).toEqual([1, expect.stringContaining('does not exist')]);
      copyFileSync(social, database);
      await startGuide('backup.sh', { folder, bin }).ended;
      await server.close();
      const down = await run(path);
      expect([down.status, down.output]).toEqual([1, expect.stringContaining('Could not connect')]);
    }));

  it('ends with 0 when the upload fails and an object of today is there, and stores what is damaged', () =>
    withServer(async (_server, path) => {
      const today = new Date().toLocaleDateString('sv').replaceAll('-', '');
      const backup = join(backups, `graph-${today}.db.gz`);
      writeFileSync(backup, gzipSync('no database'));
      expect(await run(path)).toMatchObject({ status: 0 });
      rmSync(backup);
      const { status, output } = await run(path);
      expect([status, output]).toEqual([0, expect.stringContaining('does not exist')]);
    }));
});
