// Databases that are backed up in tests: small graphs that change at random, beside a digest of what they hold at each commit.
import { createHash } from 'node:crypto';
import { Graph } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import type { PagerOptions } from '@sombra/pager';
import type { Vfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';

/** Small pages, the smallest cache, segments of 16 KiB. */
export const TINY = { pageSize: 4096, cacheSize: 8, maxTransactionPages: 256, maxWalSizeMb: 0.0625 } as const;

/** Everything that a graph holds, as one text. */
export function digestOf(graph: Graph): string {
  const hash = createHash('sha256');
  for (const { id, labels, properties } of graph.reader.nodes())
    hash.update(`node ${id} ${labels.join(',')} ${JSON.stringify(properties)}\n`);
  for (const { id, source, target, type, properties } of graph.reader.edges())
    hash.update(`edge ${id} ${source} ${target} ${type} ${JSON.stringify(properties)}\n`);
  return hash.digest('hex');
}

/** A graph that is open, and what it holds as of each of its commits. */
export class GraphLife {
  readonly path: string;
  readonly random: Random;
  pager: Pager;
  graph: Graph;
  /** Digests by lsn. */
  readonly states: Map<number, string>;
  private readonly vfs: Vfs;
  private readonly options: Partial<PagerOptions>;

  constructor(
    vfs: Vfs,
    path: string,
    seed: number,
    options: Partial<PagerOptions> = {},
    states = new Map<number, string>(),
  ) {
    this.vfs = vfs;
    this.path = path;
    this.options = options;
    this.random = new Random(seed);
    this.states = states;
    this.pager = Pager.open({ ...TINY, vfs, path, ...options });
    this.graph = Graph.open(this.pager);
    this.note();
  }

  get lsn(): number {
    return this.pager.view.lsn;
  }

  /** A transaction that adds, changes and removes. @param writes  how many nodes it touches */
  write(writes = 4): void {
    const { random, graph } = this;
    const tx = graph.begin();
    const ids = [...graph.reader.nodeIds()];
    for (let i = 0; i < writes; i += 1) {
      const dice = random.below(10);
      const known = ids.length === 0 ? undefined : random.pick(ids);
      if (known === undefined || dice < 6) {
        const id = tx.addNode('Person', { name: `n${random.below(1000)}`, notes: 'x'.repeat(random.below(900)) });
        if (known !== undefined) tx.addEdge(known, id, 'KNOWS', { since: random.below(100) });
      } else if (dice < 8) tx.setNodeProperty(known, 'age', random.below(100));
      else {
        tx.deleteNode(known, { cascade: true });
        ids.splice(ids.indexOf(known), 1);
      }
    }
    tx.commit();
    this.note();
  }

  reopen(): void {
    this.pager.close();
    this.pager = Pager.open({ ...TINY, vfs: this.vfs, path: this.path, ...this.options });
    this.graph = Graph.open(this.pager);
    this.note();
  }

  /** Other processes see what is committed by a view of their own. */
  note(): void {
    this.states.set(this.lsn, digestOf(this.graph));
  }

  close(): void {
    this.pager.close();
  }
}

/** What a database file holds: its commit, its digest, and what is wrong with it. */
export function examine(vfs: Vfs, path: string): { lsn: number; digest: string; problems: string[] } {
  const pager = Pager.open({ ...TINY, pageSize: undefined, vfs, path, createIfMissing: false });
  try {
    const graph = Graph.open(pager);
    const report = graph.verifyIntegrity();
    const problems = [...report.errors.map(String), ...pager.warnings.map(({ code }) => code)];
    return { lsn: pager.view.lsn, digest: digestOf(graph), problems };
  } finally {
    pager.close();
  }
}
