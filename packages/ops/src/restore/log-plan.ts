/** Which pieces of an archive bring a backup to a commit: found, and looked over for gaps, before anything is written. */
import { LogStream, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { LogPlace } from '@sombra/wal';
import { gap, noTarget } from '../archive/errors.ts';
import type { IndexedPiece, TimelineIndex } from '../archive/index-of-log.ts';
import { openPiece, readPieceHeader } from '../archive/piece.ts';
import type { PieceHeader } from '../archive/piece.ts';
import type { Manifest } from '../backup/manifest.ts';
import type { ObjectStore } from '../base/object-store.ts';

/**
 * What a restore leads to: `latest`, the newest commit that is archived; a number, that commit; a time, the last commit that was made at that time
 * or before.
 */
export type RestoreTarget = 'latest' | number | Date;

/** Pieces that hold the commits behind `base` up to `lsn`, in order. @throws StateError SOMBRA_ARCHIVE_GAP; DataError SOMBRA_RESTORE_TARGET */
export function piecesTo(index: TimelineIndex, base: Manifest, lsn: number): readonly IndexedPiece[] {
  // By their places: segments without a commit, which a close leaves, are needed to go on.
  const position = base.position!;
  const pieces: IndexedPiece[] = [];
  let [at, seq, to] = [base.lsn, position.seq, position.offset];
  for (const piece of index.pieces) {
    if (at >= lsn) break;
    if (piece.seq < position.seq || (piece.seq === position.seq && piece.to <= position.offset)) continue;
    const joins =
      pieces.length === 0 && piece.seq === seq
        ? piece.before <= at && piece.from <= to // it may begin before the backup
        : piece.before === at && (piece.seq === seq ? piece.from === to : piece.seq === seq + 1 && piece.from === 0);
    pieces.push(piece);
    if (!joins)
      throw gap(`between commit ${at} and ${piece.key} the archive lacks a part of the log`, {
        lsn: at,
        key: piece.key,
      });
    ({ seq, to, last: at } = piece);
  }
  if (at >= lsn) return pieces;
  const newest = Math.max(base.lsn, index.pieces.at(-1)?.last ?? 0);
  if (newest >= lsn) throw gap(`behind commit ${at} the archive lacks a part of the log`, { lsn: at });
  throw noTarget(`commit ${lsn} is not archived: the newest one is ${newest}; restore to that with at: 'latest'`, {
    lsn,
    newest,
  });
}

/**
 * The last commit of a timeline, from `base` on, that was made at a time or before.
 * @throws DataError SOMBRA_RESTORE_TARGET: the archive ends before that time, so that there may be others which it lacks; as `openPiece`
 */
export async function commitAt(
  store: ObjectStore,
  index: TimelineIndex,
  base: Manifest,
  time: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  // Those without a commit have no time.
  const pieces = index.pieces.filter(({ before, last }) => last > base.lsn && last > before);
  const headers = new Map<number, PieceHeader>();
  const headerOf = async (at: number): Promise<PieceHeader> => {
    const known = headers.get(at) ?? (await readPieceHeader(store, pieces[at]!.key, { signal }));
    headers.set(at, known);
    return known;
  };
  // The first piece with a commit that is later. Times ascend.
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((await headerOf(middle)).lastTime > time) high = middle;
    else low = middle + 1;
  }
  if (low < pieces.length) return await lastBefore(store, pieces[low]!, index, time, base.lsn, signal);
  const end = pieces.length === 0 ? undefined : await headerOf(pieces.length - 1);
  const ends =
    end === undefined ? { lsn: base.lsn, time: Date.parse(base.time) } : { lsn: end.last, time: end.lastTime };
  if (ends.time === time) return ends.lsn;
  throw noTarget(
    `the archive ends with commit ${ends.lsn} of ${new Date(ends.time).toISOString()}, before ${new Date(time).toISOString()}: later commits may be missing in it; restore to that one with at: 'latest'`,
    { newest: ends.lsn, newestTime: ends.time },
  );
}

/** Reads a piece up to its first commit that is later. */
async function lastBefore(
  store: ObjectStore,
  piece: IndexedPiece,
  index: TimelineIndex,
  time: number,
  least: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const opened = await openPiece(store, piece.key, { signal });
  try {
    const { header } = opened;
    const before = index.pieces[index.pieces.indexOf(piece) - 1];
    const from = piece.from === 0 ? undefined : await placeBehind(store, before, piece, signal);
    const reader = new PieceRecords(header, from);
    for await (const bytes of opened.bytes) {
      const stream = reader.push(bytes, piece.key);
      while (stream?.next() === true) {
        if (stream.record.time > time) return Math.max(least, stream.record.lsn - 1);
      }
    }
    return Math.max(least, header.last);
  } finally {
    opened.close();
  }
}

async function placeBehind(
  store: ObjectStore,
  before: IndexedPiece | undefined,
  { key, from }: IndexedPiece,
  signal: AbortSignal | undefined,
): Promise<LogPlace> {
  const header = before === undefined ? undefined : await readPieceHeader(store, before.key, { signal });
  if (header?.to !== from) throw gap(`the archive lacks what is before ${key}`, { key });
  return placeOf(header);
}

/** The place in the log behind a piece. */
export function placeOf({ seq, to, chain, salt, last }: PieceHeader): LogPlace {
  return { seq, offset: to, chain, salt: Buffer.from(salt, 'hex'), lsn: last };
}

/** Records of one piece: of a whole segment from its own header on. */
class PieceRecords {
  private readonly header: PieceHeader;
  private readonly first = new Uint8Array(SEGMENT_HEADER_SIZE);
  private stream: LogStream | undefined;
  private missing: number;

  constructor(header: PieceHeader, from: LogPlace | undefined) {
    this.header = header;
    this.missing = from === undefined ? SEGMENT_HEADER_SIZE : 0;
    if (from !== undefined) this.stream = new LogStream(this.identity(), from);
  }

  push(bytes: Uint8Array, key: string): LogStream | undefined {
    const taken = Math.min(this.missing, bytes.length);
    this.first.set(bytes.subarray(0, taken), SEGMENT_HEADER_SIZE - this.missing);
    this.missing -= taken;
    if (this.missing > 0) return undefined;
    this.stream ??= LogStream.ofSegment(this.identity(), this.first, key);
    this.stream.push(bytes.subarray(taken));
    return this.stream;
  }

  private identity(): ConstructorParameters<typeof LogStream>[0] {
    const { pageSize, databaseId, timeline } = this.header;
    return { pageSize, databaseId: Buffer.from(databaseId, 'hex'), timeline };
  }
}
