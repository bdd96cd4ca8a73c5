/**
 * The newest commits that one connection knows.
 *
 * Invariants:
 * 1. `published` is the newest published commit that this connection has followed the log to.
 * 2. `tail` is the newest commit that was appended. Between the two lie the commits of the group that waits for its sync.
 * 3. Only the write transaction that a catalogue was taken for changes it; after that it never changes.
 */
import { assert } from '@sombra/vfs';
import { Catalogue } from '../format/catalogue.ts';
import { treeSlots } from '../format/roots-page.ts';

/** Catalogues that are kept for transactions to come: as many as usually wait for a sync together. */
const SPARES = 128;

/** See the top of the file. */
export class Commits {
  private newest: Catalogue;
  private appendedLast: Catalogue;
  private readonly slots: number;
  private readonly spares: Catalogue[] = [];

  constructor(pageSize: number, published: Catalogue) {
    this.slots = treeSlots(pageSize);
    this.newest = this.appendedLast = published;
  }

  get published(): Catalogue {
    return this.newest;
  }

  get tail(): Catalogue {
    return this.appendedLast;
  }

  /** Commits of other connections were followed. */
  followed(newest: Catalogue): void {
    this.newest = this.appendedLast = newest;
  }

  /** A transaction of this connection was appended: the next one builds on it. */
  appended(commit: Catalogue): void {
    this.appendedLast = commit;
  }

  /** A commit of this connection, and those before it, was published. @returns the one that was published before */
  publish(commit: Catalogue): Catalogue {
    const before = this.newest;
    assert(commit.lsn >= before.lsn && commit.lsn <= this.appendedLast.lsn, 'commits are published in order');
    this.newest = commit;
    return before;
  }

  /** A catalogue for a transaction or a savepoint, to be given back. What it holds does not matter. */
  take(): Catalogue {
    return this.spares.pop() ?? new Catalogue(this.slots);
  }

  /** No view sees this catalogue any more. */
  give(catalogue: Catalogue): void {
    if (this.spares.length < SPARES) this.spares.push(catalogue);
  }
}
