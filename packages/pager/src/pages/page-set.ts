/** A set of page numbers, in pieces of a bitmap: its memory depends on the pages in it, not on the size of the file. */

const SHIFT = 13;
/** Pages of one piece: 1 KiB. */
const PIECE = 1 << SHIFT;

export class PageSet {
  private readonly pieces: (Uint8Array | undefined)[] = [];

  has(pageNumber: number): boolean {
    const at = pageNumber & (PIECE - 1);
    const piece = this.pieces[pageNumber >>> SHIFT];
    return piece !== undefined && (piece[at >>> 3]! & (1 << (at & 7))) !== 0;
  }

  /** @returns false when the page was in it already */
  add(pageNumber: number): boolean {
    const at = pageNumber & (PIECE - 1);
    const piece = (this.pieces[pageNumber >>> SHIFT] ??= new Uint8Array(PIECE >>> 3));
    const bit = 1 << (at & 7);
    if ((piece[at >>> 3]! & bit) !== 0) return false;
    piece[at >>> 3]! |= bit;
    return true;
  }

  delete(pageNumber: number): void {
    const at = pageNumber & (PIECE - 1);
    const piece = this.pieces[pageNumber >>> SHIFT];
    if (piece !== undefined) piece[at >>> 3]! &= ~(1 << (at & 7));
  }
}
