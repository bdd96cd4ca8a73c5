/** What a write transaction needs of its connection. The writer is the one that implements it, and alone commits. */
import type { Catalogue } from '../format/catalogue.ts';
import type { RootsWriter } from '../format/roots-page.ts';
import type { DirtyPages } from '../pages/dirty-pages.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageSource } from '../reading/page-source.ts';

/** What a commit needs of the transaction. */
export interface Changes extends RootsWriter {
  /** Number of the commit to come. */
  readonly lsn: number;
  readonly catalogue: Catalogue;
  /** Pages that a bulk load wrote to main for this commit, in places that were free. */
  readonly placed: readonly number[];
  /** Base of the roots page, made writable. */
  editRoots(): number;
}

/** See the top of the file. */
export interface TransactionHost {
  readonly cache: PageCache;
  readonly dirty: DirtyPages;
  readonly pages: PageSource;
  /** Of the monotonic clock, ms. */
  now(): number;
  /** Pages of the newest commit that was appended. */
  readonly committedPages: number;
  /** May the file have this many pages? @throws DataError SOMBRA_DATABASE_FULL */
  checkSize(pageCount: number): void;
  takeCatalogue(): Catalogue;
  giveCatalogue(catalogue: Catalogue): void;
  /** Commits the running transaction. @returns lsn of the commit, or of the one before when nothing changed */
  commit(changes: Changes): number;
  /** Appends it; it is published when a sync covers it. @returns fulfilled with the lsn when it is durable and published */
  commitAsync(changes: Changes): Promise<number>;
  /** It was committed, and has ended: perhaps a checkpoint, perhaps the tenure ends. Never throws: the commit stands. */
  afterCommit(): void;
  /** It was rolled back, and has ended. */
  rolledBack(changes: Changes): void;
}
