/**
 * The log as this connection writes it, and when it comes into being (rules O2, K6).
 *
 * After a clean close there is no log file. It is made before the first commit, not at open, so that a reader changes nothing. Steps,
 * and what a crash after each leaves:
 * 1. The next segment is created; its header joins the superblock's replay position, and its name is durable.
 *    A clean file beside an empty log that joins: opened as such.
 * 2. The superblock slot without the clean flag, replay position at that segment; synced.
 *    An unclean file with its log.
 * 3. Both are published.
 * Only then a commit is acknowledged.
 *
 * A file that has lost commits is forked, or unclean and without a log. Its first commit begins a new timeline (rule P6): a slot that names it is
 * written and synced before the log is made, so that a log of the new timeline always finds it.
 */
import { callHook, MemoryVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { inodeNumber, SEGMENT_HEADER_SIZE, Wal } from '@sombra/wal';
import type { LogIdentity, WalOptions } from '@sombra/wal';
import type { ResolvedOptions } from '../base/options.ts';
import type { Syncs } from '../base/syncs.ts';
import { saltBytes } from '../format/salt.ts';
import { freshTimeline } from '../format/timeline.ts';
import type { Superblock } from '../format/superblock.ts';
import type { Header, LiveSegment } from '../sharing/header.ts';
import type { FollowedLog } from './followed-log.ts';
import type { MainFile } from './main-file.ts';

/** What `Wal` needs to know about a database. */
export function walOptions(options: ResolvedOptions, superblock: Superblock, vfs: Vfs): WalOptions {
  const identity: LogIdentity = {
    pageSize: superblock.pageSize,
    databaseId: superblock.databaseId,
    timeline: superblock.timeline,
  };
  const { path, segmentSize, syncMode, hooks } = options;
  const onSetAside = (name: string): void =>
    callHook(vfs.env, path, () =>
      hooks.warning?.({
        code: 'SOMBRA_WAL_SET_ASIDE',
        message: `${path}: a segment of another log, left by an older or newer copy of the database, was in the way of the next one; it is kept as ${name}`,
      }),
    );
  return { vfs, path, identity, segmentSize, syncMode, onSetAside };
}

/** The live segment of a log that is open for writing. */
export function liveSegment(wal: Wal): LiveSegment {
  return { seq: wal.tail.seq, chain: wal.startChain, salt: wal.liveSalt, inode: inodeNumber(wal.liveId()) };
}

/** Of a file without a log: have commits been lost for it (rule P6)? */
export function isHistoryLost({ clean, forked }: Superblock): boolean {
  return forked || !clean;
}

/** What the writing end is made of. */
export interface LogWriterParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly header: Header;
  readonly main: MainFile;
  readonly followed: FollowedLog;
  readonly syncs: Syncs;
}

/** The writing end of the log of one connection: there during a tenure, once the database has a log. */
export class LogWriter {
  private readonly parts: LogWriterParts;
  private wal: Wal | null;

  /** @param wal  the log that recovery opened, null if there is none */
  constructor(parts: LogWriterParts, wal: Wal | null) {
    this.parts = parts;
    this.wal = wal;
  }

  /** The log, or null while this connection may not write it or there is none. */
  current(): Wal | null {
    return this.wal;
  }

  /** Offset in the live segment up to which everything is published and durable. */
  get synced(): number {
    return this.wal === null || !this.parts.options.enableWal ? this.parts.header.state.synced : this.wal.synced;
  }

  /** A tenure begins: the log goes on where it was published. */
  attach(): void {
    const { header, followed, main, options, vfs } = this.parts;
    const { state } = header;
    const { wal } = this;
    if (state.logInode === 0) {
      this.close(); // a log that was made but not published is ignored
      return;
    }
    if (wal !== null) {
      const { seq, offset, chain } = wal.tail;
      if (seq === state.logSeq && offset === state.logOffset && chain === state.logChain) return; // no other connection wrote meanwhile
      this.close();
    }
    followed.segments.ensureKnown(state.logSeq);
    const tail = { seq: state.logSeq, offset: state.logOffset, chain: state.logChain };
    this.wal = Wal.attach(walOptions(options, main.superblock, vfs), followed.segments, {
      tail,
      covered: state.synced,
      time: state.publishedTime,
    });
  }

