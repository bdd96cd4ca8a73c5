/**
 * Reads a log whose bytes come from elsewhere, in pieces of any size: an archive, or a connection. Every segment has to join the one before, and every
 * record the chain (rule F5): what does not was left out, changed, or belongs to another history.
 */
import { CorruptionError, readU32, sameBytes, StateError } from '@sombra/vfs';
import { REC_KIND, REC_LENGTH, RECORD_COMMIT, RECORD_HEADER_SIZE, RecordView } from '../record/record.ts';
import { continuesChain, isRecordLength, unknownKind } from '../segment/record-chain.ts';
import type { LogTail } from '../segment/log-position.ts';
import { decodeSegmentHeader, joins, SALT_SIZE, sameLog, SEGMENT_HEADER_SIZE } from '../segment/segment.ts';
import type { LogIdentity, SegmentHeader } from '../segment/segment.ts';

/** A place in the log behind a commit, with what tells it from the same place in another history. */
export interface LogPlace extends LogTail {
  /** Salt of the segment, 8 bytes. */
  readonly salt: Uint8Array;
  /** The commit. */
  readonly lsn: number;
}

const NOTHING = new Uint8Array(0);

/** See the top of the file. Calls: `begin` for each segment, then `push` and, until it returns false, `next`. */
export class LogStream {
  /** The last record that `next` has shown; its bytes are borrowed until the next call. */
  readonly record: RecordView;

  private readonly identity: LogIdentity;
  private readonly state: { seq: number; offset: number; chain: number; lsn: number };
  private salt: Uint8Array;
  /** Of the segment that is read, for messages. */
  private name = '';
  /** Bytes that have come and are not read. */
  private bytes: Uint8Array = NOTHING;
  private at = 0;
  private end = 0;
  /** Memory of `bytes` when it belongs to the stream, because a record came in several pieces. */
  private owned: Uint8Array = NOTHING;

  /** @param from  the log is read from here on */
  constructor(identity: LogIdentity, from: LogPlace) {
    this.identity = identity;
    const { seq, offset, chain, lsn } = from;
    this.state = { seq, offset, chain, lsn };
    this.salt = from.salt.slice();
    this.record = new RecordView(identity.pageSize);
  }

  /**
   * Reads one segment by itself, from the end of its header on.
   * @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED: the bytes are none, or of another log
   */
  static ofSegment(identity: LogIdentity, header: Uint8Array, name: string): LogStream {
    const found = decodeSegmentHeader(header);
    if (found === undefined) throw damaged(name, 'has no header of a log segment');
    const { seq, chain, salt, baseLsn: lsn } = found;
    const stream = new LogStream(identity, { seq, offset: SEGMENT_HEADER_SIZE, chain, salt, lsn });
    stream.begin(header, name);
    return stream;
  }

  /** The place behind the last record. A new object. */
  get place(): LogPlace {
    return { ...this.state, salt: this.salt.slice() };
  }

  /** Bytes behind that place which have come already, and are part of a record at most. */
  get pending(): number {
    return this.end - this.at;
  }

  /**
   * Begins a segment: the one of `place`, to be read from there on, or the one behind it, from the end of its header on.
   * @param header  its first 512 bytes @param name  for messages
   * @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED: no header, of another log, or bytes of the segment before were not read;
   *   StateError SOMBRA_ARCHIVE_GAP: something is missing before it, or it belongs to another history
   */
  begin(header: Uint8Array, name: string): SegmentHeader {
    const { state, salt } = this;
    const found = decodeSegmentHeader(header);
    if (found === undefined) throw damaged(name, 'has no header of a log segment');
    if (!sameLog(found, this.identity))
      throw damaged(name, 'belongs to another database, or to another timeline of it');
    this.endSegment();
    const isSame = found.seq === state.seq && sameBytes(found.salt, 0, salt, 0, SALT_SIZE);
    if (!isSame) {
      if (found.seq !== state.seq + 1) {
        throw gap(
          name,
          `is segment ${found.seq}, and the log has to go on in segment ${state.seq} or ${state.seq + 1}`,
        );
      }
      if (!joins(found, salt, state.offset, state.chain) || found.baseLsn !== state.lsn)
        throw gap(name, `does not go on behind commit ${state.lsn} (segment ${state.seq}, offset ${state.offset})`);
      state.seq = found.seq;
      state.offset = SEGMENT_HEADER_SIZE;
      state.chain = found.chain;
      this.salt = found.salt;
    }
    this.name = name;
    return found;
  }

  /** Takes the next bytes of the segment: those behind `place` and `pending`. They may change when `next` has returned false. */
  push(bytes: Uint8Array): void {
    const pending = this.end - this.at;
    if (pending === 0) {
      this.bytes = bytes;
      this.at = 0;
      this.end = bytes.length;
      return;
    }
    this.reserve(pending + bytes.length);
    this.owned.set(bytes, pending);
    this.end = pending + bytes.length;
  }

  /**
   * Shows the next record in `record`, and moves `place` behind it.
   * @returns false when it has not come as a whole
   * @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED: the bytes do not continue the log; SOMBRA_WAL_RECORD: a record of a newer release
   */
  next(): boolean {
    const { state, bytes, at } = this;
    const there = this.end - at;
    if (there < RECORD_HEADER_SIZE) return this.keep();
    const length = readU32(bytes, at + REC_LENGTH);
    const isOurs = sameBytes(bytes, at, this.salt, 0, SALT_SIZE) && isRecordLength(length);
    if (isOurs && there < length) return this.keep();
    if (!isOurs || !continuesChain(bytes, at, length, state))
      throw damaged(this.name, `does not continue the log behind commit ${state.lsn}, at offset ${state.offset}`);
    if (readU32(bytes, at + REC_KIND) !== RECORD_COMMIT) throw unknownKind(this.name, state.offset);
    this.record.show(bytes, at, state.seq, state.offset);
    this.at += length;
    state.offset += length;
    state.chain = this.record.chain;
    state.lsn += 1;
    return true;
  }

  /** The segment has come as a whole. @throws CorruptionError SOMBRA_ARCHIVE_DAMAGED: it ends within a record */
  endSegment(): void {
    if (this.pending > 0) throw damaged(this.name, `ends within a record, at offset ${this.state.offset}`);
  }

  /** What came of a record belongs to the caller: it is copied before it may change. */
  private keep(): false {
    const pending = this.end - this.at;
    if (pending > 0 && this.bytes !== this.owned) {
      const part = this.bytes.subarray(this.at, this.end);
      if (pending > this.owned.length) this.owned = new Uint8Array(pending);
      this.owned.set(part);
      this.bytes = this.owned;
      this.at = 0;
      this.end = pending;
    }
    return false;
  }

  /** Makes room for so many bytes in memory of our own, which begins with what is pending. */
  private reserve(size: number): void {
    const { bytes, owned, at, end } = this;
    const room = size <= owned.length ? owned : new Uint8Array(Math.max(size, 2 * owned.length));
    room.set(bytes.subarray(at, end)); // also within the same memory
    this.bytes = this.owned = room;
    this.at = 0;
  }
}

function damaged(name: string, what: string): CorruptionError {
  return new CorruptionError(
    'SOMBRA_ARCHIVE_DAMAGED',
    `${name} ${what}: restore to a commit before it, or from a later backup`,
    { details: { name } },
  );
}

function gap(name: string, what: string): StateError {
  return new StateError(
    'SOMBRA_ARCHIVE_GAP',
    `${name} ${what}: something is missing before it; restore to a commit before it, or from a later backup`,
    { details: { name } },
  );
}
