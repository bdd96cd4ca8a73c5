/**
 * Following the log (rule R3): a connection indexes it from the checkpoint on, and goes on from where it was. A connection that lags
 * behind the checkpoint, or had the database open while it was cured, drops what it knows.
 *
 * Invariants:
 * 1. The index holds the commits above `index.baseLsn`, without a gap, up to the newest that was followed.
 * 2. `segments` knows every segment that the index names; `floor` is the least of them.
 */
import { assert } from '@sombra/vfs';
import { LogFiles } from '@sombra/wal';
import type { LogTail, RecordView, WalOptions } from '@sombra/wal';
import type { Catalogue } from '../format/catalogue.ts';
import { readRootsPage, rootsPage } from '../format/roots-page.ts';
import { saltBytes } from '../format/salt.ts';
import { indexRecord } from '../pages/index-record.ts';
import type { PageCache } from '../pages/page-cache.ts';
import type { PageIndex } from '../pages/page-index.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { Header } from '../sharing/header.ts';
import type { ReadMarks } from '../sharing/read-marks.ts';
import type { MainFile } from './main-file.ts';

/** What following is made of. */
export interface FollowedLogParts {
  readonly header: Header;
  readonly marks: ReadMarks;
  readonly main: MainFile;
  readonly index: PageIndex;
  readonly cache: PageCache;
  readonly reader: VersionReader;
  readonly walOptions: () => WalOptions;
}

/** The log as one connection has followed it. */
export class FollowedLog {
  private readonly parts: FollowedLogParts;
  private known: LogFiles;
  private least: number;
  /** Of the header that was followed last. */
  private epoch: number;

  /** @param segments  what recovery read, undefined when the log has not been read yet */
  constructor(parts: FollowedLogParts, segments: LogFiles | undefined) {
    this.parts = parts;
    this.epoch = parts.header.state.epoch;
    this.least = parts.header.state.replaySeq;
    this.known = segments ?? new LogFiles(parts.walOptions());
    parts.reader.attach(this.known);
  }

  /** The segments of the log, for reading. Others after a cure, or when a log comes into being. */
  get segments(): LogFiles {
    return this.known;
  }

  /** Least segment that the index names. */
  get floor(): number {
    return this.least;
  }

  /** Was the database cured since the log was followed last (rule E1)? Then descriptors and names from before are no longer valid. */
  get isCured(): boolean {
    return this.epoch !== this.parts.header.state.epoch;
  }

  /** The log is now this one. */
  useSegments(segments: LogFiles): void {
    this.known = segments;
    this.parts.reader.attach(segments);
  }

  /** A checkpoint brought everything up to a commit to main: the index forgets it. @param floor  segment of the replay position */
  forgetUpTo(lsn: number, floor: number): void {
    this.parts.index.dropUpTo(lsn);
    this.least = floor;
  }

  /**
   * Brings index and cache to where the header is (rule R3). Call while a tenure or a reader's mark keeps it.
   * @param published  the newest commit that this connection knows
   * @returns the newest commit when it is another one, else null
   */
  follow(published: number): Catalogue | null {
    const { index, cache, marks, main, reader, header } = this.parts;
    const { state } = header;
    const { publishedLsn } = state;
    const indexed = index.baseLsn + index.commits;
    if (
      published === publishedLsn &&
      publishedLsn === indexed &&
      index.baseLsn === state.checkpointLsn &&
      this.epoch === state.epoch
    )
      return null;
    if (indexed < state.checkpointLsn || this.isCured) {
      if (this.isCured) {
        main.reopen();
        reader.useMain(main.file);
      }
      this.epoch = state.epoch;
      cache.dropAll();
      index.reset(state.checkpointLsn);
      this.known.close();
      this.useSegments(new LogFiles(this.parts.walOptions()));
    } else if (index.baseLsn < state.checkpointLsn) index.dropUpTo(state.checkpointLsn);
    this.least = state.replaySeq;
    this.known.forgetBefore(Math.min(state.replaySeq, marks.floor));
    const from = index.baseLsn + index.commits;
    if (from < publishedLsn) {
      // A log that came into being may be the first of a new timeline (rule P6).
      if (this.known.numbers().length === 0) this.useSegments(new LogFiles(this.parts.walOptions()));
      const visit = (record: RecordView): void => indexRecord(index, record, cache);
      this.known.follow({ ...this.tail(), lsn: from }, { seq: state.logSeq, offset: state.logOffset }, visit);
    }
    assert(index.baseLsn + index.commits >= publishedLsn, 'the index reaches the newest published commit');
    return published === publishedLsn ? null : this.readCatalogue(publishedLsn, state.publishedPages);
  }

  /** Where the log has been indexed up to. */
  private tail(): LogTail & { readonly salt: Uint8Array } {
    const { index, header } = this.parts;
    const { replaySeq, replayOffset, replayChain, replaySaltLow, replaySaltHigh } = header.state;
    const salt = saltBytes(replaySaltLow, replaySaltHigh);
    if (index.commits === 0) return { seq: replaySeq, offset: replayOffset, chain: replayChain, salt };
    return { ...index.commitEnd(index.baseLsn + index.commits), salt };
  }

  private readCatalogue(lsn: number, pageCount: number): Catalogue {
    const { cache, reader } = this.parts;
    const { pageSize } = cache;
    const scratch = new Uint8Array(pageSize);
    reader.read(rootsPage(pageSize), lsn, scratch, 0);
    return readRootsPage(scratch, 0, pageSize, lsn, pageCount);
  }
}
