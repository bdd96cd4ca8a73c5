import type { Mutation } from './hooks.ts';

/** What one transaction has written so far, less what was taken back. */
export class MutationRecorder {
  private list: Mutation[] = [];
  /** How long the list was at each savepoint that is open. */
  private readonly marks = new Map<number, number>();

  note(mutation: Mutation): void {
    this.list.push(mutation);
  }

  mark(savepoint: number): void {
    this.marks.set(savepoint, this.list.length);
  }

  /** What came after the savepoint was taken back; it stays open. */
  rewind(savepoint: number): void {
    const mark = this.marks.get(savepoint);
    if (mark !== undefined) this.list.length = mark;
    this.forget(savepoint + 1);
  }

  /** The savepoint and those after it were ended; what came after them stays. */
  release(savepoint: number): void {
    this.forget(savepoint);
  }

  /** Savepoints are numbered upwards. */
  private forget(from: number): void {
    for (const savepoint of this.marks.keys()) if (savepoint >= from) this.marks.delete(savepoint);
  }

  /** In the order in which they were written. */
  get mutations(): readonly Mutation[] {
    return this.list;
  }
}
