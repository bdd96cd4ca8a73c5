// What two or three connections do with one graph: a little of everything that touches files, each with names that the others have
// never heard of.
import { IoError } from '@sombra/vfs';
import type { ModelGraph } from './model.ts';
import type { Stage, Step } from './shared-life.ts';
import type { GraphTransaction } from '../../src/index.ts';

type Change = (to: ModelGraph | GraphTransaction) => void;

/** A transaction that commits. */
function commit({ life, graph }: Stage, change: Change): void {
  const tx = graph.begin();
  try {
    change(tx);
    life.attempt(change);
    tx.commit();
    life.acknowledged();
  } finally {
    tx.rollback();
  }
}

/** Nodes and an edge whose label, type and key are brand new. */
const addNames =
  (name: string, size = 1): Change =>
  (to) => {
    const a = to.addNode([`L${name}`], { [`k${name}`]: 1 });
    const b = to.addNode([`L${name}`, 'Common'], { common: name, pad: 'x'.repeat(size) });
    to.addEdge(a, b, `T${name}`, { since: 1 });
  };

const add =
  (name: string, size?: number): Step[2] =>
  (stage) =>
    commit(stage, addNames(name, size));

/** Transactions that share a sync. */
async function together({ life, graph }: Stage, names: readonly string[]): Promise<void> {
  const done: Promise<void>[] = [];
  try {
    for (const name of names) {
      const tx = graph.begin();
      try {
        addNames(name)(tx);
        life.attempt(addNames(name));
        done.push(tx.commitAsync().then(() => life.acknowledged()));
      } finally {
        tx.rollback();
      }
    }
  } finally {
    const failed = (await Promise.allSettled(done)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  }
}

const find =
  (name: string): Step[2] =>
  ({ life, graph }) => {
    const found = [...graph.reader.findNodes({ label: `L${name}`, where: { [`k${name}`]: 1 }, select: [] })].length;
    const wanted = life.model.labels.includes(`L${name}`) ? 1 : 0;
    if (found !== wanted) throw new Error(`found ${found} nodes of L${name}, expected ${wanted}`);
  };

const checkpoint: Step[2] = ({ graph }) => void graph.pager.checkpoint();
const close: Step[2] = ({ own }) => own.close();
const pause: Step[2] = ({ life }) => life.pause();

const bulkLoad: Step[2] = ({ life, graph }) => {
  life.attempt((draft) => {
    draft.addNode(['Bulk'], { code: 'a' });
    draft.addNode(['Bulk'], { code: 'b' });
    draft.addEdge(1, 2, 'LOADED');
  });
  graph.bulkLoad({
    nodes: [
      { labels: 'Bulk', properties: { code: 'a' } },
      { labels: 'Bulk', properties: { code: 'b' } },
    ],
    edges: [{ source: 0, target: 1, type: 'LOADED' }],
  });
  life.acknowledged();
};

const createIndex =
  (key: string, unique: boolean): Step[2] =>
  ({ life, graph }) => {
    life.attempt((draft) => void draft.createIndex({ on: 'node', name: 'Common', keys: [key], unique }));
    graph.createPropertyIndex('Common', key, { unique });
    life.acknowledged();
  };

const dropIndex =
  (key: string): Step[2] =>
  ({ life, graph }) => {
    life.severalCommits = true;
    life.attempt((draft) => void draft.dropIndex({ on: 'node', name: 'Common', keys: [key] }));
    graph.dropPropertyIndex('Common', key);
    life.acknowledged();
  };

const snapshot: Step[2] = ({ life, own, graph }) => {
  own.snapshot = { held: graph.snapshot(), model: life.model };
};

const release: Step[2] = ({ own }) => {
  const { snapshot: ended } = own;
  own.snapshot = undefined;
  ended?.held.release();
};

const archive: Step[2] = ({ life, graph }) => {
  graph.pager.markArchived(0);
  life.archive(true);
};

const endArchive: Step[2] = ({ life, graph }) => {
  graph.pager.endArchive();
  life.archive(false);
};

const verify: Step[2] = ({ graph }) => {
  const { errors } = graph.verifyIntegrity();
  const [first] = errors;
  // A page that cannot be read is one of the findings.
  if (first !== undefined && errors.every((error) => error.startsWith('SOMBRA_IO: ')))
    throw new IoError('SOMBRA_IO', first);
  if (first !== undefined) throw new Error(errors.join('; '));
};

const open: Step[2] = () => undefined;

/** The graph that every script begins with, but the one that creates it. */
export const PRELUDE: readonly Step[] = [
  [0, 'commit', add('Early')],
  [0, 'commit', add('Before', 9000)],
  [0, 'close', close],
];

export interface Script {
  readonly name: string;
  readonly steps: readonly Step[];
  /** It begins without a file. */
  readonly fromNothing?: boolean;
}

export const SCRIPTS: readonly Script[] = [
  {
    name: 'names of others',
    steps: [
      [0, 'open', open],
      [1, 'commit', add('A')],
      [0, 'find', find('A')],
      [0, 'commit', add('B')],
      [1, 'find', find('B')],
      [2, 'commit', add('C')],
      [0, 'commit', add('D')],
      [2, 'close', close],
    ],
  },
  {
    name: 'a new file and a bulk load',
    fromNothing: true,
    steps: [
      [0, 'open', open],
      [2, 'bulk load', bulkLoad],
      [0, 'commit', add('A')],
      [1, 'find', find('A')],
    ],
  },
  {
    name: 'indexes',
    steps: [
      [0, 'commit', add('A')],
      [1, 'create index', createIndex('common', true)],
      [0, 'commit', add('B')],
      [0, 'create index', createIndex('pad', false)],
      [1, 'drop index', dropIndex('common')],
      [0, 'commit', add('C')],
    ],
  },
  {
    name: 'commits together',
    steps: [
      [1, 'open', open],
      [0, 'commit together', (stage) => together(stage, ['A', 'B', 'C'])],
      [1, 'find', find('C')],
      [1, 'commit together', (stage) => together(stage, ['D', 'E'])],
      [0, 'find', find('E')],
    ],
  },
  {
    name: 'snapshots and checkpoints beside the work',
    steps: [
      [0, 'snapshot', snapshot],
      [1, 'commit', add('A', 14000)],
      [1, 'commit', add('B', 14000)],
      [1, 'pause', pause],
      [0, 'release', release],
      [0, 'commit', add('C', 14000)],
      [0, 'pause', pause],
      [1, 'checkpoint', checkpoint],
    ],
  },
  {
    name: 'an archive',
    steps: [
      [1, 'begin an archive', archive],
      [0, 'commit', add('A', 14000)],
      [0, 'checkpoint', checkpoint],
      [1, 'commit', add('B', 14000)],
      [2, 'end the archive', endArchive],
      [0, 'checkpoint', checkpoint],
    ],
  },
  {
    name: 'closing, opening, verifying',
    steps: [
      [0, 'commit', add('A')],
      [1, 'commit', add('B')],
      [1, 'close', close],
      [0, 'commit', add('C')],
      [1, 'find', find('C')],
      [0, 'close', close],
      [1, 'verify', verify],
      [1, 'close', close],
      [0, 'commit', add('D')],
    ],
  },
];
