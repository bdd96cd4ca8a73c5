// Goal: `sombra install-scripts` writes scripts that can be run, and never replaces one that somebody has changed. Method: the built
// command on real folders.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { failure, json, sombra, start } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const NAMES = [
  'backup.sh',
  'corruption-drill.sh',
  'restore-drill.sh',
  's3-backup.sh',
  'test-backup.sh',
  'wal-archive.sh',
];
const root = temporaryFolder();
const shipped = new URL('../scripts/', import.meta.url);
let number = 0;
let folder: string;

beforeEach(() => {
  number += 1;
  folder = join(root, `${number}`, 'bin');
});

const states = (state: string): { file: string; state: string }[] =>
  NAMES.map((name) => ({ file: join(folder, name), state }));
const mode = (name: string): number => statSync(join(folder, name)).mode & 0o7777;

it('writes them, mode 0755 whatever the umask, into a folder that it makes', async () => {
  const { code, stdout } = await start(['install-scripts', folder, '--json'], {}, [
    '--import',
    'data:text/javascript,process.umask(0o077)',
  ]).outcome;
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ folder, scripts: states('created'), dryRun: false });
  expect(readdirSync(folder).sort()).toEqual(NAMES);
  for (const name of NAMES) {
    expect(readFileSync(join(folder, name)).equals(readFileSync(new URL(name, shipped)))).toBe(true);
    expect(mode(name)).toBe(0o755);
  }
});

it('only says what it would do', async () => {
  expect(await json('install-scripts', folder, '--dry-run')).toEqual({
    folder,
    scripts: states('created'),
    dryRun: true,
  });
  expect(existsSync(folder)).toBe(false);
  const { stdout } = await sombra(['install-scripts', folder, '--dry-run']);
  expect(stdout).toContain(`${join(folder, 'backup.sh')} would be created\n`);
});

it('leaves those that are there, and gives them their mode back', async () => {
  await json('install-scripts', folder);
  chmodSync(join(folder, 'backup.sh'), 0o600);
  expect(await json('install-scripts', folder)).toMatchObject({ scripts: states('unchanged') });
  expect(mode('backup.sh')).toBe(0o755);
});

it('replaces none that was changed, unless it is told to; other files stay', async () => {
  await json('install-scripts', folder);
  const changed = join(folder, 'backup.sh');
  writeFileSync(changed, '#!/bin/sh\n');
  writeFileSync(join(folder, 'mine.sh'), 'mine');
  rmSync(join(folder, 'wal-archive.sh'));
  for (const more of [[], ['--dry-run']]) {
    const { code, error } = await failure('install-scripts', folder, ...more);
    expect([code, error.code, error.details]).toEqual([1, 'SOMBRA_SCRIPT_EXISTS', { files: [changed] }]);
    expect(error.message).toContain(`${changed} is there and different`);
    expect(error.message).toContain('--force');
    expect(readFileSync(changed, 'utf8')).toBe('#!/bin/sh\n');
    expect(existsSync(join(folder, 'wal-archive.sh'))).toBe(false);
  }
  const { scripts } = (await json('install-scripts', folder, '--force')) as { scripts: { state: string }[] };
  expect(scripts.map(({ state }) => state)).toEqual(['replaced', ...Array<string>(4).fill('unchanged'), 'created']);
  expect(readFileSync(changed).equals(readFileSync(new URL('backup.sh', shipped)))).toBe(true);
  expect(readdirSync(folder).sort()).toEqual([...NAMES, 'mine.sh'].sort());
});

it('follows no link: what it names stays', async () => {
  mkdirSync(folder, { recursive: true });
  const precious = join(root, 'precious');
  writeFileSync(precious, 'precious');
  symlinkSync(precious, join(folder, 'backup.sh'));
  symlinkSync(join(root, 'nowhere'), join(folder, 's3-backup.sh'));
  const { error } = await failure('install-scripts', folder);
  expect(error.details).toEqual({ files: [join(folder, 'backup.sh'), join(folder, 's3-backup.sh')] });
  await json('install-scripts', folder, '--force');
  expect(readFileSync(precious, 'utf8')).toBe('precious');
  expect(readFileSync(join(folder, 'backup.sh')).equals(readFileSync(new URL('backup.sh', shipped)))).toBe(true);
});

it.each([
  ['a file where the folder should be', (path: string) => writeFileSync(path, '')],
  ['a folder where a script should be', (path: string) => mkdirSync(join(path, 'wal-archive.sh'), { recursive: true })],
])('tells %s, and leaves nothing half written', async (_name, put) => {
  mkdirSync(join(root, `${number}`));
  put(folder);
  const { code, error } = await failure('install-scripts', folder, '--force');
  expect([code, error.code]).toEqual([1, 'SOMBRA_SCRIPT_FILE']);
  expect(error.message).toContain('check path, permission and free space');
  if (statSync(folder).isDirectory()) expect(readdirSync(folder).filter((name) => name.includes('.tmp-'))).toEqual([]);
});
