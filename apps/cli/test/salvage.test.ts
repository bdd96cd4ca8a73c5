// Goal: salvage, vacuum and index of `sombra repair` and `sombra-repair` do what their API does, and end with the right exit code.
// Method: the built commands on real files, sound and damaged.
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { temporaryFolder } from './support/files.ts';
import { json, sombra } from './support/cli.ts';
import { importSocial } from './support/social.ts';
import { changes, filesOf, REPAIR, tool, toolJson } from './support/tools.ts';

const folder = temporaryFolder();
const PAGE = 8192;
const social = join(folder, 'social.db');
const damaged = join(folder, 'damaged.db');

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

beforeAll(async () => {
  await importSocial(folder, social);
  const bytes = readFileSync(social);
  const page = bytes.length / PAGE - 1;
  for (let at = 2; at <= page; at += 1)
    if (bytes.subarray(at * PAGE, (at + 1) * PAGE).includes('London')) bytes[at * PAGE + 40]! ^= 1;
  writeFileSync(damaged, bytes);
});

it('salvage of a sound database loses nothing, by either name', async () => {
  const target = join(folder, 'whole.db');
  const before = filesOf(social);
  expect(await json('repair', 'salvage', social, target)).toMatchObject({ isComplete: true, dryRun: false });
  expect(changes(before, social)).toEqual([]);
  expect(await json('verify', target)).toMatchObject({ clean: true, checkedNodes: 4, checkedEdges: 5 });
  const taken = await tool(REPAIR, 'salvage', social, target, '--json');
  expect([taken.code, JSON.parse(taken.stderr)]).toMatchObject([1, { error: { code: 'SOMBRA_FILE_EXISTS' } }]);
});

it('salvage of a damaged one says what is lost, with exit code 2, and changes nothing of it', async () => {
  const target = join(folder, 'rest.db');
  const before = filesOf(damaged);
  const dry = await sombra(['repair', 'salvage', damaged, target, '--dry-run']);
  expect([dry.code, existsSync(target)]).toEqual([2, false]);
  expect(dry.stdout).toContain('would hold');
  const { code, data } = await toolJson<{ isComplete: boolean }>(REPAIR, 'salvage', damaged, target);
  expect([code, data.isComplete, existsSync(target)]).toEqual([2, false, true]);
  expect(changes(before, damaged)).toEqual([]);
  expect(await json('verify', target)).toMatchObject({ clean: true });
});

it('vacuum into a new file, and in place after a copy', async () => {
  const path = join(folder, 'vacuum.db');
  copyFileSync(social, path);
  const compact = join(folder, 'compact.db');
  expect(await json('repair', 'vacuum', path, '--into', compact)).toMatchObject({ target: compact, backup: null });
  expect(await json('verify', compact)).toMatchObject({ clean: true, checkedNodes: 4, checkedEdges: 5, warnings: [] });
  const planned = await sombra(['repair', 'vacuum', path, '--dry-run']);
  expect([planned.code, planned.stdout]).toEqual([0, expect.stringContaining('would be compacted')]);
  expect(readFileSync(path).equals(readFileSync(social))).toBe(true);
  const backup = join(folder, 'before.db');
  const result = await tool(REPAIR, path, 'vacuum', '--backup', backup);
  expect([result.code, result.stdout]).toEqual([0, expect.stringContaining(backup)]);
  expect(await json('verify', path)).toMatchObject({ clean: true, checkedNodes: 4, checkedEdges: 5, warnings: [] });
  expect(await json('verify', backup)).toMatchObject({ clean: true, checkedNodes: 4 });
  expect(statSync(path).size).toBe(statSync(compact).size);
});

it('index builds what there is again', async () => {
  const path = join(folder, 'indexed.db');
  copyFileSync(social, path);
  expect((await sombra(['repair', 'index', path])).stdout).toContain('has no property index');
  await json('index', 'create', path, 'Person', 'name');
  expect(await json('repair', 'index', path)).toMatchObject({ indexes: [{ name: 'Person', outcome: 'rebuilt' }] });
  expect(await json('verify', path)).toMatchObject({ clean: true });
});

it('page: in words, with exit code 2 for a damaged one', async () => {
  const [bad, good] = [readFileSync(damaged), readFileSync(social)];
  const page = Math.floor(bad.findIndex((byte, at) => byte !== good[at]) / PAGE);
  const sound = await tool('sombra-inspect', 'page', social, String(page));
  expect([sound.code, sound.stdout]).toEqual([0, expect.stringContaining("a leaf of tree 'nodes'")]);
  const { code, data } = await toolJson(REPAIR, 'page', damaged, String(page));
  expect([code, data]).toMatchObject([2, { state: 'damaged', page, problem: { code: 'SOMBRA_PAGE_CHECKSUM' } }]);
  expect((await sombra(['inspect', 'page', social, '100000'])).code).toBe(1);
});

it('checkpoint modes, and what there would be to do', async () => {
  const path = join(folder, 'modes.db');
  copyFileSync(social, path);
  const planned = await sombra(['repair', 'checkpoint', path, '--dry-run']);
  expect([planned.code, planned.stdout]).toEqual([0, expect.stringContaining('0 commits')]);
  for (const mode of ['full', 'restart', 'truncate'])
    expect(await json('repair', 'checkpoint', path, '--mode', mode)).toMatchObject({
      mode,
      logFiles: 0,
      logCommits: 0,
    });
  expect((await sombra(['repair', 'checkpoint', path, '--mode', 'passive'])).code).toBe(1);
});
