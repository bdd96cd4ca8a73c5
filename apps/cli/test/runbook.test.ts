// Goal: the commands of docs/disaster-recovery-runbook.md bring a database back, as they stand. Method: the blocks of each section are
// run by `bash -e`, with other paths, an endpoint for S3 and a stub for systemctl, on a database that was written, archived, backed up
// and written again, and then lost a part.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { BUCKET, CREDENTIALS, startS3rver } from '../../../packages/ops/test/support/s3rver.ts';
import { startBash } from './support/bash.ts';
import { json } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';
import { binFolder, filesOf } from './support/tools.ts';

const page = readFileSync(new URL('../../../docs/disaster-recovery-runbook.md', import.meta.url), 'utf8');
const root = temporaryFolder();
const bin = binFolder(root);
const made = join(root, 'made');
let number = 0;
let folder: string;
let database: string;
/** Commit before the last node was added. */
let before: number;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Adds a node to the database, which is left as by a process that was killed when `copy` is given. */
function add(path: string, label: string, copy?: string): void {
  const db = GraphDB.open(path);
  db.addNode(label);
  if (copy !== undefined) for (const [name, bytes] of filesOf(path)) writeFileSync(join(copy, name), bytes);
  db.close();
}

beforeAll(async () => {
  writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\necho "systemctl $*"\n', { mode: 0o755 });
  for (const name of ['data', 'backups']) mkdirSync(join(made, name), { recursive: true });
  const [path, place] = [join(made, 'data/graph.db'), join(made, 'backups')];
  add(path, 'First');
  await json('archive', 'run', path, '--to', place);
  await json('backup', 'run', path, '--to', place);
  add(path, 'Second');
  before = ((await json('archive', 'run', path, '--to', place)) as { lsn: number }).lsn;
  add(path, 'Third');
  await json('archive', 'run', path, '--to', place);
});

beforeEach(() => {
  number += 1;
  folder = join(root, `${number}`);
  database = join(folder, 'data/graph.db');
  cpSync(made, folder, { recursive: true });
});

/** The command blocks of a section. */
function blocksOf(section: number): string[] {
  const text = page.split(/^## /m).find((each) => each.startsWith(`${section}. `))!;
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
}

/** Runs a block. @returns what it printed @throws Error unless it ends with 0 */
async function run(block: string, env: Record<string, string> = {}): Promise<string> {
  const script = block
    .replaceAll('/data/sombra', join(folder, 'data'))
    .replaceAll('/backups/sombra', join(folder, 'backups'));
  const { status, output } = await startBash(['-ec', script], { cwd: folder, path: [bin], env }).ended;
  if (status !== 0) throw new Error(`exit code ${status}: ${output}`);
  return output;
}

function labels(path: string): string[] {
  const db = GraphDB.open(path);
  const found = ['First', 'Second', 'Third'].filter((label) => db.nodeCount(label) === 1);
  db.close();
  return found;
}

describe('1. file, log or pages', () => {
  it.each([
    ['the file is lost', () => rmSync(database)],
    ['everything is lost', () => rmSync(join(folder, 'data'), { recursive: true })],
    [
      'a page is damaged',
      () => {
        const bytes = readFileSync(database);
        bytes[8192 + 50]! ^= 1;
        writeFileSync(database, bytes);
      },
    ],
    ['the log is lost', () => (add(database, 'Fourth', folder), copyFileSync(join(folder, 'graph.db'), database))],
  ])('%s: every archived commit is back', async (_name, lose) => {
    lose();
    const output = await run(blocksOf(1).join('\n'));
    expect(output).toContain('is clean');
    expect(output).toMatch(/systemctl start sombra-archive myapp\n$/);
    expect(labels(database)).toEqual(['First', 'Second', 'Third']);
    const place = join(folder, 'backups');
    expect(await json('backup', 'test', place)).toMatchObject({ good: true });
  });
});

it('2. data was deleted: the database as it was, beside the one in use and then in its place', async () => {
  const [look, back] = blocksOf(2);
  await run(look!.replace(/AT=.*/, `AT=${before}`));
  expect(labels(database)).toEqual(['First', 'Second', 'Third']);
  await run(back!);
  expect(labels(database)).toEqual(['First', 'Second']);
  expect(labels(join(folder, 'data/lost/graph.db'))).toEqual(['First', 'Second', 'Third']);
});

it('3. the machine is lost: from S3', async () => {
  const server = await startS3rver();
  try {
    const place = `s3://${BUCKET}/graphs`;
    const reads = `--s3-endpoint ${server.endpoint}`;
    await run(`sombra backup run /data/sombra/graph.db --to ${place} ${reads} --check-first`, CREDENTIALS);
    rmSync(join(folder, 'data'), { recursive: true });
    const block = blocksOf(3)
      .join('\n')
      .replaceAll(
        /^(.*)s3:\/\/my-company-backups\/sombra/gm,
        (_all, start: string) => `${start}${place} ${reads}${start.includes(' run ') ? ' --check-first' : ''}`,
      );
    expect(await run(block, CREDENTIALS)).toContain('is clean');
    expect(labels(database)).toEqual(['First', 'Second', 'Third']);
  } finally {
    await server.close();
  }
});
