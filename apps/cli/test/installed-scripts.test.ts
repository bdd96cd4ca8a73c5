// Goal: each script that `sombra install-scripts` writes does what its head says, and fails with an exit code and a message when it
// cannot. Method: the installed scripts, run by bash with the built commands on PATH, on real files, beside a process that writes, on a
// full disk, and against a server of S3 over HTTP.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { GraphDB } from '@sombra/db';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BUCKET, CREDENTIALS, startS3rver } from '../../../packages/ops/test/support/s3rver.ts';
import { hasProgram } from '../../../tooling/vitest/programs.ts';
import { startBash } from './support/bash.ts';
import type { RunningScript } from './support/bash.ts';
import { json, sombra } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { importSocial } from './support/social.ts';
import { binFolder, changes, damageLog, filesOf, leftBehind, startOwner } from './support/tools.ts';

const root = temporaryFolder();
const bin = binFolder(root);
const scripts = join(root, 'scripts');
const social = join(root, 'social.db');
let number = 0;
let folder: string;
let database: string;
let backups: string;
let scratch: string;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeAll(async () => {
  await importSocial(root, social);
  await json('install-scripts', scripts);
});

beforeEach(() => {
  number += 1;
  folder = join(root, `${number}`);
  [database, backups, scratch] = [join(folder, 'data/graph.db'), join(folder, 'backups'), join(folder, 'scratch')];
  for (const name of ['data', 'backups', 'scratch']) mkdirSync(join(folder, name), { recursive: true });
});

interface Options {
  readonly env?: Record<string, string>;
  readonly path?: string;
}

/** Starts an installed script. @param path  the only folder of PATH */
function begin(name: string, { env = {}, path }: Options = {}): RunningScript {
  return startBash([join(scripts, name)], {
    cwd: folder,
    path: [path ?? bin],
    alone: path !== undefined,
    env: { SOMBRA_DB_PATH: database, SOMBRA_BACKUP_DIR: backups, SOMBRA_DRILL_DIR: scratch, ...env },
  });
}

async function run(name: string, options: Options = {}): Promise<{ status: number | null; output: string }> {
  return begin(name, options).ended;
}

/** Flips a bit of a file. */
function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

/** Ids of the backups. */
async function kept(): Promise<string[]> {
  const { backups: all } = (await json('backup', 'list', backups)) as { backups: { id: string }[] };
  return all.map(({ id }) => id);
}

/** File of the newest backup. */
function stored(): string {
  return join(
    backups,
    readdirSync(backups)
      .filter((name) => name.endsWith('.db.gz'))
      .sort()
      .at(-1)!,
  );
}

function countOf(path: string): number {
  const db = GraphDB.open(path, { readOnly: true });
  const count = db.nodeCount();
  db.close();
  return count;
}

