// Goal: sombra-inspect shows a database in whatever state it is, says what is wrong with it, and never changes a byte.
// Method: the built command on real files: closed, left behind by kill -9, damaged on purpose, in use, poisoned; every file is
// compared before and after.
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Pager } from '@sombra/pager';
import { NodeVfs } from '@sombra/vfs';
import { temporaryFolder } from './support/files.ts';
import { importSocial } from './support/social.ts';
import {
  changes,
  damageLog,
  filesOf,
  INSPECT,
  leftBehind,
  REPAIR,
  startOwner,
  tool,
  toolJson,
} from './support/tools.ts';

const folder = temporaryFolder();
const PAGE = 8192;
let number = 0;

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

interface Verified {
  readonly clean: boolean;
  readonly walMissing: boolean;
  readonly fuzzyCopy: boolean;
  readonly commit: number | null;
  readonly checkedPages: number;
  readonly checkedNodes: number;
  readonly complete: boolean;
  readonly findingCount: number;
  readonly findings: readonly {
    readonly code: string;
    readonly page: number | null;
    readonly details: Record<string, unknown>;
  }[];
  readonly warnings: readonly { readonly code: string }[];
}

/** Runs `verify` and proves that it changed nothing. */
async function verify(path: string): Promise<{ code: number | null; data: Verified }> {
  const before = filesOf(path);
  const found = await toolJson<Verified>(INSPECT, 'verify', path);
  expect(changes(before, path)).toEqual([]);
  return found;
}

/** A database of a few nodes that was closed. */
async function closed(): Promise<string> {
  number += 1;
  const path = join(folder, `closed${number}.db`);
  await importSocial(folder, path);
  return path;
}

/** A database whose writer was killed after some commits. @returns its path and the newest commit's node */
async function killed(commits = 20): Promise<{ path: string; nodes: number }> {
  number += 1;
  const path = join(folder, `killed${number}.db`);
  return { path, nodes: await leftBehind(path, commits) };
}

/** Changes bytes of a file. */
function damage(path: string, change: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  change(bytes);
  writeFileSync(path, bytes);
}

let social: string;
beforeAll(async () => {
  social = await closed();
});

describe('a database that was closed', () => {
  it('is clean', async () => {
    const { code, data } = await verify(social);
    expect([code, data]).toMatchObject([
      0,
      { clean: true, walMissing: false, complete: true, findingCount: 0, findings: [], warnings: [] },
    ]);
    expect(data.checkedNodes).toBeGreaterThan(3);
  });

  it.each(['info', 'stats', 'verify', 'header', 'wal-info'])(
    '%s: text, JSON, and the older order with a note',
    async (verb) => {
      const before = filesOf(social);
      const [text, older] = [await tool(INSPECT, verb, social), await tool(INSPECT, social, verb)];
      expect([text.code, text.stderr]).toEqual([0, '']);
      expect([older.code, older.stdout]).toEqual([0, text.stdout]);
      expect(older.stderr).toBe(
        `note: 'sombra-inspect DB ${verb}' is the older order of arguments; write 'sombra-inspect ${verb} DB'\n`,
      );
      expect(await toolJson(INSPECT, verb, social)).toMatchObject({ code: 0, data: { path: social } });
      expect((await tool(REPAIR, verb, social)).stdout).toBe(text.stdout);
      expect(changes(before, social)).toEqual([]);
    },
  );

  it('is found behind a symbolic link', async () => {
    const link = join(folder, 'link.db');
    symlinkSync(social, link);
    expect((await tool(INSPECT, 'info', link)).code).toBe(0);
  });
});

