/**
 * The header that the connections of a database share: what each has of it in memory, and every way in which it changes. Nothing else
 * writes it.
 *
 * Invariants:
 * 1. A transition builds the whole new state, writes it to the shm file, and only then replaces the state in memory. One that fails
 *    leaves memory as it was: the next `read` shows what other connections see then.
 * 2. Only the holder of WRITE changes it (rule L3); any connection reads it.
 * 3. `isUnsettled` is true from before files change until the header records the change. WRITE that is given back
 *    meanwhile keeps its held mark, and the next holder settles the files as after a death (rules L5, P4, K6).
 */
import { SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { LogTail } from '@sombra/wal';
import type { Catalogue } from '../format/catalogue.ts';
import { saltWords } from '../format/salt.ts';
import { copySharedState, newSharedState } from '../format/shared-state.ts';
import type { SharedState } from '../format/shared-state.ts';
import type { Superblock } from '../format/superblock.ts';
import type { Shm } from './shm.ts';

/** A live segment of the log. */
export interface LiveSegment {
  readonly seq: number;
  /** Chain value before its first record. */
  readonly chain: number;
  readonly salt: Uint8Array;
  /** File. */
  readonly inode: number;
}

/** The shared header of one connection. */
export class Header {
  private current: SharedState;
  /** A transition builds the new state here; then the two change places. */
  private next = newSharedState();
  private readonly shm: Shm | null;
  private unsettled = false;
  /** The live segment may have its sealed name, and the next one has no name yet, or is not published. */
  private betweenSegments = false;
  private poisonable = false;

  /**
   * @param found  what opening found; belongs to the header from here on
   * @param shm    null: no other connection can have the database open
   */
  constructor(found: SharedState, shm: Shm | null) {
    this.current = found;
    this.shm = shm;
  }

  /** As this connection knows it: read last, or written by itself. Do not keep it over a transition. */
  get state(): Readonly<SharedState> {
    return this.current;
  }

  // ---- reading

  /** Reads the header that others may have written. @throws CorruptionError SOMBRA_SHM; IoError SOMBRA_IO */
  read(): void {
    this.shm?.read(this.current);
  }

  /** The header as it is now, beside what this connection has followed. A new object. */
  peek(): SharedState {
    const now = newSharedState();
    if (this.shm === null) copySharedState(now, this.current);
    else this.shm.peek(now);
    return now;
  }

  /** Sequence of the newest superblock slot, as the header is now. */
  sequence(): number {
    return this.shm === null ? this.current.sequence : this.peek().sequence;
  }

  // ---- tenure

  /** Files may have changed without the header, so the next holder of WRITE has to examine them. */
  get isUnsettled(): boolean {
    return this.unsettled || this.betweenSegments;
  }

  /** WRITE was granted: reads the header that the holder before left. */
  readForWriting(): void {
    if (this.isUnsettled) this.shm?.forget(); // what this connection believed to have published may not be there
    this.read();
  }

  /** A tenure begins: whatever was unsettled has been settled. */
  beginTenure(): void {
    this.unsettled = this.betweenSegments = false;
    this.poisonable = this.shm?.late === true;
  }

  /**
   * May a commit be published? Another connection can only have poisoned the database meanwhile if one gave WRITE back while its
   * sync was in flight (rule E1).
   */
  isPoisonedByOthers(): boolean {
    return this.poisonable && this.shm !== null && this.shm.readPoisoned();
  }

  /** From here on files change and the header does not, until `checkpointed` or another transition records the changes. */
  leaveUnsettled(): void {
    this.unsettled = true;
  }

  /** Runs something after which the files are as before, or as the header says; if it throws, they may be neither. */
  whileUnsettled<T>(run: () => T): T {
    const before = this.unsettled;
    this.unsettled = true;
    const result = run();
    this.unsettled = before;
    return result;
  }

  /**
   * WRITE is about to be given back while a sync is in flight, whose failure may come in during the tenure of another connection:
   * every holder of WRITE has to read the poison mark from here on (rule E1).
   */
  warnOfLateSync(): void {
    const { shm } = this;
    if (shm === null || shm.late) return;
    this.whileUnsettled(() => shm.setLate());
  }

  // ---- the log

  /**
   * The log is ready for its first record.
   * @param segment  its first segment, where replay begins; null when the log was there
   * @param slot     the slot without the clean flag, which is durable; null when there was no flag to clear
   */
  startLog(segment: LiveSegment | null, slot: Superblock | null): void {
    const { next } = this;
    copySharedState(next, this.current);
    if (segment !== null) {
      this.placeLog(segment, SEGMENT_HEADER_SIZE);
      next.replaySeq = next.logSeq;
      next.replayOffset = next.logOffset;
      next.replayChain = next.logChain;
      next.replaySaltLow = next.logSaltLow;
      next.replaySaltHigh = next.logSaltHigh;
    }
    if (slot !== null) {
      next.sequence = slot.sequence;
      next.clean = 0;
    }
    this.replace();
    this.unsettled = false;
  }

  /** K6: a rotation ended between its two renames. Only `openSegment`, or the next holder of WRITE, settles that. */
  leaveBetweenSegments(): void {
    this.betweenSegments = true;
  }

  /** K6: a new live segment is published before anything that lies in it. */
  openSegment(segment: LiveSegment): void {
    copySharedState(this.next, this.current);
    this.placeLog(segment, SEGMENT_HEADER_SIZE);
    this.replace();
    this.betweenSegments = false;
  }

  /** K6: the live segment that a dead holder's rotation left is published. @param offset  where its records end */
  adoptSegment(segment: LiveSegment, offset: number): void {
    copySharedState(this.next, this.current);
    this.placeLog(segment, offset);
    this.replace();
  }

  /** Published records are known to be durable now. @param offset  in the live segment */
  markSynced(offset: number): void {
    copySharedState(this.next, this.current);
    this.next.synced = offset;
    this.replace();
  }

  private placeLog({ seq, chain, salt, inode }: LiveSegment, offset: number): void {
    const { next } = this;
    next.logSeq = seq;
    next.logOffset = next.synced = offset;
    next.logChain = chain;
    next.logInode = inode;
    [next.logSaltLow, next.logSaltHigh] = saltWords(salt);
  }

  // ---- commits

  /**
   * C2, C4: everything up to a commit counts for every connection.
   * @param end     where its record ends
   * @param synced  offset in the live segment up to which everything is published and durable
   */
  publishCommit(commit: Catalogue, time: number, end: LogTail, synced: number): void {
    const { next } = this;
    copySharedState(next, this.current);
    next.publishedLsn = commit.lsn;
    next.publishedPages = commit.pageCount;
    next.publishedTime = time;
    next.logSeq = end.seq;
    next.logOffset = end.offset;
    next.logChain = end.chain;
    next.synced = synced;
    this.replace();
  }

  // ---- checkpoints

  /** K1: a checkpoint wants to bring commits up to `bound` to main. @param synced  as for `publishCommit` */
  intendBound(bound: number, synced: number): void {
    copySharedState(this.next, this.current);
    this.next.intendedBound = bound;
    this.next.synced = synced;
    this.replace();
  }

  /** K1: readers allow this bound; it is in use from now on, and never goes back. */
  useBound(bound: number): void {
    copySharedState(this.next, this.current);
    this.next.bound = this.next.intendedBound = bound;
    this.replace();
  }

  /** The checkpoint does nothing: only the bound in use counts again, so that readers may hand their slots over. */
  withdrawBound(): void {
    copySharedState(this.next, this.current);
    this.next.intendedBound = this.next.bound;
    this.replace();
  }

  /**
   * K3: a checkpoint is durable. Its new sequence voids the double-write area.
   * @param replay  where replay begins
   * @param salt    of that segment; undefined: as it was
   */
  checkpointed(slot: Superblock, replay: LogTail, salt: Uint8Array | undefined): void {
    const { next } = this;
    copySharedState(next, this.current);
    this.placeCheckpoint(slot, replay);
    if (salt !== undefined) [next.replaySaltLow, next.replaySaltHigh] = saltWords(salt);
    this.replace();
    this.unsettled = false;
  }

  /** P4: the slot of a checkpoint that a dead holder could not publish counts. */
  adoptSlot(slot: Superblock): void {
    const { next } = this;
    copySharedState(next, this.current);
    this.placeCheckpoint(slot, { seq: slot.replaySeq, offset: slot.replayOffset, chain: slot.chain });
    [next.replaySaltLow, next.replaySaltHigh] = saltWords(slot.logSalt);
    this.replace();
  }

  private placeCheckpoint(slot: Superblock, { seq, offset, chain }: LogTail): void {
    const { next } = this;
    next.sequence = slot.sequence;
    next.clean = slot.clean ? 1 : 0;
    next.checkpointLsn = slot.checkpointLsn;
    next.checkpointPages = slot.pageCount;
    next.replaySeq = seq;
    next.replayOffset = offset;
    next.replayChain = chain;
  }

  private replace(): void {
    const { next } = this;
    this.shm?.write(next);
    this.next = this.current;
    this.current = next;
  }
}
