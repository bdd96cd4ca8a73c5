/** Recovery's way along the chain: from the replay position to the end of the log, which it judges and opens for writing. */
import { directoryOf, InvariantError, preadFully, pwriteFully, sameBytes, toHex } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import {
  asidePath,
  chooseRival,
  damaged,
  dropFrom,
  isAnyBehind,
  moveAside,
  NOTHING_DROPPED,
  refuseUnreadable,
} from '../segment/found-segments.ts';
import type { FoundSegment, FoundSegments } from '../segment/found-segments.ts';
import { LogFiles } from './log-files.ts';
import { RecordView } from '../record/record.ts';
import type { RecoveryOptions, RecoveryStart } from './recovery-options.ts';
import { joins, livePath, SALT_SIZE, SEGMENT_HEADER_SIZE, sparePath } from '../segment/segment.ts';
import type { SegmentHeader } from '../segment/segment.ts';
import { headerOf } from '../segment/segment-names.ts';
import { SegmentReader } from '../segment/segment-reader.ts';
import type { ChainState } from '../segment/record-chain.ts';
import { rewriteBytes } from './succession.ts';
import { prepareSegment } from './prepare-segment.ts';
import { Wal } from './wal.ts';
import type { LogTail } from '../segment/log-position.ts';
import type { WalOptions } from '../segment/wal-options.ts';

/** Bytes of a file that are in memory at a time while it is copied. */
const PART = 1024 * 1024;

/** One recovery. The numbers are those of its steps. Close it, whatever happens. */
export class LogWalk {
  records = 0;

  private readonly options: WalOptions;
  private readonly found: FoundSegments;
  private readonly start: RecoveryStart;
  private readonly record: RecordView;
  private readonly state: ChainState;
  /** Headers of the segments that were walked over; the last one is that of `current`. */
  private readonly walked: SegmentHeader[] = [];
  /** Of `current`: one descriptor and one window, however many segments there are. */
  private file: VfsFile | undefined;
  private reader: SegmentReader | undefined;
  private current: FoundSegment;
  private time = 0;

  constructor(options: WalOptions, found: FoundSegments, start: RecoveryStart, first: FoundSegment) {
    this.options = options;
    this.found = found;
    this.start = start;
    this.record = new RecordView(options.identity.pageSize);
    this.current = first;
    const begin = first.header.seq === start.position.seq;
    this.state = {
      offset: begin ? start.position.offset : SEGMENT_HEADER_SIZE,
      chain: begin ? start.chain : first.header.chain,
      lsn: start.lsn,
    };
  }

  /** Step 2. A segment ends where the next one joins, whatever follows there. */
  run(visit: (record: RecordView) => void): void {
    this.openReader();
    for (;;) {
      const { seq, salt } = this.current.header;
      const isNext = (header: SegmentHeader): boolean => joins(header, salt, this.state.offset, this.state.chain);
      if (this.found.rival !== undefined && isNext(this.found.rival.header)) chooseRival(this.found, seq + 1, isNext);
      const next = this.found.own.get(seq + 1);
      if (next !== undefined && isNext(next.header)) {
        this.current = next;
        this.state.offset = SEGMENT_HEADER_SIZE;
        this.state.chain = next.header.chain;
        this.openReader();
        continue;
      }
      if (!this.currentReader().next(this.state, this.record)) return;
      this.records += 1;
      this.time = Math.max(this.time, this.record.time);
      visit(this.record);
    }
  }

  /** The segment that was read last. */
  get last(): SegmentHeader {
    return this.current.header;
  }

  /**
   * P1: when nothing joins at the replay position, is it a place of this segment at all? A copy of the database may have gone on
   * by itself in the same segment.
   * @throws CorruptionError SOMBRA_WAL_DAMAGED when the segment ends before it: a checkpoint names durable places only
   */
  isElsewhere({ toLastGood = false }: RecoveryOptions): boolean {
    const { current, start } = this;
    const { position } = start;
    if (this.records > 0 || current.header.seq !== position.seq) return false;
    const { header, path } = current;
    const state: ChainState = { offset: SEGMENT_HEADER_SIZE, chain: header.chain, lsn: header.baseLsn };
    const reader = this.currentReader();
    while (state.offset < position.offset && reader.next(state, this.record));
    if (state.offset >= position.offset) return state.offset > position.offset || state.chain !== start.chain;
    if (toLastGood) return false;
    throw damaged(
      `${path} cannot be read from byte ${state.offset} on, and a checkpoint was made at byte ${position.offset}`,
      {
        path,
        offset: state.offset,
        durable: position.offset,
        lsn: start.lsn,
      },
    );
  }

