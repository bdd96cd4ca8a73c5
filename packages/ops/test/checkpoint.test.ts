// Goal: each mode of a checkpoint leaves what it says; a dry run changes nothing.
// Method: a database in memory that another connection writes and reads meanwhile.
import { Graph } from '@sombra/graph';
import { Pager, readFileHeader } from '@sombra/pager';
import type { MemoryVfs } from '@sombra/vfs';
import { expect, test } from 'vitest';
import { checkpointDatabase } from '../src/index.ts';
import { copyOf, everything, PATH, peopleDatabase } from './support/damage.ts';

const SOUND = peopleDatabase(20);

function commit(graph: Graph, count = 1): void {
  for (let i = 0; i < count; i += 1) {
    const tx = graph.begin();
    tx.addNode('Late');
    tx.commit();
  }
}

/** Files with commits in the log, as a process leaves them that died. */
function crashed(): MemoryVfs {
  const vfs = copyOf(SOUND);
  const pager = Pager.open({ vfs, path: PATH });
  commit(Graph.open(pager), 5);
  const image = copyOf(vfs);
  pager.close();
  image.unlink(`${PATH}-shm`);
  return image;
}

test('a dry run says what is in the log, and changes nothing', async () => {
  const vfs = crashed();
  const before = everything(vfs);
  expect(await checkpointDatabase(PATH, { vfs, dryRun: true })).toMatchObject({
    dryRun: true,
    logCommits: 5,
    logFiles: 1,
  });
  expect(everything(vfs)).toEqual(before);
});

test.each(['full', 'restart'] as const)(
  '%s beside a connection that writes: the file holds every commit',
  async (mode) => {
    const vfs = copyOf(SOUND);
    const pager = Pager.open({ vfs, path: PATH });
    const graph = Graph.open(pager);
    commit(graph, 5);
    const report = await checkpointDatabase(PATH, { vfs, mode });
    expect(report).toMatchObject({ mode, commit: pager.view.lsn, logCommits: 0 });
    expect(readFileHeader(vfs, PATH).newest!.checkpointLsn).toBe(pager.view.lsn);
    commit(graph);
    pager.close();
  },
);

test('truncate: no file of the log is left, and it is refused while another connection has the database', async () => {
  const vfs = crashed();
  const pager = Pager.open({ vfs, path: PATH });
  await expect(checkpointDatabase(PATH, { vfs, mode: 'truncate', busyTimeoutMs: 0 })).rejects.toMatchObject({
    code: 'SOMBRA_BUSY',
  });
  pager.close();
  const again = crashed();
  expect(await checkpointDatabase(PATH, { vfs: again, mode: 'truncate' })).toMatchObject({ logFiles: 0, logBytes: 0 });
  expect(again.list('.')).toEqual([PATH]);
});

test('a reader of an older commit is named when it is not over in time', async () => {
  const vfs = copyOf(SOUND);
  const pager = Pager.open({ vfs, path: PATH });
  const graph = Graph.open(pager);
  commit(graph);
  const snapshot = graph.snapshot();
  commit(graph);
  await expect(checkpointDatabase(PATH, { vfs, busyTimeoutMs: 30 })).rejects.toMatchObject({
    code: 'SOMBRA_BUSY',
    details: { lock: 'READ' },
  });
  snapshot.release();
  expect(await checkpointDatabase(PATH, { vfs })).toMatchObject({ commit: pager.view.lsn });
  pager.close();
});

test('options that make no sense are refused', async () => {
  await expect(checkpointDatabase(PATH, { vfs: SOUND, mode: 'passive' as never })).rejects.toMatchObject({
    code: 'SOMBRA_OPTION',
  });
});
