/** Brings a restored copy to a later commit, with what an archive has of the log. */
import { toHex } from '@sombra/vfs';
import type { LogReplay, PlacedHeader } from '@sombra/pager';
import { LogStream, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import { damagedPiece } from '../archive/errors.ts';
import type { IndexedPiece, TimelineIndex } from '../archive/index-of-log.ts';
import { openPiece } from '../archive/piece.ts';
import { checkName, readPlacedPages } from '../archive/verify-log.ts';
import type { VerifyLogParts } from '../archive/verify-log.ts';
import type { Manifest } from '../backup/manifest.ts';
import { nextTurn } from '../base/pause.ts';

/** What a replay reads. */
export interface LogSource extends VerifyLogParts {
  readonly index: TimelineIndex;
  /** As `piecesTo` gives them. */
  readonly pieces: readonly IndexedPiece[];
}

/**
 * Applies the commits behind a backup.
 * @param lsn  the last one
 * @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED, SOMBRA_WAL_RECORD, SOMBRA_DELTA_BASE; StateError SOMBRA_ARCHIVE_GAP, SOMBRA_ABORTED; as
 *   `ObjectStore.get`
 */
export async function replayLog(replay: LogReplay, base: Manifest, lsn: number, source: LogSource): Promise<void> {
  const { position, pageSize, databaseId, sourceTimeline: timeline } = base;
  const { seq, offset, chain, salt } = position!;
  const stream = new LogStream(
    { pageSize, databaseId: Buffer.from(databaseId, 'hex'), timeline },
    { seq, offset, chain, salt: Buffer.from(salt, 'hex'), lsn: base.lsn },
  );
  for (const piece of source.pieces) await replayPiece(replay, stream, piece, lsn, source);
  replay.finish();
}

async function replayPiece(
  replay: LogReplay,
  stream: LogStream,
  piece: IndexedPiece,
  lsn: number,
  source: LogSource,
): Promise<void> {
  const { store, env, signal, onRead } = source;
  const { key } = piece;
  const opened = await openPiece(store, key, { signal });
  try {
    const { header } = opened;
    checkName(piece, header);
    const first = new Uint8Array(SEGMENT_HEADER_SIZE);
    /** Offset in the segment of what comes next. */
    let at = header.from;
    for await (const bytes of opened.bytes) {
      const from = at;
      at += bytes.length;
      onRead(bytes.length);
      if (from < SEGMENT_HEADER_SIZE) {
        first.set(bytes.subarray(0, SEGMENT_HEADER_SIZE - from), from);
        if (at >= SEGMENT_HEADER_SIZE && toHex(stream.begin(first, key).salt) !== header.salt)
          throw damagedPiece(key, 'it holds another segment than its header says');
      }
      // What the backup, or the header, has already is passed over.
      const wanted = stream.place.offset + stream.pending;
      if (at > Math.max(wanted, SEGMENT_HEADER_SIZE)) {
        stream.push(bytes.subarray(Math.max(0, wanted - from)));
        await applyRecords(replay, stream, lsn, source);
      }
      if (replay.newest.lsn >= lsn) return;
      await nextTurn(env);
    }
    stream.endSegment();
  } finally {
    opened.close();
  }
}

async function applyRecords(replay: LogReplay, stream: LogStream, lsn: number, source: LogSource): Promise<void> {
  while (replay.newest.lsn < lsn && stream.next()) {
    const { record } = stream;
    let placed: PlacedHeader | undefined;
    const pages = replay.begin(record) ? source.index.pages.get(record.lsn) : undefined;
    if (pages !== undefined) {
      const visit = (pageNumber: number, bytes: Uint8Array, at: number): void =>
        replay.place(record, pageNumber, bytes, at);
      ({ header: placed } = await readPlacedPages(source, pages, replay.pageSize, visit));
    }
    replay.apply(record, placed);
  }
}