  /** Step 3. @throws CorruptionError SOMBRA_WAL_DAMAGED */
  checkEnd({ toLastGood = false }: RecoveryOptions): void {
    if (toLastGood) return;
    const { current, found, state } = this;
    const { path, header } = current;
    const { seq } = header;
    const place = { path, offset: state.offset, lsn: state.lsn };
    refuseUnreadable(found, seq);
    const next = found.own.get(seq + 1);
    if (next !== undefined)
      throw damaged(`${path} cannot be read from byte ${state.offset} on, and the log goes on in ${next.path}`, place);
    const later = [...found.own.keys()].filter((other) => other > seq);
    if (later.length > 0)
      throw damaged(`segment ${seq + 1} of the log is missing, and segment ${Math.min(...later)} is there`, {
        seq: seq + 1,
      });
    const durable = this.durableThrough();
    if (durable > state.offset) {
      throw damaged(`${path} cannot be read from byte ${state.offset} on, and it was synced up to byte ${durable}`, {
        ...place,
        durable,
      });
    }
  }

  /** F6: the greatest offset of the last segment that something names as synced. */
  private durableThrough(): number {
    const { synced } = this.start;
    const named =
      synced !== undefined && sameBytes(synced.salt, 0, this.current.header.salt, 0, SALT_SIZE) ? synced.offset : 0;
    return Math.max(named, this.currentReader().durableThrough(this.state.offset));
  }

  /** Is anything lost behind the last record: the live segment, or with `toLastGood` what is more than zeros? */
  givesUp({ toLastGood = false, wasClosed = true }: RecoveryOptions): boolean {
    const { current, found, state } = this;
    if (!current.live && !wasClosed && !this.isRotating()) return true;
    if (!toLastGood) return false;
    if (isAnyBehind(found, current.header.seq + 1)) return true;
    return endOfContent(this.file!, state.offset, this.currentReader().size) > state.offset;
  }

  /** The last segment has its sealed name: does the next one wait under the spare name? It does between the renames of a rotation. */
  private isRotating(): boolean {
    const { vfs, path } = this.options;
    if (vfs.stat(sparePath(path)) === null) return false;
    const next = headerOf(vfs, sparePath(path));
    const { seq, salt } = this.current.header;
    return next?.seq === seq + 1 && joins(next, salt, this.state.offset, this.state.chain);
  }

  /** Step 5, and with `toLastGood` the end of what lies behind damage. */
  open({ toLastGood = false, keepDropped = false }: RecoveryOptions): {
    wal: Wal;
    droppedBytes: number;
    kept: readonly string[];
  } {
    const { options, found, current, state } = this;
    const dropped = toLastGood ? dropFrom(options, found, current.header.seq + 1, keepDropped) : NOTHING_DROPPED;
    const droppedBytes = dropped.bytes + Math.max(0, this.currentReader().size - state.offset);
    const tail = toLastGood && keepDropped && current.live ? this.keepTail() : [];
    const wal = current.live ? this.openLive(toLastGood) : this.beginNext();
    return { wal, droppedBytes, kept: [...dropped.kept, ...tail] };
  }

  /** Copies what the live segment holds behind its last record, but for zeros, to a file of its own. @returns its name */
  private keepTail(): string[] {
    const { vfs, path } = this.options;
    const { offset } = this.state;
    const file = this.file!;
    const end = endOfContent(file, offset, this.currentReader().size);
    if (end === offset) return [];
    const name = asidePath(vfs, path, `${toHex(this.current.header.salt)}-from-${offset}`);
    const copy = vfs.open(name, { write: true, create: true, exclusive: true, like: path });
    try {
      copyBytes(file, offset, end, copy);
      copy.sync('full');
    } finally {
      copy.close();
    }
    vfs.syncDir(directoryOf(path)); // before the log is cut
    return [name.slice(name.lastIndexOf('/') + 1)];
  }

