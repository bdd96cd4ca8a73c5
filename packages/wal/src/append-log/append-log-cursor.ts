/**
 * A place in an append log that moves forward. It keeps the segment that it reads open, also while it waits for more, so that each
 * record is read once, however often it is asked for the next one.
 */
import type { VfsFile } from '@sombra/vfs';
import type { SegmentHeader } from '../segment/segment.ts';
import { AppendedSegment } from './append-log-reader.ts';
import type { AppendedRecord, SegmentEnd } from './append-log-reader.ts';

/** What a cursor needs of its log. */
export interface ReadableLog {
  readonly path: string;
  /** The segment that holds a position, or will. @throws StateError SOMBRA_CLOSED, SOMBRA_TRUNCATED */
  segmentOf(position: number): SegmentHeader;
  /** Where a segment ends now. */
  endOf(header: SegmentHeader): SegmentEnd;
  openSegment(header: SegmentHeader): VfsFile;
  closeSegment(file: VfsFile): void;
}

export class Cursor {
  /** Of the next record. */
  position: number;

  private readonly log: ReadableLog;
  private header: SegmentHeader | undefined;
  private file: VfsFile | undefined;
  private segment: AppendedSegment | undefined;

  constructor(log: ReadableLog, position: number) {
    this.log = log;
    this.position = position;
  }

  /** The next record, which is there. @throws as `AppendLog.read` */
  next(): AppendedRecord {
    for (;;) {
      const segment = this.enter(this.log.segmentOf(this.position));
      while (segment.next()) {
        if (segment.position <= this.position) continue; // before the first one that was asked for
        this.position += 1;
        return segment.current();
      }
    }
  }

  close(): void {
    const { file } = this;
    this.header = this.segment = this.file = undefined;
    if (file !== undefined) this.log.closeSegment(file);
  }

  private enter(header: SegmentHeader): AppendedSegment {
    const end = this.log.endOf(header);
    if (this.segment !== undefined && this.header?.seq === header.seq) {
      this.segment.extend(end);
      return this.segment;
    }
    this.close();
    this.file = this.log.openSegment(header);
    this.header = header;
    return (this.segment = new AppendedSegment(this.log.path, this.file, header, end));
  }
}
