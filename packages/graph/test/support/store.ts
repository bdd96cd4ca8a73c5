// A graph put together by hand, so that tests reach its parts.
import { AdjacencyWriter } from '../../src/adjacency/adjacency-writer.ts';
import { EdgeColumns } from '../../src/adjacency/edge-columns.ts';
import { IndexChanges } from '../../src/indexes/index-changes.ts';
import { RecordWriter } from '../../src/records/record-writer.ts';
import { LiveReader } from '../../src/read/snapshot.ts';
import { GraphStore } from '../../src/store/store.ts';
import { Workspace } from '../../src/traversal/workspace.ts';
import { GraphTransaction } from '../../src/write/transaction.ts';
import type { HintTable } from '../../src/ids/hint-table.ts';
import type { Pager } from '@sombra/pager';
import type { Random } from './random.ts';

export class StoreGraph {
  readonly pager: Pager;
  readonly store: GraphStore;
  readonly workspace: Workspace;
  readonly reader: LiveReader;

  constructor(pager: Pager, hintMemory = 1 << 20) {
    GraphStore.create(pager);
    this.pager = pager;
    this.store = new GraphStore(pager, hintMemory);
    this.workspace = new Workspace(this.store);
    this.reader = new LiveReader(this.store, this.workspace, pager.view);
  }

  /** Runs a transaction and commits it. */
  write<T>(change: (tx: GraphTransaction) => T): T {
    const { store, pager } = this;
    const tx = new GraphTransaction(store, this.workspace, pager.begin(), {
      records: new RecordWriter(),
      out: new AdjacencyWriter(store.out, pager.pageSize, store.everyType),
      in: new AdjacencyWriter(store.in, pager.pageSize, store.everyType),
      indexes: new IndexChanges(store.dictionary, store),
      incident: new EdgeColumns(),
    });
    try {
      const result = change(tx);
      tx.commit();
      return result;
    } finally {
      tx.rollback();
    }
  }

  /** Makes every hint name a random page and slot, some of which exist. */
  scrambleHints(random: Random): void {
    const { out, in: into, nodes, edges } = this.store;
    for (const hints of [out.hints, into.hints, nodes.hints, edges.hints])
      scramble(hints, random, this.pager.view.pageCount);
  }
}

function scramble(hints: HintTable, random: Random, pageCount: number): void {
  for (let place = 0; place < hints.pages.length; place += 1) {
    hints.pages[place] = random.chance(0.9) ? random.below(pageCount + 2) : random.next();
    hints.slots[place] = random.chance(0.9) ? random.below(40) : random.below(65_536);
  }
}
