// Lives that a crash may cut short at any operation.
import type { Script } from './life.ts';

const times = (count: number, action: () => void): void => {
  for (let i = 0; i < count; i += 1) action();
};

export const SCRIPTS: readonly Script[] = [
  {
    name: 'create, close, open, close',
    run(life) {
      life.open();
      life.close();
      life.open();
      life.close();
    },
  },
  {
    name: 'small and large commits',
    run(life) {
      life.open();
      times(3, () => life.commit(2));
      life.fill(7); // larger than a segment
      times(2, () => life.commit(6));
      life.fill(2);
      life.commit(20);
      life.close();
    },
  },
  {
    name: 'rollbacks and savepoints',
    run(life) {
      life.open();
      life.fill(3);
      life.rollback(12);
      life.commit(25);
      life.rollback(5);
      life.commit(25);
    },
  },
  {
    name: 'checkpoints',
    run(life) {
      life.open();
      times(3, () => {
        life.fill(2);
        times(2, () => life.commit());
        life.checkpoint();
      });
      life.checkpoint(); // with nothing to do
      life.commit();
      life.close();
    },
  },
  {
    name: 'rotation and recycled segments',
    options: { checkpointAfterBytes: 24 * 1024 },
    run(life) {
      life.open();
      times(24, () => life.fill(1));
      life.close();
    },
  },
  {
    name: 'a snapshot holds the checkpoint back',
    run(life) {
      life.open();
      life.fill(3);
      life.snapshot();
      times(3, () => life.commit());
      life.checkpoint();
      life.fill(4);
      life.checkpoint();
      life.releaseSnapshots();
      life.commit();
      life.checkpoint();
      life.commit();
    },
  },
  {
    name: 'bulk load',
    run(life) {
      life.open();
      life.bulk(6);
      life.commit();
      life.bulk(5, false);
      life.fill(2); // over what the load left behind
      life.checkpoint();
      life.bulk(3);
      life.close();
    },
  },
  {
    name: 'bulk loads into free pages',
    run(first, restart) {
      first.open();
      first.bulk(14);
      first.free(12);
      first.commit();
      first.bulk(7); // after a checkpoint of its own
      first.commit();
      first.free(9);
      first.bulk(5, false);
      first.fill(2); // over what the load left behind
      let life = restart();
      life.open();
      life.free(8);
      life.bulk(20); // fills them, and grows
      life.snapshot();
      life.free(16);
      life.bulk(3); // beside them
      life.releaseSnapshots();
      life.bulk(6);
      life = restart();
      life.open();
      life.commit();
      life.checkpoint();
      life.close();
    },
  },
  {
    name: 'bulk loads into free pages, log in memory',
    options: { enableWal: false },
    run(life) {
      life.open();
      life.bulk(14);
      life.free(12);
      life.bulk(7);
      life.commit();
      life.bulk(3, false);
      life.commit();
      life.checkpoint();
      life.close();
      life.open();
      life.free(9);
      life.bulk(6);
      life.close();
    },
  },
  {
    name: 'pages made and freed in one transaction',
    run(life) {
      life.open();
      life.fill(2);
      life.waste(6);
      life.commit();
      life.waste(12);
      life.checkpoint();
      life.waste(3);
      life.close();
    },
  },
  {
    name: 'clean close and reopen',
    run(life) {
      times(4, () => {
        life.open();
        times(2, () => life.commit());
        life.close();
      });
      life.open();
      life.checkpoint();
      life.close();
    },
  },
  {
    name: 'killed and recovered',
    run(first, restart) {
      first.open();
      first.fill(5);
      first.commit();
      first.checkpoint();
      first.fill(4);
      let life = restart();
      life.open();
      life.commit();
      life = restart();
      life.open();
      life = restart();
      life.open();
      life.fill(5);
      life.checkpoint();
      life.commit();
      life.close();
    },
  },
  {
    name: 'log in memory',
    options: { enableWal: false },
    run(life) {
      life.open();
      life.fill(4);
      life.commit();
      life.checkpoint();
      life.bulk(3);
      times(3, () => life.commit(8));
      life.checkpoint();
      life.commit();
      life.close();
      life.open();
      life.commit();
      life.close();
    },
  },
  {
    name: 'with and without a log file',
    run(first, restart) {
      first.open();
      first.fill(2);
      first.close();
      first.open({ enableWal: false });
      first.commit();
      first.close();
      first.open();
      first.commit();
      const life = restart();
      life.open({ enableWal: false });
      life.commit();
      life.checkpoint();
      life.commit();
      life.close();
      life.open();
      life.commit();
      life.close();
    },
  },
  {
    name: 'checkpoints in the background',
    options: { checkpointAfterBytes: 20 * 1024 },
    async run(life) {
      life.open();
      for (let i = 0; i < 14; i += 1) {
        life.fill(1);
        if (i % 2 === 1) await life.turns();
      }
      await life.turns(20);
      life.commit();
      life.close();
    },
  },
  {
    name: 'group commit',
    async run(life) {
      life.open();
      await life.commitTogether(3);
      await life.commitTogether(5, 1);
      life.commit();
      await life.commitTogether(2, 6);
      life.close();
    },
  },
  {
    name: 'two connections',
    options: { locking: 'shared' },
    run(life) {
      life.open();
      life.commit();
      const other = life.another();
      life.commit();
      life.fill(3);
      life.checkpoint();
      other.close();
      life.commit();
      life.close();
    },
  },
  {
    name: 'sync mode normal',
    options: { syncMode: 'normal', checkpointAfterBytes: 40 * 1024 },
    run(life) {
      life.open();
      times(6, () => life.commit());
      life.checkpoint();
      times(16, () => life.fill(1));
      life.commit();
      life.close();
    },
  },
  {
    name: 'sync mode off',
    options: { syncMode: 'off' },
    run(first, restart) {
      first.open();
      times(3, () => first.commit());
      first.checkpoint();
      first.fill(5);
      const life = restart();
      life.open();
      life.commit();
      life.checkpoint();
      life.close();
    },
  },
];

/** A checkpoint in several batches: pages of 64 KiB, so that few operations are enough. */
export const BATCHES: Script = {
  name: 'several batches of a checkpoint',
  options: { pageSize: 65536, maxTransactionPages: 300, maxWalSizeMb: 100 },
  run(life) {
    life.open();
    life.fill(132);
    life.checkpoint();
    life.close();
  },
};
