const ITERATOR_PROTOTYPE = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/**
 * What a find, a scan or a walk over paths gives: rows that are read as they are asked for. Nothing is read, and nothing held,
 * before the first one. Afterwards what it reads from is kept as it was until the last row, `return`, or an error: run it to its
 * end, by `for` or `all`, or leave it, by `break`, `first` or `using`.
 */
export class Rows<T> implements IterableIterator<T, undefined>, Disposable {
  private readonly begin: () => Iterator<T>;
  private steps: Iterator<T> | undefined;
  private ended = false;

  /** @internal @param begin  starts the iteration */
  constructor(begin: () => Iterator<T>) {
    this.begin = begin;
  }

  next(): IteratorResult<T, undefined> {
    if (this.ended) return { done: true, value: undefined };
    try {
      this.steps ??= this.begin();
      const step = this.steps.next();
      if (step.done !== true) return step;
    } catch (error) {
      this.end();
      throw error;
    }
    this.end();
    return { done: true, value: undefined };
  }

  /** Ends it. Idempotent. */
  return(): IteratorResult<T, undefined> {
    this.end();
    return { done: true, value: undefined };
  }

  /** The rows that are left, as a list. */
  all(): T[] {
    const rows: T[] = [];
    for (let step = this.next(); step.done !== true; step = this.next()) rows.push(step.value);
    return rows;
  }

  /** The next row, which ends the rest; undefined when there is none. */
  first(): T | undefined {
    try {
      return this.next().value;
    } finally {
      this.end();
    }
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.end();
  }

  /** Lets go of what is held. Called once, whether it was begun or not. @internal */
  protected letGo(): void {
    // what was begun lets go by itself
  }

  private end(): void {
    if (this.ended) return;
    this.ended = true;
    try {
      this.steps?.return?.();
    } finally {
      this.letGo();
    }
  }

  static {
    // As generators: with `map`, `take` and so on where the platform has them.
    Object.setPrototypeOf(this.prototype, ITERATOR_PROTOTYPE);
  }
}
