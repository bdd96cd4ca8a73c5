/**
 * The segments of a log that a connection reads: which there are, their salts, an open descriptor of each. The writer and connections that
 * only follow the log read through this.
 *
 * Names of segments change while others rotate, so a file is opened by name and then recognised by its header; a descriptor
 * stays with its segment whatever it is renamed to. The reader of a segment must make sure that it is kept (rules L6, K3).
 */
import { CorruptionError, InvariantError, IoError, preadFully } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { RecordView } from '../record/record.ts';
import { SegmentReader } from '../segment/segment-reader.ts';
import { joins, livePath, sameLog, sealedPath, SEGMENT_HEADER_SIZE } from '../segment/segment.ts';
import type { LogIdentity, SegmentHeader } from '../segment/segment.ts';
import { isSegment, readHeader } from '../segment/segment-names.ts';
import type { LogPosition, LogTail } from '../segment/log-position.ts';
import type { WalOptions } from '../segment/wal-options.ts';

/** What is known of one segment. */
export interface Segment {
  readonly seq: number;
  /** 8 bytes */
  readonly salt: Uint8Array;
  /** Bytes of records before this segment, counted from the first one that was known. */
  readonly before: number;
  /** Open while it has been read. */
  file: VfsFile | undefined;
}

/** Tries to find a segment under its names before it counts as missing: it may be renamed meanwhile. */
const FIND_TRIES = 5;

/** The segments of one log, for reading. */
export class LogFiles {
  private readonly options: Pick<WalOptions, 'vfs' | 'path'> & { readonly identity: LogIdentity };
  private readonly segments = new Map<number, Segment>();
  private readonly record: RecordView;
  /** No sealed segment with a lower number is there; undefined: not known yet. */
  private oldestSealed: number | undefined;

  constructor(options: WalOptions) {
    this.options = options;
    this.record = new RecordView(options.identity.pageSize);
  }

  /** Notes a segment. */
  add(segment: Segment): void {
    this.segments.set(segment.seq, segment);
  }

  /** @throws InvariantError when it is not known */
  get(seq: number): Segment {
    const segment = this.segments.get(seq);
    if (segment === undefined) throw new InvariantError(`segment ${seq} is kept as long as it is needed`);
    return segment;
  }

  has(seq: number): boolean {
    return this.segments.has(seq);
  }

  /** Numbers of all segments, ascending. */
  numbers(): number[] {
    return [...this.segments.keys()].sort((a, b) => a - b);
  }

  /** Finds a segment that is there. @throws CorruptionError SOMBRA_WAL_DAMAGED when it is not */
  ensureKnown(seq: number): Segment {
    if (!this.has(seq)) {
      const { previous } = this.peek(seq);
      this.discover(seq, this.has(seq - 1) ? this.distance({ seq: seq - 1, offset: previous.end }) : 0);
    }
    return this.get(seq);
  }

  /** Chain value before the first record of a segment that is known. */
  startChain(seq: number): number {
    return this.header(seq).chain;
  }

  /** Bytes of records before a position, counted from the first segment that was known. */
  distance({ seq, offset }: LogPosition): number {
    return this.get(seq).before + offset - SEGMENT_HEADER_SIZE;
  }

  /**
   * Reads bytes of an entry.
   * @param into  gets them from `at` on
   * @throws CorruptionError SOMBRA_WAL_ENTRY when they are not there; IoError SOMBRA_IO
   */
  readEntry(seq: number, offset: number, length: number, into: Uint8Array, at: number): void {
    const file = this.file(seq);
    const read = preadFully(file, into.subarray(at, at + length), offset);
    if (read < length) {
      throw new CorruptionError(
        'SOMBRA_WAL_ENTRY',
        `${file.path} ends at ${offset + read}, an entry reaches to ${offset + length}: restore a backup`,
        {
          details: { path: file.path, offset, length },
        },
      );
    }
  }