describe.skipIf(!hasProgram('shellcheck', 'shellcheck'))('shellcheck', () => {
  it('has nothing to say', () => {
    const files = readdirSync(scripts).map((name) => join(scripts, name));
    expect(files).toHaveLength(6);
    const { status, stdout } = spawnSync('shellcheck', ['--enable=all', '--exclude=SC2250,SC2312', ...files], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describe('every script', () => {
  const names = [
    'backup.sh',
    'corruption-drill.sh',
    'restore-drill.sh',
    's3-backup.sh',
    'test-backup.sh',
    'wal-archive.sh',
  ];

  it('is one of these', () => expect(readdirSync(scripts).sort()).toEqual(names));

  it.each(names)(
    '%s stops at errors, has its variables in its head, and says when sombra is not there',
    async (name) => {
      const text = readFileSync(join(scripts, name), 'utf8');
      expect(text).toMatch(/^#!\/usr\/bin\/env bash\n/);
      expect(text).toContain('\nset -euo pipefail\n');
      const head = text.slice(0, text.indexOf('\nset -euo'));
      for (const [, variable] of text.matchAll(/\$\{(SOMBRA_\w+)/g)) expect(head).toContain(`#   ${variable} `);
      mkdirSync(join(folder, 'empty'));
      // What the head of the script needs, and no more.
      const { status, output } = await run(name, { path: join(folder, 'empty') });
      expect([status, output]).toEqual([1, `${name}: sombra is not on PATH: npm install -g @sombra/cli\n`]);
    },
  );

  it.each(names.filter((name) => !/^(s3|corruption)/.test(name)))(
    '%s refuses a folder of backups that is not there, and makes none',
    async (name) => {
      copyFileSync(social, database);
      const { status, output } = await run(name, { env: { SOMBRA_BACKUP_DIR: join(folder, 'unmounted') } });
      expect([status, output]).toEqual([1, expect.stringContaining('unmounted is not there: mount its disk')]);
      expect(readdirSync(folder)).not.toContain('unmounted');
    },
  );
});

describe('backup.sh', () => {
  it('backs up a database that is being written', async () => {
    const writer = await startOwner('live-writer.mjs', database, '5');
    await writer.until(20);
    const acknowledged = Number(writer.lines.at(-1));
    const { status, output } = await run('backup.sh');
    expect([status, output]).toEqual([
      0,
      expect.stringMatching(/full backup graph-\d{8}T\d{6}Z.*\nBackup completed: /),
    ]);
    await writer.kill();
    writeFileSync(join(folder, 'restored.db'), gunzipSync(readFileSync(stored())));
    expect(countOf(join(folder, 'restored.db'))).toBeGreaterThanOrEqual(acknowledged);
    expect((await sombra(['verify', join(folder, 'restored.db')])).code).toBe(0);
  });

  it('keeps what there is when the database is damaged, however old', async () => {
    copyFileSync(social, database);
    expect((await run('backup.sh')).status).toBe(0);
    flip(database, 8192 + 50);
    const { status, output } = await run('backup.sh', { env: { SOMBRA_RETENTION_DAYS: '0' } });
    expect([status, output]).toEqual([2, expect.stringContaining('error SOMBRA_PAGE_CHECKSUM')]);
    expect(output).not.toContain('completed');
    expect(await kept()).toHaveLength(1);
  });

  it('removes old backups only behind a new one', async () => {
    copyFileSync(social, database);
    expect((await run('backup.sh')).status).toBe(0);
    const [first] = await kept();
    // Times in the names of backups are whole seconds.
    const { status, output } = await run('backup.sh', { env: { SOMBRA_RETENTION_DAYS: '0' } });
    expect(status).toBe(0);
    expect(output).toContain(`${first} removed`);
    expect(await kept()).toHaveLength(1);
    expect(await kept()).not.toContain(first);
  });

  it('takes no number for the days but a number', async () => {
    copyFileSync(social, database);
    const { status, output } = await run('backup.sh', { env: { SOMBRA_RETENTION_DAYS: '7; rm -rf /' } });
    expect([status, output]).toEqual([1, expect.stringContaining('error SOMBRA_USAGE')]);
    expect(readdirSync(backups)).toEqual([]);
  });

  it('fails without a database, and makes none', async () => {
    const { status, output } = await run('backup.sh');
    expect([status, output]).toEqual([1, expect.stringContaining('error SOMBRA_NOT_FOUND')]);
    expect(readdirSync(join(folder, 'data'))).toEqual([]);
  });

  it.skipIf(!mayMount())('fails on a full disk, which a backup that is there survives', async () => {
    const writer = await leftBehind(database, 300);
    expect(writer).toBeGreaterThanOrEqual(300);
    // A disk of its own, which goes with the process: full, but for 16 KiB.
    const script = `mount -t tmpfs -o size=256k none '${backups}'
      echo kept > '${backups}/other'; head -c 240k /dev/urandom > '${backups}/ballast'
      bash '${join(scripts, 'backup.sh')}'; status=$?
      ls '${backups}'; cat '${backups}/other'; exit $status`;
    const { status, output } = await startBash(['-c', `exec unshare -rm bash -c "$0"`, script], {
      cwd: folder,
      path: [bin],
      env: { SOMBRA_DB_PATH: database, SOMBRA_BACKUP_DIR: backups },
    }).ended;
    expect([status, output]).toEqual([1, expect.stringContaining('error SOMBRA_DISK_FULL')]);
    expect(output).not.toMatch(/completed|\.db\.gz|graph-.*\.json/);
    expect(output).toMatch(/^kept$/m);
  });
});

/** May this user mount a file system for a process? */
function mayMount(): boolean {
  if (spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0) return true;
  process.stderr.write('left out: a test on a full disk, because this system does not let processes mount their own\n');
  return false;
}

describe('wal-archive.sh', () => {
  it('archives what a process commits until it is stopped, so that the newest commits can be restored', async () => {
    const writer = await startOwner('live-writer.mjs', database, '5');
    await writer.until(5);
    const script = begin('wal-archive.sh', { env: { SOMBRA_ARCHIVE_INTERVAL: '1' } });
    await script.says(/commit \d+ archived/);
    expect((await run('backup.sh')).status).toBe(0);
    const seen = writer.lines.length;
    await writer.until(seen + 50);
    await writer.kill();
    const acknowledged = Number(writer.lines.at(-1));
    script.kill('SIGTERM');
    const { status, output } = await script.ended;
    expect([status, output]).toEqual([0, expect.stringContaining('stopped, archived up to commit')]);
    const restored = join(folder, 'restored.db');
    await json('restore', '--from', backups, '--to', restored, '--at', 'latest');
    expect(countOf(restored)).toBeGreaterThanOrEqual(acknowledged);
    const drill = await run('restore-drill.sh', { env: { SOMBRA_RESTORE_AT: 'latest' } });
    expect([drill.status, drill.output]).toEqual([0, expect.stringMatching(/commits? applied[^]*✓ Restore drill/)]);
  });

  it('ends when the log is damaged, with 2', async () => {
    await leftBehind(database, 20);
    damageLog(database);
    const { status, output } = await run('wal-archive.sh');
    expect([status, output]).toEqual([2, expect.stringContaining('error SOMBRA_WAL_')]);
  });

  it('fails without a database', async () => {
    const { status, output } = await run('wal-archive.sh');
    expect([status, output]).toEqual([1, expect.stringContaining('error SOMBRA_NOT_FOUND')]);
  });
});

describe('s3-backup.sh', () => {
  const place = `s3://${BUCKET}/sombra`;
  const s3 = (endpoint: string): Record<string, string> => ({
    ...CREDENTIALS,
    SOMBRA_S3_URL: place,
    SOMBRA_S3_ENDPOINT: endpoint,
    SOMBRA_S3_CHECK_FIRST: '1',
  });

  it('backs up to S3, from where it can be tested and restored', async () => {
    copyFileSync(social, database);
    const server = await startS3rver();
    try {
      const env = s3(server.endpoint);
      const made = await run('s3-backup.sh', { env });
      expect([made.status, made.output]).toEqual([0, expect.stringContaining('Backup completed')]);
      const elsewhere = { env: { ...env, SOMBRA_BACKUP_DIR: place } };
      const tested = await run('test-backup.sh', elsewhere);
      expect([tested.status, tested.output]).toEqual([0, expect.stringContaining('✓ Backup valid')]);
      const drill = await run('restore-drill.sh', elsewhere);
      expect([drill.status, drill.output]).toEqual([0, expect.stringContaining('✓ Restore drill passed')]);
    } finally {
      await server.close();
    }
  });

  it.skipIf(!hasProgram('aws', 'awscli'))('what the aws command fetches is the database', async () => {
    copyFileSync(social, database);
    const server = await startS3rver();
    try {
      const env = s3(server.endpoint);
      expect((await run('s3-backup.sh', { env })).status).toBe(0);
      const script = `aws --endpoint-url ${server.endpoint} s3 ls ${place}/
        aws --endpoint-url ${server.endpoint} s3 cp ${place}/ . --recursive --exclude '*' --include '*.db.gz'`;
      const { status, output } = await startBash(['-ec', script], { cwd: folder, path: [], env }).ended;
      expect([status, output]).toEqual([0, expect.stringMatching(/\d graph-\d{8}T\d{6}Z\.db\.gz\n/)]);
      const [packed] = readdirSync(folder).filter((name) => name.endsWith('.db.gz'));
      const fetched = join(folder, 'fetched.db');
      writeFileSync(fetched, gunzipSync(readFileSync(join(folder, packed!))));
      expect((await sombra(['verify', fetched])).code).toBe(0);
      expect(countOf(fetched)).toBe(countOf(social));
    } finally {
      await server.close();
    }
  });

  it('fails when nothing answers', async () => {
    copyFileSync(social, database);
    const server = await startS3rver();
    await server.close();
    const { status, output } = await run('s3-backup.sh', { env: s3(server.endpoint) });
    expect([status, output]).toEqual([1, expect.stringContaining('error SOMBRA_STORE_UNREACHABLE')]);
    expect(output).not.toContain('completed');
  });

  it('refuses a place that is not in S3', async () => {
    const { status, output } = await run('s3-backup.sh', { env: { SOMBRA_S3_URL: backups } });
    expect([status, output]).toEqual([1, expect.stringContaining(`SOMBRA_S3_URL is ${backups}: it begins with s3://`)]);
  });
});

describe('test-backup.sh', () => {
  it.each([
    ['a flipped bit', (path: string) => flip(path, 300), 2],
    ['a cut file', (path: string) => truncateSync(path, 400), 2],
  ])('passes a good backup, and notices %s', async (_name, change, code) => {
    copyFileSync(social, database);
    expect((await run('backup.sh')).status).toBe(0);
    const good = await run('test-backup.sh');
    expect([good.status, good.output]).toEqual([0, expect.stringContaining('✓ Backup valid: the newest of graph')]);
    change(stored());
    const { status, output } = await run('test-backup.sh');
    expect([status, output]).toEqual([code, expect.stringContaining('✗ The newest backup of graph')]);
    expect(output).not.toContain('✓');
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('fails without a backup', async () => {
    const { status, output } = await run('test-backup.sh');
    expect([status, output]).toEqual([1, expect.stringContaining('error SOMBRA_BACKUP_NOT_FOUND')]);
  });

  it('fails when the newest is too old', async () => {
    copyFileSync(social, database);
    expect((await run('backup.sh')).status).toBe(0);
    // The clock of the script, three days on.
    const later = join(folder, 'later');
    mkdirSync(later);
    writeFileSync(
      join(later, 'date'),
      '#!/bin/sh\nif [ "$1" = +%s ]; then echo $(($(/bin/date +%s) + 3 * 86400)); else exec /bin/date "$@"; fi\n',
      { mode: 0o755 },
    );
    for (const name of ['sombra', 'node']) symlinkSync(join(bin, name), join(later, name));
    const old = await run('test-backup.sh', { path: later });
    expect([old.status, old.output]).toEqual([1, expect.stringContaining('is 72 hours old')]);
    const any = await run('test-backup.sh', { path: later, env: { SOMBRA_MAX_AGE_HOURS: '0' } });
    expect([any.status, any.output]).toEqual([0, expect.stringContaining('72 hours old')]);
  });
});

describe('restore-drill.sh', () => {
  it('restores beside a process that writes, which it leaves alone', async () => {
    const writer = await startOwner('live-writer.mjs', database, '5');
    await writer.until(10);
    expect((await run('backup.sh')).status).toBe(0);
    const { status, output } = await run('restore-drill.sh');
    expect([status, output]).toEqual([
      0,
      expect.stringMatching(/✓ Restore drill passed: restored in \d+ s, checked in \d+ s/),
    ]);
    expect(readdirSync(scratch)).toEqual([]);
    await writer.until(writer.lines.length + 5);
    await writer.kill();
  });

  it('fails on a damaged backup, and leaves nothing', async () => {
    copyFileSync(social, database);
    expect((await run('backup.sh')).status).toBe(0);
    flip(stored(), 300);
    const { status, output } = await run('restore-drill.sh');
    expect([status, output]).toEqual([2, expect.stringContaining('error SOMBRA_BACKUP_DAMAGED')]);
    expect(output).not.toContain('✓');
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('fails without a backup, or without room', async () => {
    expect(await run('restore-drill.sh')).toMatchObject({ status: 1 });
    const { status, output } = await run('restore-drill.sh', { env: { SOMBRA_DRILL_DIR: join(folder, 'none') } });
    expect([status, output]).toEqual([1, expect.stringContaining('none is not there')]);
  });
});

describe('corruption-drill.sh', () => {
  it('says that a database in use is sound', async () => {
    const writer = await startOwner('live-writer.mjs', database, '5');
    await writer.until(10);
    const { status, output } = await run('corruption-drill.sh', { env: { SOMBRA_REPORT_DIR: scratch } });
    expect([status, output]).toEqual([0, `✓ ${database} is sound\n`]);
    expect(readdirSync(scratch)).toEqual([]);
    await writer.kill();
  });

  it('reports damage, and has a sound copy ready; nothing is changed', async () => {
    copyFileSync(social, database);
    expect((await run('backup.sh')).status).toBe(0);
    flip(database, 8192 + 50);
    const before = filesOf(database);
    const { status, output } = await run('corruption-drill.sh', { env: { SOMBRA_REPORT_DIR: scratch } });
    expect([status, output]).toEqual([2, expect.stringContaining('is sound. To use it:')]);
    expect(changes(before, database)).toEqual([]);
    const made = readdirSync(scratch).sort();
    expect(made).toEqual([
      expect.stringMatching(/^corruption-report-\d{8}T\d{6}Z\.txt$/),
      expect.stringMatching(/^restored-\d{8}T\d{6}Z\.db$/),
    ]);
    const report = readFileSync(join(scratch, made[0]!), 'utf8');
    expect(report).toContain('damage SOMBRA_PAGE_CHECKSUM');
    expect(report).toContain('database id');
    expect(countOf(join(scratch, made[1]!))).toBe(countOf(social));
  });

  it('says when there is no way back', async () => {
    copyFileSync(social, database);
    flip(database, 8192 + 50);
    const { status, output } = await run('corruption-drill.sh', { env: { SOMBRA_REPORT_DIR: scratch } });
    expect([status, output]).toEqual([1, expect.stringContaining(`sombra repair salvage '${database}' NEW.db`)]);
    expect(output).not.toContain('✓');
  });

  it('fails without a database', async () => {
    const { status, output } = await run('corruption-drill.sh');
    expect([status, output]).toEqual([1, expect.stringContaining(`${database} is not there`)]);
  });
});