describe('what is no database, or not there', () => {
  it.each(['info', 'stats', 'verify', 'header', 'wal-info'])('%s of nothing', async (verb) => {
    const { code, stdout, stderr } = await tool(INSPECT, verb, join(folder, 'none.db'), '--json');
    expect([code, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'SOMBRA_NOT_FOUND' } });
  });

  it.each([
    ['an empty file', ''],
    ['text', 'x'.repeat(20_000)],
  ])('verify of %s fails', async (name, content) => {
    const path = join(folder, `${name}.db`);
    writeFileSync(path, content);
    const { code, stderr } = await tool(INSPECT, 'verify', path, '--json');
    expect([code, JSON.parse(stderr)]).toMatchObject([1, { error: { code: 'SOMBRA_NOT_A_DATABASE' } }]);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it('a file that holds no graph is checked page by page, and is not damaged', async () => {
    const path = join(folder, 'pages.db');
    const pager = Pager.open({ vfs: new NodeVfs(), path });
    const tx = pager.begin();
    tx.edit(tx.allocate(17, 1));
    tx.commit();
    pager.close();
    const { code, data } = await verify(path);
    expect([code, data]).toMatchObject([0, { clean: true, complete: false, checkedPages: 3 }]);
    expect(data.warnings.map((warning) => warning.code)).toEqual(['SOMBRA_RECOVERY_REQUIRED']);
    expect((await toolJson(INSPECT, 'stats', path)).code).toBe(0);
    damage(path, (bytes) => (bytes[2 * PAGE + 50]! ^= 1));
    expect(await verify(path)).toMatchObject({ code: 2, data: { findings: [{ code: 'SOMBRA_PAGE_CHECKSUM' }] } });
  });

  it('an unknown verb, and none', async () => {
    expect(await tool(INSPECT, 'vacuum', social)).toMatchObject({ code: 1, stdout: '' });
    expect((await tool(INSPECT)).code).toBe(1);
    expect((await tool(INSPECT, '--help')).code).toBe(0);
    expect((await tool(INSPECT, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('after kill -9', () => {
  it('everything that was acknowledged is seen, and nothing is recovered', async () => {
    const { path, nodes } = await killed();
    const { code, data } = await verify(path);
    expect([code, data.clean, data.warnings]).toEqual([0, true, []]);
    expect(data.checkedNodes).toBeGreaterThanOrEqual(nodes);
    const before = filesOf(path);
    expect([...before.keys()].length).toBeGreaterThan(2);
    expect(await toolJson(INSPECT, 'info', path)).toMatchObject({
      code: 0,
      data: { clean: false, openElsewhere: false },
    });
    expect(await toolJson(INSPECT, 'stats', path)).toMatchObject({ code: 0, data: { nodes: data.checkedNodes } });
    const { data: log } = await toolJson<{ commits: number; segments: { state: string }[] }>(INSPECT, 'wal-info', path);
    expect(log.commits).toBeGreaterThanOrEqual(nodes);
    expect(changes(before, path)).toEqual([]);
  });

  it('a copy without its log is a warning: what a restore of the guide leaves', async () => {
    const { path } = await killed();
    await tool(REPAIR, 'checkpoint', path, '--hold', '--', 'cp', path, `${path}.copy`);
    const { code, data } = await verify(`${path}.copy`);
    expect([code, data.clean, data.walMissing]).toEqual([0, true, true]);
    expect(data.warnings.map((warning) => warning.code)).toEqual(['SOMBRA_WAL_MISSING']);
    expect((await tool(INSPECT, 'verify', `${path}.copy`)).stdout).toContain('warning SOMBRA_WAL_MISSING');
  });

  it('damage in the log: named with its place, and the rest is checked', async () => {
    const { path } = await killed();
    const { at } = damageLog(path);
    const { code, data } = await verify(path);
    expect([code, data.clean, data.complete]).toEqual([2, false, true]);
    const [finding] = data.findings;
    expect(finding).toMatchObject({ code: 'SOMBRA_WAL_DAMAGED', details: { path: `${path}-wal` } });
    expect(finding!.details['offset']).toBeLessThanOrEqual(at);
    expect(data.findings).toHaveLength(1);
    const log = await toolJson(INSPECT, 'wal-info', path);
    expect(log).toMatchObject({ code: 2, data: { damage: [{ code: 'SOMBRA_WAL_DAMAGED' }] } });
    expect(await tool(INSPECT, 'stats', path)).toMatchObject({ code: 2 });
  });
});

describe('damage', () => {
  it('a page: found, with the rest of the file', async () => {
    const path = await closed();
    damage(path, (bytes) => (bytes[12 * PAGE + 50]! ^= 1));
    const { code, data } = await verify(path);
    expect([code, data.clean]).toEqual([2, false]);
    expect(data.findings.map((finding) => finding.code)).toContain('SOMBRA_PAGE_CHECKSUM');
    const { stdout } = await tool(INSPECT, 'verify', path);
    expect(stdout).toMatch(/is damaged/);
    expect(stdout).toMatch(/page 12 is damaged/);
  });

  it('the roots page, without which nothing else can be found: the other pages are checked one by one', async () => {
    const path = await closed();
    damage(path, (bytes) => {
      bytes[PAGE + 50]! ^= 1;
      bytes[4 * PAGE + 50]! ^= 1;
    });
    const { code, data } = await verify(path);
    expect([code, data.commit, data.complete]).toEqual([2, null, false]);
    expect(data.checkedPages).toBe(readFileSync(path).length / PAGE - 1);
    expect(data.findings.map(({ page }) => page)).toEqual([1, 4]);
    for (const verb of ['info', 'stats']) {
      const report = await tool(INSPECT, verb, path);
      expect(report.code).toBe(2);
      expect(report.stdout).toContain('damage SOMBRA_PAGE_CHECKSUM');
    }
  });

  it('one slot of the superblock, then both', async () => {
    const path = await closed();
    const { data: header } = await toolJson<{ slots: { offset: number; current: boolean }[] }>(INSPECT, 'header', path);
    const older = header.slots.find(({ current }) => !current)!;
    damage(path, (bytes) => (bytes[older.offset + 40]! ^= 1));
    const { code, data } = await verify(path);
    expect([code, data.findings.map((finding) => finding.code)]).toEqual([2, ['SOMBRA_SUPERBLOCK_SLOT']]);
    expect(await toolJson(INSPECT, 'header', path)).toMatchObject({ code: 2 });
    damage(path, (bytes) => (bytes[4096 - older.offset + 40]! ^= 1));
    const both = await verify(path);
    expect(both.code).toBe(2);
    expect(both.data.findings[0]!.code).toBe('SOMBRA_SUPERBLOCK');
    for (const verb of ['info', 'stats', 'header', 'wal-info']) expect((await tool(INSPECT, verb, path)).code).toBe(2);
  });

  it('a file that was cut', async () => {
    const path = await closed();
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - PAGE));
    const { code, data } = await verify(path);
    expect([code, data.findings[0]!.code]).toEqual([2, 'SOMBRA_FILE_TRUNCATED']);
  });

  it('a fuzzy copy is called one', async () => {
    const { path } = await killed(5);
    await tool(REPAIR, 'checkpoint', path, '--hold', '--', 'cp', path, `${path}.one`);
    const writer = await startOwner('live-writer.mjs', path);
    await writer.until(30);
    await tool(REPAIR, 'checkpoint', path, '--hold', '--', 'cp', path, `${path}.two`);
    await writer.kill();
    const mixed = join(folder, 'mixed.db');
    copyFileSync(`${path}.two`, mixed);
    // The copy began before a checkpoint and ended behind it.
    damage(mixed, (bytes) => void readFileSync(`${path}.one`).copy(bytes, 0, 0, 8192));
    const { code, data } = await verify(mixed);
    expect([code, data.fuzzyCopy]).toEqual([2, true]);
    expect(data.findings[0]!.code).toBe('SOMBRA_PAGE_LSN');
    expect((await tool(INSPECT, 'verify', mixed)).stdout).toContain('fuzzy copy');
  });

  it('more than is wanted is counted', async () => {
    const path = await closed();
    damage(path, (bytes) => {
      for (let page = 2; page < 8; page += 1) bytes[page * PAGE + 50]! ^= 1;
    });
    const { data } = await toolJson<Verified>(INSPECT, 'verify', path, '--max-errors', '2');
    expect(data.findings).toHaveLength(2);
    expect(data.findingCount).toBeGreaterThan(5);
    expect((await tool(INSPECT, 'verify', path, '--max-errors', '2')).stdout).toContain('--max-errors 0 shows all');
  });
});

describe('beside other processes', () => {
  it('a writer goes on while every verb looks at its database', async () => {
    number += 1;
    const path = join(folder, `live${number}.db`);
    const writer = await startOwner('live-writer.mjs', path);
    await writer.until(5);
    for (const verb of ['info', 'stats', 'verify', 'header', 'wal-info']) {
      const before = writer.lines.length;
      const { code, stderr } = await tool(INSPECT, verb, path);
      expect([verb, code, stderr]).toEqual([verb, 0, '']);
      await writer.until(before + 1);
    }
    expect((await toolJson(INSPECT, 'info', path)).data).toMatchObject({
      openElsewhere: true,
      damage: [],
      warnings: [],
    });
    await writer.kill();
    expect((await verify(path)).code).toBe(0);
  });

  it('stats shows cache hit rate and P95 of the process that has it open, as that tells them', async () => {
    number += 1;
    const path = join(folder, `told${number}.db`);
    const writer = await startOwner('live-writer.mjs', path, '1');
    interface Told {
      readonly connections: readonly Record<string, number | string | null>[];
    }
    let told: Told['connections'] = [];
    do {
      await writer.until(writer.lines.length + 10);
      told = (await toolJson<Told>(INSPECT, 'stats', path)).data.connections;
      expect(told).toHaveLength(1);
    } while (told[0]!['pid'] === null);
    expect(told).toEqual([
      {
        pid: writer.pid,
        opened: expect.stringMatching(/^\d{4}-.*Z$/),
        written: expect.stringMatching(/^\d{4}-.*Z$/),
        cacheHitRate: expect.any(Number),
        cacheHits: expect.any(Number),
        cacheMisses: expect.any(Number),
        commits: expect.any(Number),
        p95CommitLatencyMs: expect.any(Number),
        p95ReadLatencyUs: null,
      },
    ]);
    const { cacheHits, cacheMisses, cacheHitRate } = told[0] as Record<string, number>;
    expect(cacheHitRate).toBe(cacheHits! / (cacheHits! + cacheMisses!));
    const { stdout } = await tool(INSPECT, 'stats', path);
    expect(stdout).toMatch(
      new RegExp(`^process +figures of +cache hit rate +commits +P95 commit +P95 read\n${writer.pid} +20`, 'm'),
    );
    await writer.kill();
    expect((await toolJson<Told>(INSPECT, 'stats', path)).data.connections).toEqual([]);
  });

  it('stats says of a process that tells nothing that its figures are not known', async () => {
    const path = await closed();
    const silent = Pager.open({ vfs: new NodeVfs(), path });
    const { data } = await toolJson(INSPECT, 'stats', path);
    expect(data['connections']).toEqual([expect.objectContaining({ pid: null, cacheHitRate: null })]);
    const { stdout } = await tool(INSPECT, 'stats', path);
    expect(stdout).toContain('1 connection: cache hit rate and P95 not known');
    silent.close();
  });

  it('a poisoned database is read, and said to be one', async () => {
    number += 1;
    const path = join(folder, `poisoned${number}.db`);
    const owner = await startOwner('poisoned-owner.mjs', path);
    expect(owner.lines).toEqual(['ready SOMBRA_COMMIT_UNKNOWN']);
    const { code, data } = await toolJson<Verified>(INSPECT, 'verify', path);
    expect([code, data.clean, data.warnings.map((warning) => warning.code)]).toEqual([
      0,
      true,
      ['SOMBRA_LOCK_POISONED'],
    ]);
    expect((await toolJson(INSPECT, 'stats', path)).data).toMatchObject({
      labels: expect.arrayContaining([{ label: 'Safe', nodes: 1 }]),
    });
    await owner.kill();
    expect(await verify(path)).toMatchObject({ code: 0, data: { clean: true, warnings: [] } });
  });
});
