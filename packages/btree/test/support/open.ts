// Opening small databases in tests. Whatever a test did, its trees must be sound at the end and no page may be lost.
import { Pager, type PagerOptions, type View, type WriteTransaction } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { expect } from 'vitest';
import { BTree } from '../../src/index.ts';

/** Small pages, the smallest cache: eviction all the time. */
export const SMALL = { path: 't.db', pageSize: 4096, cacheSize: 8, maxTransactionPages: 2000 } as const;

/** What is wrong with the trees and pages of the newest commit. */
export function problemsOf(pager: Pager): string[] {
  const found: string[] = [];
  const below = pager.check({
    reachable: (mark) => {
      for (const { name } of pager.view.trees()) {
        for (const { code, message } of BTree.open(pager.view, name)!.check(pager.view, mark))
          found.push(`${code}: ${message}`);
      }
    },
  });
  return [...found, ...below.map(({ code, message }) => `${code}: ${message}`)];
}

/** A database with one tree, 'data'. */
export class OpenTree {
  readonly vfs = new MemoryVfs();
  pager: Pager;
  tree: BTree;
  private readonly options: Partial<PagerOptions>;

  constructor(options: Partial<PagerOptions> = {}) {
    this.options = options;
    this.pager = this.open();
    this.tree = this.write((tx) => BTree.create(tx, 'data'));
  }

  get view(): View {
    return this.pager.view;
  }

  /** Runs a transaction and commits it. */
  write<T>(change: (tx: WriteTransaction) => T): T {
    const tx = this.pager.begin();
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
    this.pager = this.open();
    this.tree = BTree.open(this.view, 'data')!;
  }

  problems(): string[] {
    return problemsOf(this.pager);
  }

  /** Ends a test: all must be sound, now and after the file was opened again, and only the file is left. */
  close(): void {
    expect(this.problems()).toEqual([]);
    this.pager.close();
    this.pager = this.open();
    expect(this.problems()).toEqual([]);
    this.pager.close();
    expect(this.vfs.list('.')).toEqual([SMALL.path]);
  }

  private open(): Pager {
    return Pager.open({ vfs: this.vfs, ...SMALL, ...this.options });
  }
}

/** Runs a test on a new tree, which must be sound at its end. */
export function withTree(run: (db: OpenTree) => void, options: Partial<PagerOptions> = {}): void {
  const db = new OpenTree(options);
  run(db);
  db.close();
}
