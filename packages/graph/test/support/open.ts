// Opening small graphs in tests. Whatever a test did, its graph must be sound at the end.
import { Pager, type PagerOptions } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect } from 'vitest';
import { Graph, type GraphTransaction } from '../../src/index.ts';

/** Small pages, the smallest cache: eviction all the time. The cache's memory has room for a transaction's pages, too. */
export const SMALL = { path: 'g.db', pageSize: 4096, cacheSize: 8, maxTransactionPages: 1000 } as const;

/** A graph with what it stands on. */
export class OpenGraph {
  readonly vfs = new MemoryVfs();
  pager: Pager;
  graph: Graph;
  private readonly options: Partial<PagerOptions>;

  /** @param image  bytes of a closed file to begin with; without them the graph is new */
  constructor(options: Partial<PagerOptions> = {}, image?: Uint8Array) {
    this.options = options;
    if (image !== undefined) this.vfs.open(SMALL.path, { write: true, create: true }).pwrite([image], 0);
    this.pager = this.openPager();
    this.graph = Graph.open(this.pager);
  }

  get reader(): Graph['reader'] {
    return this.graph.reader;
  }

  /** Runs a transaction and commits it. */
  write<T>(change: (tx: GraphTransaction) => T): T {
    const tx = this.graph.begin();
    try {
      const result = change(tx);
      tx.commit();
      return result;
    } finally {
      tx.rollback();
    }
  }

  /** Closes the file and opens it again. */
  reopen(): void {
    this.pager.close();
    this.pager = this.openPager();
    this.graph = Graph.open(this.pager);
  }

  /** Bytes of the closed file. */
  image(): Uint8Array {
    const file = this.vfs.open(SMALL.path, { write: false });
    const bytes = new Uint8Array(file.stat().size);
    file.pread(bytes, 0);
    file.close();
    return bytes;
  }

  /** Opens the closed file again, below the graph. */
  openPagerAgain(): Pager {
    return this.openPager();
  }

  /** Opens the closed file without the right to write. */
  openReadOnly(): { pager: Pager; graph: Graph } {
    const pager = Pager.open({
      vfs: this.vfs,
      path: SMALL.path,
      readOnly: true,
      cacheSize: SMALL.cacheSize,
      maxTransactionPages: SMALL.maxTransactionPages,
    });
    return { pager, graph: Graph.open(pager) };
  }

  /** What verify finds; empty when all is well. */
  problems(): readonly string[] {
    const report = this.graph.verifyIntegrity();
    expect(report.isClean).toBe(report.errors.length === 0);
    return report.errors;
  }

  /**
   * Ends a test: the graph must be sound, now and after it was opened again, and only the main file is left.
   * @param reopened  called when it was opened again
   */
  close(reopened?: () => void): void {
    expect(this.problems()).toEqual([]);
    this.reopen();
    reopened?.();
    expect(this.problems()).toEqual([]);
    this.pager.close();
    expect(this.vfs.list('.')).toEqual([SMALL.path]);
  }

  private openPager(): Pager {
    return Pager.open({ vfs: this.vfs, ...SMALL, ...this.options });
  }
}

/** Runs a test on a new graph, which must be sound at its end. */
export function withGraph(options: Partial<PagerOptions>, run: (db: OpenGraph) => void): void {
  const db = new OpenGraph(options);
  run(db);
  db.close();
}
