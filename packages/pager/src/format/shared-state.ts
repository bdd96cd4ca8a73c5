import { writeU64 } from '@sombra/vfs';

/**
 * What the connections of a database agree on: the published commit, the end of the log, the checkpoint, bounds. With several
 * processes it stands in the header of the shm file (shm.ts), and this is a connection's copy of it.
 */
export interface SharedState {
  /** Raised when the database was recovered while it was open (rule E1): caches and indexes of before are void. */
  epoch: number;
  /** Newest published commit, pages of the database as of it, its time in ms. */
  publishedLsn: number;
  publishedPages: number;
  publishedTime: number;
  /** The published end of the log: segment, offset, chain value. Segment 0: there is no log yet. */
  logSeq: number;
  logOffset: number;
  logChain: number;
  /** Salt of the live segment, as two words. */
  logSaltLow: number;
  logSaltHigh: number;
  /** File of the live segment. */
  logInode: number;
  /** Offset in the live segment up to which everything is published and known to be durable. */
  synced: number;
  /** K1: the bound that a checkpoint wants, and the one in use, which never goes back. */
  intendedBound: number;
  bound: number;
  /** Commit up to which main holds everything, and the pages of the file then. */
  checkpointLsn: number;
  checkpointPages: number;
  /** Where replay begins: log position and chain value after commit `checkpointLsn`, salt of its segment. */
  replaySeq: number;
  replayOffset: number;
  replayChain: number;
  replaySaltLow: number;
  replaySaltHigh: number;
  /** Sequence of the last superblock slot known to be durable; is it one that says clean? */
  sequence: number;
  clean: number;
}

/** State of a database of which nothing is known yet. */
export function newSharedState(): SharedState {
  return {
    epoch: 0,
    publishedLsn: 0,
    publishedPages: 0,
    publishedTime: 0,
    logSeq: 0,
    logOffset: 0,
    logChain: 0,
    logSaltLow: 0,
    logSaltHigh: 0,
    logInode: 0,
    synced: 0,
    intendedBound: 0,
    bound: 0,
    checkpointLsn: 0,
    checkpointPages: 0,
    replaySeq: 0,
    replayOffset: 0,
    replayChain: 0,
    replaySaltLow: 0,
    replaySaltHigh: 0,
    sequence: 0,
    clean: 0,
  };
}

/** Makes `into` the same as `from`. Written out: it is done at each commit. */
export function copySharedState(into: SharedState, from: Readonly<SharedState>): void {
  into.epoch = from.epoch;
  into.publishedLsn = from.publishedLsn;
  into.publishedPages = from.publishedPages;
  into.publishedTime = from.publishedTime;
  into.logSeq = from.logSeq;
  into.logOffset = from.logOffset;
  into.logChain = from.logChain;
  into.logSaltLow = from.logSaltLow;
  into.logSaltHigh = from.logSaltHigh;
  into.logInode = from.logInode;
  into.synced = from.synced;
  into.intendedBound = from.intendedBound;
  into.bound = from.bound;
  into.checkpointLsn = from.checkpointLsn;
  into.checkpointPages = from.checkpointPages;
  into.replaySeq = from.replaySeq;
  into.replayOffset = from.replayOffset;
  into.replayChain = from.replayChain;
  into.replaySaltLow = from.replaySaltLow;
  into.replaySaltHigh = from.replaySaltHigh;
  into.sequence = from.sequence;
  into.clean = from.clean;
}

/** Names of the fields in the order in which the shm header holds them. */
export const SHARED_FIELDS = Object.keys(newSharedState()) as readonly (keyof SharedState)[];

/**
 * Writes the fields one behind the other, 8 bytes each, in the order of `SHARED_FIELDS`. Written out: it is done at each commit, and a
 * loop over names would look every field up.
 */
export function writeSharedFields(bytes: Uint8Array, at: number, state: Readonly<SharedState>): void {
  writeU64(bytes, at, state.epoch);
  writeU64(bytes, at + 8, state.publishedLsn);
  writeU64(bytes, at + 16, state.publishedPages);
  writeU64(bytes, at + 24, state.publishedTime);
  writeU64(bytes, at + 32, state.logSeq);
  writeU64(bytes, at + 40, state.logOffset);
  writeU64(bytes, at + 48, state.logChain);
  writeU64(bytes, at + 56, state.logSaltLow);
  writeU64(bytes, at + 64, state.logSaltHigh);
  writeU64(bytes, at + 72, state.logInode);
  writeU64(bytes, at + 80, state.synced);
  writeU64(bytes, at + 88, state.intendedBound);
  writeU64(bytes, at + 96, state.bound);
  writeU64(bytes, at + 104, state.checkpointLsn);
  writeU64(bytes, at + 112, state.checkpointPages);
  writeU64(bytes, at + 120, state.replaySeq);
  writeU64(bytes, at + 128, state.replayOffset);
  writeU64(bytes, at + 136, state.replayChain);
  writeU64(bytes, at + 144, state.replaySaltLow);
  writeU64(bytes, at + 152, state.replaySaltHigh);
  writeU64(bytes, at + 160, state.sequence);
  writeU64(bytes, at + 168, state.clean);
}
