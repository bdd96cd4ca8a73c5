// Goal: a page is described in words, sound or damaged, without changing the file.
// Method: every page of a graph in memory, and pages that were damaged.
import { rootsPage } from '@sombra/pager';
import { expect, test } from 'vitest';
import { inspectPage } from '../src/index.ts';
import { bytesOf, copyOf, everything, flip, PAGE_SIZE, PATH, peopleDatabase, withGraph } from './support/damage.ts';

const SOUND = peopleDatabase(400);
const PAGES = bytesOf(SOUND).length / PAGE_SIZE;
const FIRST = rootsPage(PAGE_SIZE);

test('every page of a sound file is valid or free, and something refers to it', () => {
  const before = everything(SOUND);
  const kinds = new Map<string, number>();
  for (let page = FIRST; page < PAGES; page += 1) {
    const report = inspectPage(PATH, page, { vfs: SOUND });
    expect([page, report.problem?.code ?? null, report.checksum.actual]).toEqual([
      page,
      null,
      report.checksum.expected,
    ]);
    expect([page, report.header.number, report.offset]).toEqual([page, page, page * PAGE_SIZE]);
    if (!report.what.startsWith('an overflow page')) expect([page, report.referredBy.length]).toEqual([page, 1]);
    const word = report.what.replace(/'.*/, '');
    kinds.set(word, (kinds.get(word) ?? 0) + 1);
  }
  expect([...kinds.keys()].sort()).toEqual([
    'a branch of tree ',
    'a leaf of tree ',
    expect.stringMatching(/^a page of the freelist|^the roots page/) as string,
    ...(kinds.size > 3 ? [expect.any(String) as string] : []),
  ]);
  expect(everything(SOUND)).toEqual(before);
});

test('entries in words: nodes, names, children', () => {
  const dictionary = withPage('dictionary');
  expect(inspectPage(PATH, dictionary, { vfs: SOUND }).entries.slice(0, 3)).toEqual([
    "label 0: 'Person'",
    "label 1: 'Admin'",
    "edge type 0: 'KNOWS'",
  ]);
  const branch = inspectPage(PATH, withPage('nodes'), { vfs: SOUND, maxEntries: 2 });
  expect(branch).toMatchObject({
    what: "a branch of tree 'nodes', level 1",
    referredBy: ["the catalogue: root of tree 'nodes'"],
  });
  expect(branch.entries).toHaveLength(2);
  expect(branch.entryCount).toBeGreaterThan(2);
  const leaf = inspectPage(PATH, Number(/^page (\d+)/.exec(branch.entries[0]!)![1]), { vfs: SOUND });
  expect(leaf.entries[0]).toMatch(/^node 1: \d+ bytes$/);
});

test('a damaged page: both checksums, and what leads to it', () => {
  const vfs = copyOf(SOUND);
  const page = withPage('edges');
  flip(vfs, page * PAGE_SIZE + 99);
  const report = inspectPage(PATH, page, { vfs });
  expect(report).toMatchObject({
    state: 'damaged',
    problem: { code: 'SOMBRA_PAGE_CHECKSUM' },
    entryCount: null,
    entries: [],
  });
  expect(report.checksum.actual).not.toBe(report.checksum.expected);
  expect(report.referredBy).toEqual(["the catalogue: root of tree 'edges'"]);
});

test('without the catalogue a page is described by itself', () => {
  const vfs = copyOf(SOUND);
  flip(vfs, FIRST * PAGE_SIZE + 99);
  expect(inspectPage(PATH, FIRST, { vfs })).toMatchObject({ state: 'damaged' });
  expect(inspectPage(PATH, withPage('nodes'), { vfs })).toMatchObject({
    state: 'valid',
    what: 'a branch of tree number 1, level 1',
    referredBy: [],
  });
});

test('numbers that no page has are refused', () => {
  for (const page of [0, PAGES])
    expect(() => inspectPage(PATH, page, { vfs: SOUND })).toThrow(
      expect.objectContaining({ code: 'SOMBRA_PAGE_RANGE' }) as Error,
    );
  expect(() => inspectPage(PATH, 1.5, { vfs: SOUND })).toThrow(
    expect.objectContaining({ code: 'SOMBRA_OPTION' }) as Error,
  );
});

function withPage(tree: string): number {
  return withGraph(SOUND, PATH, (_graph, pager) => pager.view.treeRoot(pager.view.findTree(tree)));
}
