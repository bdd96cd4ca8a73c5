/** Reading the records of an append log back, one segment at a time. */
import { CorruptionError, readU32 } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { BYTES_HEADER_SIZE, BYTES_LENGTH, ENTRY_BYTES, RecordView } from '../record/record.ts';
import type { SegmentHeader } from '../segment/segment.ts';
import { SEGMENT_HEADER_SIZE } from '../segment/segment.ts';
import { SegmentReader } from '../segment/segment-reader.ts';
import type { ChainState } from '../segment/record-chain.ts';

/** A record that was appended. */
export interface AppendedRecord {
  /** As `append` returned it. */
  readonly position: number;
  /** When it was appended, ms since 1970; never earlier than the record before. */
  readonly time: number;
  /** A copy. */
  readonly bytes: Uint8Array;
}

/** Where a segment ends. */
export interface SegmentEnd {
  /** offset */
  readonly end: number;
  /** Chain value there. */
  readonly chain: number;
  /** Position of its last record, or of the last one before it when it has none. */
  readonly position: number;
}

/** Walks over the records of one segment. Does not close the file. */
export class AppendedSegment {
  private readonly path: string;
  private readonly header: SegmentHeader;
  private readonly reader: SegmentReader;
  private last: SegmentEnd;
  private readonly record = new RecordView(0);
  private readonly state: ChainState;

  /** @param path  of the log, for messages @param last  nothing behind it is read */
  constructor(path: string, file: VfsFile, header: SegmentHeader, last: SegmentEnd) {
    this.path = path;
    this.header = header;
    this.last = last;
    this.reader = new SegmentReader(file, header, last.end);
    this.state = { offset: SEGMENT_HEADER_SIZE, chain: header.chain, lsn: header.baseLsn };
  }

  /** The segment has grown: it is read up to here. */
  extend(last: SegmentEnd): void {
    this.last = last;
    this.reader.growTo(last.end);
  }

  /** Position of the next record. */
  get position(): number {
    return this.state.lsn + 1;
  }

  /**
   * Goes to the next record.
   * @returns false at the end
   * @throws CorruptionError SOMBRA_WAL_DAMAGED when a record is missing
   */
  next(): boolean {
    const { state, last, header } = this;
    if (state.offset < last.end) {
      if (this.reader.next(state, this.record)) return true;
    } else if (state.chain === last.chain && state.lsn === last.position) return false;
    throw new CorruptionError(
      'SOMBRA_WAL_DAMAGED',
      `record ${this.position} of ${this.path} (segment ${header.seq}, offset ${state.offset}) cannot be read: restore a backup; or give up those before it (truncateBefore), or those behind it (open with toLastGood)`,
      { details: { position: this.position, seq: header.seq, offset: state.offset } },
    );
  }

  /** The record that `next` went to. @throws CorruptionError SOMBRA_WAL_RECORD when it does not hold bytes as `append` writes them */
  current(): AppendedRecord {
    const { record, path } = this;
    let bytes: Uint8Array | undefined;
    record.forEachEntry((_page, kind, _offset, _length, from, at) => {
      if (kind !== ENTRY_BYTES || bytes !== undefined) {
        throw new CorruptionError(
          'SOMBRA_WAL_RECORD',
          `record ${record.lsn} of ${path} was not written by an append log`,
          {
            details: { position: record.lsn },
          },
        );
      }
      const start = at + BYTES_HEADER_SIZE;
      bytes = from.slice(start, start + readU32(from, at + BYTES_LENGTH));
    });
    return { position: record.lsn, time: record.time, bytes: bytes ?? new Uint8Array(0) };
  }
}
