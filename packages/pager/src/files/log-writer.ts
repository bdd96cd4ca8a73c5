/**
 * The log as this connection writes it, and when it comes into being (rules O2, K6).
 *
 * After a clean close there is no log file. It is made before the first commit, not at open, so that who only reads
 * changes nothing. Steps, and what a crash after each leaves:
 * 1. The next segment is created; its header joins the superblock's replay position, and its name is durable.
 *    A clean file beside an empty log that joins: opened as such.
 * 2. The superblock slot without the clean flag, replay position at that segment; synced.
 *    An unclean file with its log.
 * 3. Both are published.
 * Only then a commit is acknowledged.
 */
import type { Vfs } from '@sombra/vfs';
import { MemoryVfs, pwriteFully } from '@sombra/vfs';
import { inodeNumber, Wal } from '@sombra/wal';
import type { LogIdentity, WalOptions } from '@sombra/wal';
import type { Engine } from '../connection/engine.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { saltBytes, saltWords } from '../format/salt.ts';
import { checkSameFile } from './same-file.ts';
import { encodeSuperblock, slotOffset } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';

/** What `Wal` needs to know about a database. */
export function walOptions(options: ResolvedOptions, superblock: Superblock, vfs: Vfs): WalOptions {
  const identity: LogIdentity = {
    pageSize: superblock.pageSize,
    databaseId: superblock.databaseId,
    timeline: superblock.timeline,
  };
  return { vfs, path: options.path, identity, segmentSize: options.segmentSize, syncMode: options.syncMode };
}

/** The writing end of the log of one connection: there during a tenure, once the database has a log. */
export class LogWriter {
  private wal: Wal | null;

  /** @param wal  the log that recovery opened, null if there is none */
  constructor(wal: Wal | null) {
    this.wal = wal;
  }

  /** The log, or null while this connection may not write it or there is none. */
  current(): Wal | null {
    return this.wal;
  }

  /** A tenure begins: the log goes on where it was published. */
  attach(engine: Engine): void {
    const { shared } = engine;
    const { wal } = this;
    if (shared.logInode === 0) {
      this.close(); // one that was made and could not be published counts for nobody
      return;
    }
    if (wal !== null) {
      const { seq, offset, chain } = wal.tail;
      if (seq === shared.logSeq && offset === shared.logOffset && chain === shared.logChain) return; // nobody wrote meanwhile
      wal.close();
      this.wal = null;
    }
    engine.log.know(shared.logSeq);
    const tail = { seq: shared.logSeq, offset: shared.logOffset, chain: shared.logChain };
    this.wal = Wal.attach(engine.walOptions(), engine.log, {
      tail,
      covered: shared.synced,
      time: shared.publishedTime,
    });
  }

  /** Makes the log ready for its first record, as far as it is not. */
  start(engine: Engine): Wal {
    const { options, superblock, shared } = engine;
    engine.tenure.unsettled = true; // files may change, and the header not: whoever follows has to look at them
    if (this.wal === null) {
      const where: WalOptions = options.enableWal
        ? engine.walOptions()
        : { ...engine.walOptions(), vfs: new MemoryVfs({ env: engine.vfs.env }), syncMode: 'off' };
      const previous = {
        salt: saltBytes(shared.replaySaltLow, shared.replaySaltHigh),
        end: shared.replayOffset,
        chain: shared.replayChain,
      };
      const wal = engine.health.guardSync(() =>
        Wal.create(where, { seq: shared.replaySeq + 1, lsn: engine.published.lsn, previous }),
      );
      const { seq, offset, chain } = wal.tail;
      this.wal = wal;
      engine.useLog(wal.files);
      shared.logSeq = shared.replaySeq = seq;
      shared.logOffset = shared.synced = shared.replayOffset = offset;
      shared.logChain = shared.replayChain = chain;
      shared.logInode = inodeNumber(wal.liveId());
      [shared.logSaltLow, shared.logSaltHigh] = [shared.replaySaltLow, shared.replaySaltHigh] = saltWords(wal.liveSalt);
    }
    if (options.enableWal && superblock.clean) this.clearCleanFlag(engine);
    engine.writeShared();
    engine.tenure.unsettled = false;
    return this.wal;
  }

  private clearCleanFlag(engine: Engine): void {
    const { superblock, shared } = engine;
    checkSameFile(engine, false);
    const slot: Superblock = {
      ...superblock,
      sequence: shared.sequence + 1,
      replaySeq: shared.replaySeq,
      replayOffset: shared.replayOffset,
      chain: shared.replayChain,
      logSalt: saltBytes(shared.replaySaltLow, shared.replaySaltHigh),
      clean: false,
      time: engine.vfs.env.wallTimeMs(),
    };
    pwriteFully(engine.main, encodeSuperblock(slot), slotOffset(slot.sequence));
    engine.sync(engine.main);
    engine.superblock = slot;
    shared.sequence = slot.sequence;
    shared.clean = 0;
  }

  /** Gives up the log without removing anything. */
  close(): void {
    this.wal?.close();
    this.wal = null;
  }

  /** Removes the log files: the clean superblock is durable. */
  removeAll(): void {
    this.wal?.removeAll();
    this.wal = null;
  }
}