  /** The log, made ready for its first record if need be. @param lsn  the newest commit, which a new log follows */
  ensureReady(lsn: number): Wal {
    const { header, main, options } = this.parts;
    const published = header.state.logInode !== 0;
    if (this.wal !== null && published && !(main.superblock.clean && options.enableWal)) return this.wal;
    return this.start(lsn);
  }

  private start(lsn: number): Wal {
    const { header, main, options } = this.parts;
    // Files change from here on, and the header not yet: should a step fail, the next holder of WRITE has to look at them.
    header.leaveUnsettled();
    if (this.wal === null && header.state.logInode === 0 && isHistoryLost(main.superblock)) this.beginTimeline();
    const wal = (this.wal ??= this.create(lsn));
    const segment = header.state.logInode === 0 ? { ...liveSegment(wal), chain: wal.tail.chain } : null;
    const slot = options.enableWal && main.superblock.clean ? this.clearCleanFlag(segment) : null;
    header.startLog(segment, slot);
    if (slot !== null) main.adopt(slot);
    return wal;
  }

  private beginTimeline(): void {
    const { header, main, vfs, syncs } = this.parts;
    main.check(false);
    const { sequence, timeline } = main.superblock;
    const slot: Superblock = {
      ...main.superblock,
      sequence: sequence + 1,
      timeline: freshTimeline(vfs.env, timeline),
      forked: false,
      time: vfs.env.wallTimeMs(),
    };
    main.writeSlot(slot);
    syncs.sync(main.file);
    header.adoptSlot(slot);
    main.adopt(slot);
  }

  /** Step 1. The log is in memory when there is to be no file of it. */
  private create(lsn: number): Wal {
    const { header, main, options, vfs, followed, syncs } = this.parts;
    const { replaySeq, replayOffset, replayChain, replaySaltLow, replaySaltHigh } = header.state;
    const onDisk = walOptions(options, main.superblock, vfs);
    const where: WalOptions = options.enableWal
      ? onDisk
      : { ...onDisk, vfs: new MemoryVfs({ env: vfs.env }), syncMode: 'off' };
    const previous = { salt: saltBytes(replaySaltLow, replaySaltHigh), end: replayOffset, chain: replayChain };
    const wal = syncs.guard(() => Wal.create(where, { seq: replaySeq + 1, lsn, previous }));
    followed.useSegments(wal.files);
    return wal;
  }

  /** Step 2. @param segment  a new log; null: the slot names the replay position as it is */
  private clearCleanFlag(segment: LiveSegment | null): Superblock {
    const { header, main, vfs, syncs } = this.parts;
    const { state } = header;
    main.check(false);
    const replay =
      segment === null
        ? {
            replaySeq: state.replaySeq,
            replayOffset: state.replayOffset,
            chain: state.replayChain,
            logSalt: saltBytes(state.replaySaltLow, state.replaySaltHigh),
          }
        : {
            replaySeq: segment.seq,
            replayOffset: SEGMENT_HEADER_SIZE,
            chain: segment.chain,
            logSalt: segment.salt.slice(),
          };
    const slot: Superblock = {
      ...main.superblock,
      ...replay,
      sequence: state.sequence + 1,
      clean: false,
      time: vfs.env.wallTimeMs(),
    };
    main.writeSlot(slot);
    syncs.sync(main.file);
    return slot;
  }

  /** Gives up the log without removing anything. */
  close(): void {
    const { wal } = this;
    this.wal = null;
    wal?.close();
  }

  /** Removes the log files: the clean superblock is durable. */
  removeAll(): void {
    this.wal?.removeAll();
    this.wal = null;
  }
}
