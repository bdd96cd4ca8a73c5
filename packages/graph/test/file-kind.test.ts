// Goal: a graph is not opened as a key-value store, nor a key-value store as a graph, and the file stays as it was. Method: both
// kinds of file, empty and filled, are opened the wrong way and then the right way.
import { KeyValueStore } from '@sombra/btree';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { Graph } from '../src/index.ts';

const PATH = 'kind.db';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return 'no error';
}

test.each([{ filled: false }, { filled: true }])('a graph is no key-value store: filled $filled', ({ filled }) => {
  const vfs = new MemoryVfs();
  const pager = Pager.open({ vfs, path: PATH });
  const graph = Graph.open(pager);
  if (filled) {
    const tx = graph.begin();
    tx.addNode('Person', { name: 'Ada' });
    tx.commit();
  }
  expect(codeOf(() => KeyValueStore.open({ vfs, path: PATH }))).toBe('SOMBRA_FILE_KIND');
  pager.close();
  expect(codeOf(() => KeyValueStore.open({ vfs, path: PATH }))).toBe('SOMBRA_FILE_KIND');
  expect(codeOf(() => KeyValueStore.open({ vfs, path: PATH, readOnly: true }))).toBe('SOMBRA_FILE_KIND');
  expect(vfs.list('.')).toEqual([PATH]);
  const again = Pager.open({ vfs, path: PATH });
  const graphAgain = Graph.open(again);
  expect(graphAgain.reader.nodeCount()).toBe(filled ? 1 : 0);
  expect(graphAgain.verifyIntegrity().isClean).toBe(true);
  again.close();
});

test.each([['default'], ['nodes']])('a key-value store is no graph: tree %s', (tree) => {
  const vfs = new MemoryVfs();
  const store = KeyValueStore.open({ vfs, path: PATH });
  store.tree(tree).put('a', '1');
  store.close();
  const pager = Pager.open({ vfs, path: PATH });
  expect(codeOf(() => Graph.open(pager))).toBe('SOMBRA_GRAPH_FORMAT');
  pager.close();
  const again = KeyValueStore.open({ vfs, path: PATH });
  expect(again.tree(tree).getText('a')).toBe('1');
  expect(again.check()).toEqual([]);
  again.close();
});
