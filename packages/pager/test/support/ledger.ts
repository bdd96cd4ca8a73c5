// What several processes were promised: a reference model without a protocol. Every commit writes a number of its own into the database,
// so that a reader says by itself which commit it sees; the ledger knows what that commit holds, and which one it was made on top of.
import type { Pager, View } from '../../src/index.ts';
import type { ModelState } from './model.ts';
import { compare, EMPTY, examine } from './model.ts';

/** The counter that holds the number of the commit. */
export const NUMBER = 0;

/** Something is not as it was promised. */
export class Broken extends Error {
  static {
    this.prototype.name = 'Broken';
  }
}

/** A commit that was tried. */
export interface Entry {
  readonly number: number;
  readonly lsn: number;
  /** The one that it was made on top of; null for the empty database. */
  readonly parent: Entry | null;
  readonly by: string;
  state: ModelState;
}

/** See the top of the file. */
export class Ledger {
  /** Newest commit that was seen or acknowledged: every connection sees it, or a later one that was made on top of it. */
  newest: Entry;
  /** lsn of the newest commit that is in the main file for certain. */
  private checkpointLsn = 0;
  private readonly entries = new Map<number, Entry>();
  /** Is what was seen or acknowledged durable? Otherwise a power loss may take the end of it. */
  private readonly full: boolean;

  constructor(full: boolean) {
    this.full = full;
    const empty: Entry = { number: 0, lsn: 0, parent: null, by: 'nobody', state: EMPTY };
    this.entries.set(0, empty);
    this.newest = empty;
  }

  /** Number of commits that were tried. */
  get count(): number {
    return this.entries.size - 1;
  }

  /** A process has begun to write. @param on  what the transaction reads */
  begin(on: View, lsn: number, by: string): Entry {
    const parent = this.find(on, `${by} writes`);
    if (parent.lsn !== lsn - 1)
      throw new Broken(`${by} writes commit ${lsn} and reads commit ${parent.lsn} as the one before`);
    const entry: Entry = { number: this.entries.size, lsn, parent, by, state: parent.state };
    this.entries.set(entry.number, entry);
    return entry;
  }

  /** Which commit does a view see? It must be one, whole. */
  private find(view: View, who: string): Entry {
    const number = view.counter(NUMBER);
    const entry = this.entries.get(number);
    if (entry === undefined) throw new Broken(`${who}: nobody made commit number ${number}`);
    return entry;
  }

  /**
   * A view of the newest commit was read.
   * @param least  the newest commit that was known when it began
   */
  read(view: View, least: Entry, who: string): Entry {
    const entry = this.find(view, who);
    if (!isBefore(least, entry)) throw new Broken(`${who}: ${nameOf(entry)} is seen after ${nameOf(least)}`);
    this.check(view, entry, who);
    this.publish(entry, who);
    return entry;
  }

  /** A view of a commit that is known was read. */
  check(view: View, entry: Entry, who: string): void {
    if (view.lsn !== entry.lsn) throw new Broken(`${who}: ${nameOf(entry)} is seen as commit ${view.lsn}`);
    expectNone(`${who}, ${nameOf(entry)}`, compare(view, entry.state));
  }

  /** A commit was acknowledged, or seen. */
  publish(entry: Entry, who: string): void {
    if (isBefore(entry, this.newest)) return;
    if (!isBefore(this.newest, entry))
      throw new Broken(`${who}: ${nameOf(entry)} is published, and not on top of ${nameOf(this.newest)}`);
    this.newest = entry;
  }

  /** A checkpoint has brought everything up to this commit to the main file. */
  checkpointed(lsn: number): void {
    this.checkpointLsn = Math.max(this.checkpointLsn, lsn);
  }

  /** A connection that was opened after a crash. @param lost  a power loss; otherwise all processes died */
  recovered(pager: Pager, lost: boolean, who: string): Entry {
    const entry = this.find(pager.view, who);
    const keepsAll = this.full || !lost;
    if (keepsAll && !isBefore(this.newest, entry))
      throw new Broken(`${who}: ${nameOf(entry)} is found, ${nameOf(this.newest)} was promised`);
    if (entry.lsn < this.checkpointLsn)
      throw new Broken(`${who}: ${nameOf(entry)} is found, and a checkpoint had ended at commit ${this.checkpointLsn}`);
    if (!isBefore(entry, this.newest) && !isBefore(this.newest, entry))
      throw new Broken(`${who}: ${nameOf(entry)} is found, which does not go on from ${nameOf(this.newest)}`);
    this.check(pager.view, entry, who);
    expectNone(`${who}, check`, examine(pager, entry.state));
    return entry;
  }
}

/** Is `later` the same commit, or was it made on top of it? */
function isBefore(entry: Entry, later: Entry): boolean {
  let at: Entry | null = later;
  while (at !== null && at.lsn > entry.lsn) at = at.parent;
  return at === entry;
}

function nameOf({ number, lsn, by }: Entry): string {
  return `commit ${lsn} (number ${number}, by ${by})`;
}

export function expectNone(what: string, wrong: readonly string[]): void {
  if (wrong.length > 0) throw new Broken(`${what}: ${wrong.slice(0, 4).join('; ')}`);
}
