// Goal: property indexes are built again from the records, damaged ones too.
// Method: a graph in memory; an index tree is damaged.
import { Pager } from '@sombra/pager';
import { expect, test } from 'vitest';
import { rebuildIndexes, vacuumInto, verifyDatabase } from '../src/index.ts';
import { copyOf, everything, flip, PAGE_SIZE, PATH, peopleDatabase, withGraph } from './support/damage.ts';

const SOUND = peopleDatabase(400);

test('a sound index is built again, and is the same', async () => {
  const vfs = copyOf(SOUND);
  const before = withGraph(vfs, PATH, ({ reader }) => reader.propertyIndexes());
  expect(await rebuildIndexes(PATH, { vfs })).toEqual([
    { on: 'node', name: 'Person', keys: ['age'], unique: false, outcome: 'rebuilt', why: null, leftPages: false },
  ]);
  expect(withGraph(vfs, PATH, ({ reader }) => reader.propertyIndexes())).toEqual(before);
  expect((await verifyDatabase(PATH, { vfs })).isClean).toBe(true);
});

test('an index whose pages are damaged is built again; a vacuum removes the pages', async () => {
  const vfs = copyOf(SOUND);
  const pager = Pager.open({ vfs, path: PATH });
  const page = pager.view.trees().find(({ name }) => name.startsWith('index-'))!.root;
  pager.close();
  flip(vfs, page * PAGE_SIZE + 200);
  expect((await verifyDatabase(PATH, { vfs })).checksumFailures).toBe(1);
  expect(await rebuildIndexes(PATH, { vfs })).toMatchObject([{ outcome: 'rebuilt', leftPages: true }]);
  const found = withGraph(
    vfs,
    PATH,
    ({ reader }) => [...reader.findNodes({ label: 'Person', where: { age: 7 } })].length,
  );
  expect(found).toBe(5);
  await vacuumInto(PATH, 'compact.db', { vfs });
  expect((await verifyDatabase('compact.db', { vfs })).isClean).toBe(true);
});

test('a dry run changes nothing, and a name without an index is refused', async () => {
  const vfs = copyOf(SOUND);
  const before = everything(vfs);
  expect(await rebuildIndexes(PATH, { vfs, name: 'Person', dryRun: true })).toMatchObject([{ outcome: 'kept' }]);
  expect(everything(vfs)).toEqual(before);
  await expect(rebuildIndexes(PATH, { vfs, name: 'City' })).rejects.toMatchObject({ code: 'SOMBRA_INDEX_NOT_FOUND' });
});
