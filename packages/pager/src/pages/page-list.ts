/** Page numbers in the order in which they were added, each once. */
import { PageSet } from './page-set.ts';

export class PageList {
  count = 0;
  private readonly set = new PageSet();
  private list = new Uint32Array(16);

  has(pageNumber: number): boolean {
    return this.count > 0 && this.set.has(pageNumber);
  }

  /** @returns false when it is there already */
  add(pageNumber: number): boolean {
    if (!this.set.add(pageNumber)) return false;
    if (this.count === this.list.length) {
      const list = new Uint32Array(this.count * 2);
      list.set(this.list);
      this.list = list;
    }
    this.list[this.count++] = pageNumber;
    return true;
  }

  /** The page that was added as number `index`, from 0. */
  at(index: number): number {
    return this.list[index]!;
  }

  /** Takes back all but the first `count`. */
  rewind(count: number): void {
    while (this.count > count) this.set.delete(this.list[(this.count -= 1)]!);
  }
}
