/** Reads the records of one segment through a window that moves forward. */
import { preadFully, readSafe64, readU32, sameBytes } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import {
  REC_CHECKSUM,
  REC_DURABLE_OFFSET,
  REC_DURABLE_SEQ,
  REC_KIND,
  REC_LENGTH,
  RECORD_COMMIT,
  RECORD_HEADER_SIZE,
  recordChecksum,
} from '../record/record.ts';
import type { RecordView } from '../record/record.ts';
import { ALIGNMENT, continuesChain, isRecordLength, unknownKind } from './record-chain.ts';
import type { ChainState } from './record-chain.ts';
import { SALT_SIZE } from './segment.ts';
import type { SegmentHeader } from './segment.ts';

/** Bytes read ahead. */
const WINDOW = 1024 * 1024;

/** A reader of one segment, header apart. Does not close the file. */
export class SegmentReader {
  readonly header: SegmentHeader;
  /** Nothing from this offset on is read. */
  size: number;

  private readonly file: VfsFile;
  private window = new Uint8Array(0);
  private from = 0;
  private length = 0;

  /** @param end  nothing behind this offset is read */
  constructor(file: VfsFile, header: SegmentHeader, end = Infinity) {
    this.file = file;
    this.header = header;
    this.size = Math.min(file.stat().size, end);
  }

  /** The segment has grown, and is read up to here. */
  growTo(end: number): void {
    if (end > this.size) this.size = end;
  }

  /**
   * Accepts the record at `state.offset` if it continues the chain (rule F5), moves `state` behind it and shows it in `record`.
   * @returns false when there is none: `state` is as before
   * @throws CorruptionError SOMBRA_WAL_RECORD for a record that continues the chain and has an unknown kind; IoError
   */
  next(state: ChainState, record: RecordView): boolean {
    const { offset } = state;
    const at = this.bring(offset, RECORD_HEADER_SIZE);
    if (at < 0) return false;
    const length = this.lengthAt(at, offset);
    if (length === 0) return false;
    const whole = this.bring(offset, length);
    if (whole < 0) return false;
    const { window } = this;
    if (!continuesChain(window, whole, length, state)) return false;
    if (readU32(window, whole + REC_KIND) !== RECORD_COMMIT) throw unknownKind(this.file.path, offset);
    record.show(window, whole, this.header.seq, offset);
    state.offset = offset + length;
    state.chain = record.chain;
    state.lsn += 1;
    return true;
  }

  /**
   * The greatest offset of this segment that records from `from` on name as synced (rule F6); 0 when there is none. They are
   * found by the salt, at every aligned place, and count only with their local checksum: they need not continue the chain.
   */
  durableThrough(from: number): number {
    let durable = 0;
    for (let offset = from; offset + RECORD_HEADER_SIZE <= this.size; offset += ALIGNMENT) {
      const at = this.bring(offset, RECORD_HEADER_SIZE);
      if (at < 0) break;
      const length = this.lengthAt(at, offset);
      if (length === 0) continue;
      const whole = this.bring(offset, length);
      if (whole < 0) continue;
      if (readU32(this.window, whole + REC_CHECKSUM) !== recordChecksum(this.window, whole, length)) continue;
      if (readSafe64(this.window, whole + REC_DURABLE_SEQ) !== this.header.seq) continue;
      durable = Math.max(durable, readSafe64(this.window, whole + REC_DURABLE_OFFSET));
    }
    return durable;
  }

  /** Length of a record of this segment whose header is at `at`, 0 when there is none or it does not fit the file. */
  private lengthAt(at: number, offset: number): number {
    if (!sameBytes(this.window, at, this.header.salt, 0, SALT_SIZE)) return 0;
    const length = readU32(this.window, at + REC_LENGTH);
    return isRecordLength(length) && offset + length <= this.size ? length : 0;
  }

  /** Where in the window the bytes [offset, offset + length) of the file are, -1 when the file does not have them. */
  private bring(offset: number, length: number): number {
    if (offset >= this.from && offset + length <= this.from + this.length) return offset - this.from;
    if (offset + length > this.size) return -1;
    const wanted = Math.min(Math.max(length, WINDOW), this.size - offset);
    if (wanted > this.window.length) this.window = new Uint8Array(wanted);
    this.from = offset;
    this.length = preadFully(this.file, this.window.subarray(0, wanted), offset);
    return this.length < length ? -1 : 0;
  }
}
