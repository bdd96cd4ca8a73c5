// Goal: `sombra audit` says whether a trail is whole and who wrote what. Method: the built command over trails that @sombra/observability
// has written, whole and tampered with.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditFile } from '@sombra/observability';
import { beforeEach, describe, expect, it } from 'vitest';
import { failure, json, sombra } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const folder = temporaryFolder();
let path = '';
let trails = 0;
let last = { seq: 0, hash: '' };

beforeEach(() => {
  trails += 1;
  path = join(folder, `audit-${trails}.jsonl`);
  const sink = auditFile(path, { maxBytes: 1200, sync: false });
  for (let number = 1; number <= 9; number += 1) {
    const nodes = number === 9 ? Array.from({ length: 12 }, (_, i) => i + 1) : [number];
    sink.append([
      {
        timestamp: `2025-01-0${number}T12:00:00.000Z`,
        user: number % 3 === 0 ? 'eve\u001b[31m' : 'ada',
        action: number === 9 ? 'deleteNodes' : 'addNode',
        node_id: number === 9 ? null : number,
        nodes,
        edges: [],
        lsn: number + 1,
        transaction: number,
      },
    ]);
  }
  last = sink.last;
  sink.close();
});

async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await sombra(args);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

describe('sombra audit verify', () => {
  it('a trail as it was written', async () => {
    const end = `last entry 9:${last.hash}`;
    expect(await text('audit', 'verify', path)).toBe(`${path} verifies: 9 entries in 3 files\n${end}\n`);
    const anchor = ['--anchor', `9:${last.hash}`, '--anchor', `0:${'0'.repeat(64)}`];
    expect(await json('audit', 'verify', path, ...anchor)).toEqual({
      path,
      ok: true,
      files: 3,
      entries: 9,
      first: 1,
      last,
      tornBytes: 0,
      problems: [],
    });
  });

  it('one that is being written', async () => {
    appendFileSync(path, '{"seq":10,');
    expect(await text('audit', 'verify', path)).toContain('10 bytes at the end are of an entry that is not complete');
  });

  it('one that was tampered with ends with 2', async () => {
    writeFileSync(`${path}.1`, readFileSync(`${path}.1`, 'utf8').replace('"ada"', '"bob"'));
    const { code, stdout, stderr } = await sombra(['audit', 'verify', path]);
    expect([code, stderr]).toEqual([2, '']);
    expect(stdout).toContain(`${path} was changed, or is damaged: 8 entries in 3 files\n`);
    expect(stdout).toContain(`  ${path}.1:1: the line is not the one that its hash was made of\n`);
    const report = await sombra(['audit', 'verify', path, '--json']);
    expect(report.code).toBe(2);
    expect(JSON.parse(report.stdout)).toMatchObject({ ok: false, entries: 8 });
  });

  it('one that lacks its end is found by an anchor', async () => {
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(
      path,
      lines
        .slice(0, -2)
        .map((line) => `${line}\n`)
        .join(''),
    );
    expect((await sombra(['audit', 'verify', path])).code).toBe(0);
    const { code, stdout } = await sombra(['audit', 'verify', path, '--anchor', `9:${last.hash}`]);
    expect(code).toBe(2);
    expect(stdout).toContain('the trail ends with entry 8 and does not contain the anchor 9');
  });

  it('none', async () => {
    const { code, error } = await failure('audit', 'verify', join(folder, 'absent.jsonl'));
    expect([code, error.code]).toEqual([1, 'SOMBRA_AUDIT_NOT_FOUND']);
    expect((await failure('audit', 'verify', path, '--anchor', '9')).error.code).toBe('SOMBRA_USAGE');
  });
});

describe('sombra audit query', () => {
  const found = async (...args: string[]): Promise<number[]> => {
    const { entries } = (await json('audit', 'query', path, ...args)) as { entries: { seq: number }[] };
    return entries.map(({ seq }) => seq);
  };

  it('selects entries', async () => {
    expect(await found()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await found('--user', 'ada', '--since', '2025-01-04')).toEqual([4, 5, 7, 8]);
    expect(await found('--since', '2025-01-02T12:00:00Z', '--until', '2025-01-04')).toEqual([2, 3]);
    expect(await found('--action', 'deleteNodes')).toEqual([9]);
    expect(await found('--node', '7')).toEqual([7, 9]);
    expect(await found('--edge', '7')).toEqual([]);
  });

  it('prints a table, in which control characters do nothing', async () => {
    expect(await text('audit', 'query', path, '--node', '3')).toBe(
      [
        'entry  time                      user           action       nodes                       edges  commit',
        '    3  2025-01-03T12:00:00.000Z  eve\\u001b[31m  addNode      3                                       4',
        '    9  2025-01-09T12:00:00.000Z  eve\\u001b[31m  deleteNodes  1 2 3 4 5 6 7 8 and 4 more             10',
        '',
      ].join('\n'),
    );
    expect(await text('audit', 'query', path, '--user', 'nobody')).toBe('no entry found\n');
  });

  it('says that there is more', async () => {
    const { code, stdout, stderr } = await sombra(['audit', 'query', path, '--limit', '2']);
    expect([code, stdout.split('\n').length]).toEqual([0, 4]);
    expect(stderr).toBe('only the first 2 entries; --limit 0 shows all\n');
    const listed = await sombra(['audit', 'query', path, '--limit', '2', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject({ truncated: true, entries: [{ seq: 1 }, { seq: 2 }] });
  });

  it('refuses what is no time or id, and a line that is no entry', async () => {
    for (const args of [
      ['--since', 'yesterday'],
      ['--until', '12'],
      ['--node', '0'],
    ])
      expect((await failure('audit', 'query', path, ...args)).error.code).toBe('SOMBRA_USAGE');
    appendFileSync(`${path}.1`, 'nonsense\n');
    const { code, error } = await failure('audit', 'query', path);
    expect([code, error.code]).toEqual([2, 'SOMBRA_AUDIT_DAMAGED']);
  });
});