  private openLive(toLastGood: boolean): Wal {
    const { options, current, state, time } = this;
    const { vfs, path } = options;
    const live = vfs.open(current.path, { write: true });
    try {
      // What was given up may name places behind the new tail as synced: it must not be found again.
      if (toLastGood) live.truncate(state.offset);
      // The place of a next salt, too: a successor may have made a record there void, and its sync may have failed (L5).
      rewriteBytes(live, 0, Math.min(state.offset + SALT_SIZE, live.stat().size));
      vfs.syncDir(directoryOf(path));
    } catch (error) {
      live.close();
      throw error;
    }
    const tail = { seq: current.header.seq, offset: state.offset, chain: state.chain };
    return new Wal(options, this.logFiles(), live, { tail, covered: tail.offset, time });
  }

  /** The last segment has been sealed, and the next one got no name: a rotation was interrupted. */
  private beginNext(): Wal {
    const { options, current, state, time } = this;
    const { vfs, path } = options;
    const sealed = vfs.open(current.path, { write: true });
    try {
      rewriteBytes(sealed, 0, state.offset);
    } finally {
      sealed.close();
    }
    const previous = { salt: current.header.salt, end: state.offset, chain: state.chain };
    const { file, salt, chain } = prepareSegment(options, current.header.seq + 1, state.lsn, previous, time);
    try {
      this.clearLiveName();
      vfs.syncDir(directoryOf(path));
      vfs.rename(sparePath(path), livePath(path));
      vfs.syncDir(directoryOf(path));
    } catch (error) {
      file.close();
      throw error;
    }
    const tail: LogTail = { seq: current.header.seq + 1, offset: SEGMENT_HEADER_SIZE, chain };
    const files = this.logFiles();
    files.add({
      seq: tail.seq,
      salt,
      before: files.distance({ seq: current.header.seq, offset: state.offset }),
      file: undefined,
    });
    return new Wal(options, files, file, { tail, covered: tail.offset, time });
  }

  /** A foreign file under the live name would be replaced: it is set aside first. */
  private clearLiveName(): void {
    const { found } = this;
    const { vfs, path } = this.options;
    found.strangers = found.strangers.map((stranger) =>
      stranger.path === livePath(path) ? { ...stranger, movedTo: moveAside(vfs, path, stranger) } : stranger,
    );
  }

  /** The segments that were walked over, for reading. */
  private logFiles(): LogFiles {
    const files = new LogFiles(this.options);
    let before = 0;
    this.walked.forEach((header, index) => {
      files.add({ seq: header.seq, salt: header.salt, before, file: undefined });
      const end = this.walked[index + 1]?.previous.end ?? this.state.offset;
      before += end - SEGMENT_HEADER_SIZE;
    });
    return files;
  }

  /** Closes what was opened for reading. */
  close(): void {
    this.file?.close();
    this.file = this.reader = undefined;
  }

  private openReader(): void {
    const { path, header } = this.current;
    this.close();
    this.file = this.options.vfs.open(path, { write: false });
    this.reader = new SegmentReader(this.file, header);
    this.walked.push(header);
    this.time = Math.max(this.time, header.time);
  }

  private currentReader(): SegmentReader {
    if (this.reader === undefined) throw new InvariantError('a segment is open while the log is walked over');
    return this.reader;
  }
}

/** Offset behind the last byte of [from, to) that is not zero; `from` when all are. */
function endOfContent(file: VfsFile, from: number, to: number): number {
  const part = new Uint8Array(Math.min(PART, Math.max(0, to - from)));
  for (let end = to; end > from; end -= part.length) {
    const start = Math.max(from, end - part.length);
    let length = preadFully(file, part.subarray(0, end - start), start);
    while (length > 0 && part[length - 1] === 0) length -= 1;
    if (length > 0) return start + length;
  }
  return from;
}

/** Copies bytes [from, to) of a file to the start of another one, a part at a time. */
function copyBytes(source: VfsFile, from: number, to: number, target: VfsFile): void {
  const part = new Uint8Array(Math.min(PART, to - from));
  for (let at = from; at < to; at += part.length) {
    const bytes = part.subarray(0, Math.min(part.length, to - at));
    if (preadFully(source, bytes, at) < bytes.length)
      throw damaged(`${source.path} ends before byte ${to}, and held that many`, { path: source.path, to });
    pwriteFully(target, bytes, at - from);
  }
}
