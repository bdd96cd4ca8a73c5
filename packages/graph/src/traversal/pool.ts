/** Keeps a scratch structure for the next call. One that is in use is never handed out twice: calls may lie in each other. */
export class Pool<T> {
  private readonly create: () => T;
  private spare: T | undefined;

  constructor(create: () => T) {
    this.create = create;
  }

  take(): T {
    const taken = this.spare ?? this.create();
    this.spare = undefined;
    return taken;
  }

  /** Gives back what `take` gave. */
  give(taken: T): void {
    this.spare = taken;
  }
}
