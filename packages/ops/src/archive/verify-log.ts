/** The proof that the archive of a log has no gap: every piece is read, every record joins the one before, and pages of bulk loads are there. */
import { toHex } from '@sombra/vfs';
import type { SombraError, VfsEnv } from '@sombra/vfs';
import { needsPlacedPages, PlacedReader } from '@sombra/pager';
import { LogStream, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import { nextTurn } from '../base/pause.ts';
import type { ObjectStore } from '../base/object-store.ts';
import { damagedPiece, gap } from './errors.ts';
import type { IndexedPages, IndexedPiece, TimelineIndex } from './index-of-log.ts';
import { openPiece } from './piece.ts';
import type { PieceHeader } from './piece.ts';

/** Commits that follow each other in an archive. */
export interface VerifiedRange {
  readonly timeline: number;
  /** The commit before the first one: a backup of it, or of a later one, can be brought to any commit up to the last one. */
  readonly before: number;
  readonly last: number;
  /** When the first and the last were made, ms since 1970; 0 without one. */
  readonly firstTime: number;
  readonly lastTime: number;
  readonly objects: number;
  /** Bytes of the log, before compression. */
  readonly bytes: number;
  /** What ends it before the archive does; undefined at the end of the archive. */
  readonly error: SombraError | undefined;
}

/** What reading needs. */
export interface VerifyLogParts {
  readonly store: ObjectStore;
  readonly env: VfsEnv;
  readonly signal: AbortSignal | undefined;
  /** Gets the bytes of the log that have been read. */
  readonly onRead: (bytes: number) => void;
}

/** @returns ranges in order: one when the timeline has no gap @throws as `ObjectStore.get`; StateError SOMBRA_ABORTED */
export async function verifyTimeline(parts: VerifyLogParts, index: TimelineIndex): Promise<VerifiedRange[]> {
  const ranges: VerifiedRange[] = [];
  for (let at = 0; at < index.pieces.length; ) {
    const range = new Range(parts, index, at);
    const found = await range.read();
    ranges.push(found);
    at = Math.max(at + 1, range.at);
  }
  return ranges;
}

/** What says that something is wrong with the archive, and not that it could not be looked at. */
const FOUND: ReadonlySet<string> = new Set([
  'SOMBRA_ARCHIVE_GAP',
  'SOMBRA_ARCHIVE_DAMAGED',
  'SOMBRA_WAL_RECORD',
  'SOMBRA_BACKUP_FORMAT',
]);
const OF_PAGES = /^SOMBRA_PAGE_/;

class Range {
  /** Index of the piece behind the last one that was read. */
  at: number;
  private readonly parts: VerifyLogParts;
  private readonly index: TimelineIndex;
  private readonly first: IndexedPiece;
  private stream: LogStream | undefined;
  private before: PieceHeader | undefined;
  private pageCount = 0;
  /** The commit before the first one. */
  private begins: number;
  private last: number;
  private firstTime = 0;
  private lastTime = 0;
  private objects = 0;
  private bytes = 0;

  constructor(parts: VerifyLogParts, index: TimelineIndex, at: number) {
    this.parts = parts;
    this.index = index;
    this.at = at;
    this.first = index.pieces[at]!;
    this.begins = this.last = this.first.before;
  }

  async read(): Promise<VerifiedRange> {
    let error: SombraError | undefined;
    try {
      for (; this.at < this.index.pieces.length; this.at += 1) await this.readPiece(this.index.pieces[this.at]!);
      this.stream?.endSegment();
    } catch (caught) {
      if (!FOUND.has((caught as SombraError).code)) throw caught;
      error = caught as SombraError;
    }
    const { timeline } = this.first;
    const { begins: before, last, firstTime, lastTime, objects, bytes } = this;
    return { timeline, before, last, firstTime, lastTime, objects, bytes, error };
  }

  private async readPiece(piece: IndexedPiece): Promise<void> {
    const { store, env, signal } = this.parts;
    const { key } = piece;
    const opened = await openPiece(store, key, { signal });
    try {
      const { header } = opened;
      checkName(piece, header);
      if (this.before !== undefined && header.databaseId !== this.before.databaseId)
        throw damagedPiece(key, `it is of the database with id ${header.databaseId}`);
      let skip = header.from === 0 ? SEGMENT_HEADER_SIZE : 0;
      const first = new Uint8Array(SEGMENT_HEADER_SIZE);
      for await (const bytes of opened.bytes) {
        const taken = Math.min(skip, bytes.length);
        first.set(bytes.subarray(0, taken), SEGMENT_HEADER_SIZE - skip);
        skip -= taken;
        if (taken > 0 && skip === 0) this.begin(piece, header, first);
        if (this.stream === undefined)
          throw gap(`${key} begins within a segment, and nothing is there before it`, { key });
        this.stream.push(bytes.subarray(taken));
        await this.readRecords(this.stream, header.pageSize);
        this.bytes += bytes.length;
        this.parts.onRead(bytes.length);
        await nextTurn(env);
      }
      const { place } = this.stream!;
      if (place.offset !== header.to || place.chain !== header.chain || place.lsn !== header.last)
        throw damagedPiece(key, 'it ends elsewhere than its header says');
      this.before = header;
      this.objects += 1;
    } finally {
      opened.close();
    }
  }

  private begin({ key }: IndexedPiece, header: PieceHeader, first: Uint8Array): void {
    const { pageSize, timeline } = header;
    const identity = { pageSize, databaseId: Buffer.from(header.databaseId, 'hex'), timeline };
    this.stream ??= LogStream.ofSegment(identity, first, key);
    const { salt, seq } = this.stream.begin(first, key);
    if (toHex(salt) !== header.salt || seq !== header.seq)
      throw damagedPiece(key, 'it holds another segment than its header says');
  }

  private async readRecords(stream: LogStream, pageSize: number): Promise<void> {
    while (stream.next()) {
      const { record } = stream;
      if (this.firstTime === 0) this.firstTime = record.time;
      // Of the first commit it is not known how many pages there were before.
      const pageCount = this.pageCount === 0 ? record.pageCount : this.pageCount;
      if (needsPlacedPages(record, pageCount)) {
        // In the segment that was written as the archive began, loads from before have no pages: what is archived begins behind them.
        if (this.isAtBeginning && !this.index.pages.has(record.lsn)) {
          this.begins = record.lsn;
          this.firstTime = 0;
        } else await this.readPages(record.lsn, pageSize);
      }
      this.pageCount = record.pageCount;
      this.last = record.lsn;
      this.lastTime = record.time;
    }
  }

  private get isAtBeginning(): boolean {
    return this.index.pieces[this.at]!.seq === this.index.pieces[0]!.seq;
  }

  private async readPages(lsn: number, pageSize: number): Promise<void> {
    const pages = this.index.pages.get(lsn);
    if (pages === undefined) throw gap(`commit ${lsn} is one of a bulk load, and its pages are not there`, { lsn });
    const { bytes } = await readPlacedPages(this.parts, pages, pageSize, () => undefined);
    this.bytes += bytes;
    this.objects += 1;
  }
}

/** A piece has to be what its name says. @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED */
export function checkName(piece: IndexedPiece, header: PieceHeader): void {
  const { kind, timeline, seq, from, to, before, last, key } = piece;
  const isSame =
    header.kind === kind &&
    header.timeline === timeline &&
    header.seq === seq &&
    header.from === from &&
    header.to === to &&
    header.before === before &&
    header.last === last;
  if (!isSame) throw damagedPiece(key, 'its header says other things than its name');
}

/**
 * Reads the pages of a bulk load, each of which is checked.
 * @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED; as `openPiece`
 */
export async function readPlacedPages(
  { store, env, signal, onRead }: VerifyLogParts,
  { key, lsn }: IndexedPages,
  pageSize: number,
  visit: ConstructorParameters<typeof PlacedReader>[1],
): Promise<{ readonly bytes: number; readonly header: ReturnType<PlacedReader['end']> }> {
  const opened = await openPiece(store, key, { signal });
  try {
    const reader = new PlacedReader(key, visit);
    for await (const bytes of opened.bytes) {
      reader.push(bytes);
      onRead(bytes.length);
      await nextTurn(env);
    }
    const header = reader.end();
    if (opened.header.kind !== 'pages' || header.lsn !== lsn || header.pageSize !== pageSize)
      throw damagedPiece(key, 'it holds other pages than its name says');
    return { bytes: opened.header.to, header };
  } catch (error) {
    if (OF_PAGES.test(String((error as { code?: unknown }).code)))
      throw damagedPiece(key, (error as Error).message, error);
    throw error;
  } finally {
    opened.close();
  }
}
