import type { GraphSnapshot } from '@sombra/graph';
import type { SnapshotKeeper } from './snapshot-keeper.ts';

const ITERATOR_PROTOTYPE = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/**
 * An iterator over a snapshot of its own, taken at the first step and let go at the end, by `return` or by an error. It is
 * an object apart from the generator it runs, so that one that is dropped half way can be collected, and noticed.
 */
export class HeldIterator<T> implements IterableIterator<T, undefined> {
  private readonly keeper: SnapshotKeeper;
  private readonly begin: (snapshot: GraphSnapshot) => Iterator<T>;
  private snapshot: GraphSnapshot | undefined;
  private steps: Iterator<T> | undefined;
  private ended = false;

  /** @param begin  starts the iteration over a snapshot */
  constructor(keeper: SnapshotKeeper, begin: (snapshot: GraphSnapshot) => Iterator<T>) {
    this.keeper = keeper;
    this.begin = begin;
  }

  next(): IteratorResult<T, undefined> {
    if (this.ended) return { done: true, value: undefined };
    try {
      this.steps ??= this.start();
      const step = this.steps.next();
      if (step.done !== true) return step;
    } catch (error) {
      this.end();
      throw error;
    }
    this.end();
    return { done: true, value: undefined };
  }

  return(): IteratorResult<T, undefined> {
    this.end();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  private start(): Iterator<T> {
    this.snapshot = this.keeper.take();
    this.keeper.keepFor(this, this.snapshot);
    return this.begin(this.snapshot);
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    try {
      this.steps?.return?.();
    } finally {
      if (this.snapshot !== undefined) this.keeper.letGo(this, this.snapshot);
    }
  }

  static {
    // As generators: with `map`, `take` and so on where the platform has them.
    Object.setPrototypeOf(this.prototype, ITERATOR_PROTOTYPE);
  }
}
