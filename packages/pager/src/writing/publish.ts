/** From the log to everybody: appending a record, publishing a new segment and commits in the shm header (rules C2, C4, C6, K6, E1). */
import { TransactionError } from '@sombra/vfs';
import { inodeNumber, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { LogPosition, LogTail, Wal } from '@sombra/wal';
import type { Catalogue } from '../format/catalogue.ts';
import type { Engine } from '../connection/engine.ts';
import { commitInDoubt } from '../base/failure.ts';
import { saltWords } from '../format/salt.ts';

/** Appends the record that was built. A failed write leaves the log as it was; a failed sync within rotation poisons. */
export function appendRecord(engine: Engine, wal: Wal): LogPosition {
  const { builder } = engine;
  if (wal.isFull(builder.length)) engine.group.settleNow();
  const before = wal.tail.seq;
  try {
    const position = engine.health.guardSync(() => wal.append(builder));
    engine.stats.logBytes += builder.length;
    return position;
  } finally {
    // Also when there was no room for the record: the names have changed.
    if (wal.tail.seq !== before) publishSegmentOf(engine, wal);
  }
}

/** When that fails, nobody knows of the segment that the log goes on in, nor of a record that stands in it. */
function publishSegmentOf(engine: Engine, wal: Wal): void {
  try {
    publishSegment(engine, wal);
  } catch (error) {
    engine.health.poison(error);
    throw commitInDoubt(engine.tail.lsn + 1, error);
  }
}

/** K6: a new live segment is published before anything that lies in it. */
function publishSegment(engine: Engine, wal: Wal): void {
  const { shared } = engine;
  const { seq } = wal.tail;
  shared.logSeq = seq;
  shared.logOffset = shared.synced = SEGMENT_HEADER_SIZE;
  shared.logChain = wal.startChain;
  shared.logInode = inodeNumber(wal.liveId());
  [shared.logSaltLow, shared.logSaltHigh] = saltWords(wal.liveSalt);
  try {
    engine.writeShared();
  } catch (error) {
    engine.health.poison(error); // the names have changed, and nobody knows
    throw error;
  }
  engine.stats.rotations += 1;
  engine.health.callHook((hooks) => hooks.rotated?.(seq));
}

/**
 * Publishes everything up to a commit that was appended (rules C2, C4): only then it counts for anybody.
 * @param position  where its record ends
 * @throws TransactionError SOMBRA_COMMIT_UNKNOWN when the shm header cannot be written, or somebody poisoned the database
 */
export function publishCommit(engine: Engine, catalogue: Catalogue, position: LogTail): void {
  const { shared, shm } = engine;
  const wal = engine.logs.current()!;
  if (engine.health.poisoned || (shm !== null && engine.tenure.poisonable && shm.readPoisoned())) {
    engine.health.poison(undefined);
    throw new TransactionError(
      'SOMBRA_COMMIT_UNKNOWN',
      `commit ${catalogue.lsn} was written, and a sync of another connection failed: open the database again to see whether the commit is there`,
      {
        details: { lsn: catalogue.lsn },
      },
    );
  }
  const { publishedLsn, publishedPages, publishedTime, logSeq, logOffset, logChain, synced } = shared;
  wal.publish(position.offset);
  shared.publishedLsn = catalogue.lsn;
  shared.publishedPages = catalogue.pageCount;
  shared.publishedTime = engine.lastTime;
  shared.logSeq = position.seq;
  shared.logOffset = position.offset;
  shared.logChain = position.chain;
  shared.synced = wal.synced;
  try {
    engine.writeShared();
  } catch (error) {
    Object.assign(shared, { publishedLsn, publishedPages, publishedTime, logSeq, logOffset, logChain, synced });
    engine.health.poison(error);
    throw commitInDoubt(catalogue.lsn, error);
  }
  const before = engine.published;
  engine.published = catalogue;
  engine.views.committed(catalogue);
  if (engine.snapshots.size === 0 && engine.tail === catalogue && before !== catalogue) engine.giveCatalogue(before);
}
