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

  /** What came after the savepoint was taken back. */
  rewind(savepoint: number): void {
    this.list.length = Math.min(this.list.length, this.marks.get(savepoint) ?? 0);
  }

  /** In the order in which they were written. */
  get mutations(): readonly Mutation[] {
    return this.list;
  }
}
