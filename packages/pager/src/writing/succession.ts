/**
 * Following a holder of WRITE that died (rules L5, P4, K6), or that left something unsettled. Its syncs may have failed before it
 * could say so, so nothing that only the page cache holds is believed. Steps, and what a crash after each leaves: the same for
 * the next one.
 *
 * 1. A newest slot of exactly sequence + 1 is a checkpoint that was not published: it is written again, synced, published.
 * 2. Published records that are not known to be durable are written again, synced, published as such.
 * 3. A rotation that stands between two names is finished, and published.
 */
import { rewriteRecords, settleNames } from '@sombra/wal';
import { pwriteFully } from '@sombra/vfs';
import type { Engine } from '../connection/engine.ts';
import { walOptions } from '../files/log-writer.ts';
import { saltBytes, saltWords } from '../format/salt.ts';
import { encodeSuperblock, slotOffset } from '../format/superblock.ts';

/** Call while holding WRITE, with the newest slot in `engine.superblock` and the newest header in `engine.shared`. */
export function settleDeadHolder(engine: Engine): void {
  const { shared, superblock } = engine;
  if (superblock.sequence === shared.sequence + 1) {
    pwriteFully(engine.main, encodeSuperblock(superblock), slotOffset(superblock.sequence));
    engine.sync(engine.main);
    shared.sequence = superblock.sequence;
    shared.clean = superblock.clean ? 1 : 0;
    shared.checkpointLsn = superblock.checkpointLsn;
    shared.checkpointPages = superblock.pageCount;
    shared.replaySeq = superblock.replaySeq;
    shared.replayOffset = superblock.replayOffset;
    shared.replayChain = superblock.chain;
    [shared.replaySaltLow, shared.replaySaltHigh] = saltWords(superblock.logSalt);
    engine.writeShared();
  }
  const options = walOptions(engine.options, superblock, engine.vfs);
  if (shared.logInode !== 0 && shared.synced < shared.logOffset) {
    engine.health.guardSync(() =>
      rewriteRecords(options, { seq: shared.logSeq, offset: shared.logOffset }, shared.synced),
    );
    shared.synced = shared.logOffset;
    engine.writeShared();
  }
  const adopted = engine.health.guardSync(() =>
    settleNames(options, {
      seq: shared.logSeq,
      offset: shared.logOffset,
      chain: shared.logChain,
      lsn: shared.publishedLsn,
      salt: saltBytes(shared.logSaltLow, shared.logSaltHigh),
      inode: shared.logInode === 0 ? undefined : shared.logInode,
    }),
  );
  if (adopted === null) return;
  shared.logSeq = adopted.seq;
  shared.logOffset = shared.synced = adopted.offset;
  shared.logChain = adopted.chain;
  shared.logInode = adopted.inode;
  [shared.logSaltLow, shared.logSaltHigh] = saltWords(adopted.salt);
  engine.writeShared();
}
