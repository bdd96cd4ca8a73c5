/**
 * Where keys were found last: id -> leaf page and slot. Volatile, of fixed size at most, never trusted: the tree checks page
 * kind, tree, slot and key at each use. That is enough for every view, since a freed page is empty in the version of the
 * commit that freed it: a leaf that a view sees is a leaf of the tree in that view.
 */

const FIRST_SIZE = 1024;
const BYTES_PER_HINT = 6;

export class HintTable {
  /** Leaf pages by place; 0: nothing noted. */
  pages = new Uint32Array(FIRST_SIZE);
  /** Slots by place. */
  slots = new Uint16Array(FIRST_SIZE);
  private size = FIRST_SIZE;
  private readonly sizeMax: number;

  /** @param memory  bytes that it may take; it begins with 6 KiB */
  constructor(memory: number) {
    let size = FIRST_SIZE;
    while (size * 2 * BYTES_PER_HINT <= memory) size *= 2;
    this.sizeMax = size;
  }

  /** Bytes in use. */
  get memory(): number {
    return this.size * BYTES_PER_HINT;
  }

  /** Place of an id; when there are more ids than places, some share one. */
  place(id: number): number {
    return id < this.size ? id : id % this.size;
  }

  /** Notes where the key of an id was found. */
  note(place: number, page: number, slot: number): void {
    this.pages[place] = page;
    this.slots[place] = slot;
  }

  /** Makes room for ids up to `id`, as far as memory allows. */
  fit(id: number): void {
    if (id < this.size || this.size === this.sizeMax) return;
    let { size } = this;
    while (size <= id && size < this.sizeMax) size *= 2;
    const pages = new Uint32Array(size);
    const slots = new Uint16Array(size);
    pages.set(this.pages);
    slots.set(this.slots);
    this.pages = pages;
    this.slots = slots;
    this.size = size;
  }
}
