/** What an archive holds of a log, as the names of its objects say. */
import type { ObjectStore } from '../base/object-store.ts';
import { archiveFolder, parseKey } from './names.ts';
import type { PagesName, PieceName } from './names.ts';

/** A piece of the log. */
export interface IndexedPiece extends PieceName {
  readonly key: string;
  /** Bytes as stored, header included. */
  readonly size: number;
}

/** Pages of a bulk load. */
export interface IndexedPages extends PagesName {
  readonly key: string;
  readonly size: number;
}

/** The log of one timeline. */
export interface TimelineIndex {
  readonly timeline: number;
  /**
   * In the order of the log. Of a segment there is the whole, or the tails that hold it from its beginning on, one behind the other. Unless something is
   * missing, or was archived from two places, each goes on where the one before ends.
   */
  readonly pieces: readonly IndexedPiece[];
  /** By commit. */
  readonly pages: ReadonlyMap<number, IndexedPages>;
  /** Tails whose bytes other pieces hold. */
  readonly superseded: readonly IndexedPiece[];
  /** Time of day at which its newest object was written, by the clock of the place, ms since 1970. */
  readonly modifiedMs: number;
}

/** Lists an archive. @returns its timelines, that which was written last at the end @throws as `ObjectStore.list` */
export async function readLogIndex(
  store: ObjectStore,
  name: string,
  signal: AbortSignal | undefined,
): Promise<TimelineIndex[]> {
  const found = new Map<number, { pieces: IndexedPiece[]; pages: Map<number, IndexedPages>; modifiedMs: number }>();
  for await (const { key, size, modifiedMs } of store.list(archiveFolder(name), { signal })) {
    const parsed = parseKey(name, key);
    if (parsed === undefined) continue;
    let timeline = found.get(parsed.timeline);
    if (timeline === undefined)
      found.set(parsed.timeline, (timeline = { pieces: [], pages: new Map(), modifiedMs: 0 }));
    timeline.modifiedMs = Math.max(timeline.modifiedMs, modifiedMs);
    if (parsed.kind === 'pages') timeline.pages.set(parsed.lsn, { ...parsed, key, size });
    else timeline.pieces.push({ ...parsed, key, size });
  }
  const timelines = [...found].map(([timeline, { pieces, pages, modifiedMs }]) => ({
    timeline,
    pages,
    modifiedMs,
    ...chosen(pieces),
  }));
  return timelines.sort((a, b) => a.modifiedMs - b.modifiedMs || a.timeline - b.timeline);
}

/** Of each segment the pieces that hold most of it, and all that lie behind a hole: whoever reads them finds it. */
function chosen(all: readonly IndexedPiece[]): Pick<TimelineIndex, 'pieces' | 'superseded'> {
  const pieces: IndexedPiece[] = [];
  const superseded: IndexedPiece[] = [];
  const bySegment = new Map<number, IndexedPiece[]>();
  for (const piece of all) {
    const beside = bySegment.get(piece.seq);
    if (beside === undefined) bySegment.set(piece.seq, [piece]);
    else beside.push(piece);
  }
  for (const seq of [...bySegment.keys()].sort((a, b) => a - b)) {
    let end = 0;
    // The longest first where several begin together.
    for (const piece of bySegment.get(seq)!.sort((a, b) => a.from - b.from || b.to - a.to)) {
      if (piece.to <= end) superseded.push(piece);
      else {
        pieces.push(piece);
        end = piece.to;
      }
    }
  }
  return { pieces, superseded };
}