  /**
   * Visits the published records from one position to another, in order.
   * @param from  where to begin, with the chain value and the commit there, and the salt of its segment, which need not be known yet
   * @param to    the published end
   * @throws CorruptionError SOMBRA_WAL_DAMAGED when they are not all there
   */
  follow(
    from: LogTail & { readonly lsn: number; readonly salt: Uint8Array },
    to: LogPosition,
    visit: (record: RecordView) => void,
  ): LogTail {
    const { record } = this;
    const state = { offset: from.offset, chain: from.chain, lsn: from.lsn };
    let { seq } = from;
    while (seq < to.seq || state.offset < to.offset) {
      const next = seq < to.seq ? this.peek(seq + 1) : undefined;
      const end = next === undefined ? to.offset : next.previous.end;
      // A segment that ends where replay begins may be gone already (rule O3).
      if (state.offset < end) {
        if (!this.has(seq)) this.discover(seq, 0);
        const reader = new SegmentReader(this.file(seq), this.header(seq), end);
        while (state.offset < end && reader.next(state, record)) visit(record);
      }
      const salt = this.has(seq) ? this.get(seq).salt : from.salt;
      if (state.offset !== end || (next !== undefined && !joins(next, salt, state.offset, state.chain))) {
        throw new CorruptionError(
          'SOMBRA_WAL_DAMAGED',
          `segment ${seq} of the log of ${this.options.path} cannot be read at byte ${state.offset}, which was published: restore a backup`,
          {
            details: { seq, offset: state.offset, lsn: state.lsn },
          },
        );
      }
      if (next === undefined) break;
      const before = this.has(seq) ? this.distance({ seq, offset: state.offset }) : 0;
      seq += 1;
      if (!this.has(seq)) this.discover(seq, before);
      state.offset = SEGMENT_HEADER_SIZE;
      state.chain = next.chain;
    }
    return { seq, offset: state.offset, chain: state.chain };
  }

  /** Forgets segments below `seq`. */
  forgetBefore(seq: number): void {
    for (const segment of [...this.segments.values()]) if (segment.seq < seq) this.forget(segment.seq);
  }

  /** Forgets one segment and closes its descriptor. */
  forget(seq: number): void {
    const segment = this.segments.get(seq);
    this.segments.delete(seq);
    segment?.file?.close();
  }

  /**
   * Visits the names of sealed segments to be given up, ascending: each is passed to `take`. Segments go from the
   * oldest on, so that those that are there have consecutive numbers, and no directory need be listed.
   * @param end       no segment with this number or above
   * @param archived  nor above this
   */
  takeSealed(end: number, archived: number, take: (name: string) => void): void {
    const { vfs, path, identity } = this.options;
    let seq = this.oldestSealed;
    if (seq === undefined) for (seq = end; seq > 1 && vfs.stat(sealedPath(path, seq - 1)) !== null; ) seq -= 1;
    this.oldestSealed = seq;
    for (; seq < end && seq <= archived; seq += 1) {
      const name = sealedPath(path, seq);
      // Another database with a similar name may have its live segment there.
      if (vfs.stat(name) !== null && isSegment(vfs, name, seq, identity)) take(name);
      this.oldestSealed = seq + 1;
    }
  }

  /** Closes all descriptors. */
  close(): void {
    const files = [...this.segments.values()].map(({ file }) => file);
    this.segments.clear();
    const failures: unknown[] = [];
    for (const file of files) {
      try {
        file?.close();
      } catch (error) {
        failures.push(error); // the others are still closed
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  private file(seq: number): VfsFile {
    const segment = this.get(seq);
    if (segment.file !== undefined) return segment.file;
    const found = this.find(seq);
    segment.file = found.file;
    return found.file;
  }

  private header(seq: number): SegmentHeader {
    const header = readHeader(this.file(seq));
    if (header?.seq !== seq) throw this.missing(seq);
    return header;
  }

  /** Header of a segment that may not be known. */
  private peek(seq: number): SegmentHeader {
    if (this.segments.get(seq)?.file !== undefined) return this.header(seq);
    const found = this.find(seq);
    found.file.close();
    return found.header;
  }

  private discover(seq: number, before: number): void {
    const { file, header } = this.find(seq);
    this.add({ seq, salt: header.salt, before, file });
  }

  private find(seq: number): { file: VfsFile; header: SegmentHeader } {
    for (let attempt = 0; attempt < FIND_TRIES; attempt += 1) {
      const found = this.locate(seq);
      if (found !== undefined) return found;
    }
    throw this.missing(seq);
  }

  private locate(seq: number): { file: VfsFile; header: SegmentHeader } | undefined {
    const { vfs, path, identity } = this.options;
    for (const name of [livePath(path), sealedPath(path, seq)]) {
      let file: VfsFile;
      try {
        file = vfs.open(name, { write: false });
      } catch (error) {
        if (error instanceof IoError && error.details['errno'] === 'ENOENT') continue;
        throw error;
      }
      let header: SegmentHeader | undefined;
      try {
        header = readHeader(file);
      } catch (error) {
        file.close();
        throw error;
      }
      if (header !== undefined && header.seq === seq && sameLog(header, identity)) return { file, header };
      file.close();
    }
    return undefined;
  }

  private missing(seq: number): CorruptionError {
    return new CorruptionError(
      'SOMBRA_WAL_DAMAGED',
      `segment ${seq} of the log of ${this.options.path} is missing: was it removed while the database was open? Restore a backup`,
      {
        details: { seq },
      },
    );
  }
}
