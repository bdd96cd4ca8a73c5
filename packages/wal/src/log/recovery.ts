/**
 * Opening a log after whatever happened (rules F5, F6, O3, O4, P1). Steps, and what a crash after each leaves:
 *
 * 1. The segments that belong to the database are found by their headers; others are foreign.
 * 2. The chain is followed from the replay position, record by record, over segments.    Nothing has changed.
 * 3. Where it ends, damage is distinguished from a torn tail: synced data that cannot be read is damage, and nothing is changed.
 *    Before anything is given up, whoever recovers is told (`beforeLoss`).                Nothing has changed.
 * 4. Files below the replay position go.                                                  Files too many.
 * 5. A missing live segment is made; or the kept records of the last segment are written again and synced, because only the
 *    operating system's cache may hold them; the directory is synced.                     The same bytes again.
 */
import { CorruptionError, directoryOf, sameBytes, toHex } from '@sombra/vfs';
import {
  chooseRival,
  dropFrom,
  dropObsolete,
  estrange,
  estrangeLater,
  findSegments,
  isAnyBehind,
  moveAside,
  NOTHING_DROPPED,
  refuseUnreadable,
} from '../segment/found-segments.ts';
import type { FoundSegment, FoundSegments, StrangeSegment } from '../segment/found-segments.ts';
import { LogWalk } from './log-walk.ts';
import type { RecordView } from '../record/record.ts';
import { joins, SALT_SIZE, sameLog } from '../segment/segment.ts';
import { namedSegments } from '../segment/segment-names.ts';
import type { WalOptions } from '../segment/wal-options.ts';
import type { RecoveryOptions, RecoveryStart } from './recovery-options.ts';
import type { Wal } from './wal.ts';

/** What recovery found. */
export interface RecoveryResult {
  /** The log from the replay position on, open for writing; null when there is none. */
  readonly wal: Wal | null;
  /** Records that were visited. */
  readonly records: number;
  /** Files that belong to another log; `setAside` moves them out of the way. */
  readonly strangers: readonly StrangeSegment[];
  /** Bytes after the last record that are ignored: allocated ahead, a torn tail, or damage with `toLastGood`. */
  readonly droppedBytes: number;
  /** With `keepDropped`: names, without directory, of the files that hold what was given up. */
  readonly kept: readonly string[];
}

/**
 * Opens the log of a database.
 * @param visit  called for each commit behind `start`, in order; the view is borrowed until it returns
 * @throws CorruptionError SOMBRA_WAL_DAMAGED: synced data cannot be read, nothing was changed; SOMBRA_RESTORE_MISMATCH: the
 *   database file is older than the whole log; SOMBRA_WAL_RECORD; StateError SOMBRA_WAL_EXISTS: the log's name is that of another
 *   database's segment; SOMBRA_FORMAT_VERSION; IoError; what `visit` throws
 */
export function recoverLog(
  options: WalOptions,
  start: RecoveryStart,
  how: RecoveryOptions,
  visit: (record: RecordView) => void,
): RecoveryResult {
  const found = findSegments(options, start.position.seq);
  const first = firstSegment(options, start, how, found);
  if (first === undefined) return withoutLog(options, start, how, found);
  const walk = new LogWalk(options, found, start, first);
  try {
    walk.run(visit);
    if (walk.isElsewhere(how)) {
      estrange(found, start.position.seq);
      return withoutLog(options, start, how, found);
    }
    estrangeLater(found, walk.last);
    walk.checkEnd(how);
    if (isHistoryLost(found) || walk.givesUp(how)) how.beforeLoss?.();
    dropObsolete(options, found, first.header.seq, how.keepBefore ?? false);
    const { wal, droppedBytes, kept } = walk.open(how);
    return { wal, records: walk.records, strangers: found.strangers, droppedBytes, kept };
  } finally {
    walk.close();
  }
}

/** Is there another history of this database and timeline, which goes on elsewhere? */
function isHistoryLost({ strangers }: FoundSegments): boolean {
  return strangers.some(({ isRelated }) => isRelated);
}

/**
 * Moves the sealed segments of a log that has ended out of the way, where they waited for an archive: the next log will not be theirs.
 * @returns their new names, without directory
 */
export function setAsideSealed({ vfs, path, identity }: WalOptions): string[] {
  const sealed = namedSegments(vfs, path).filter(
    ({ seq, header }) =>
      header !== undefined && header.seq === seq && sameLog(header, identity) && vfs.stat(`${path}-${seq}`) === null, // else it is the live segment of a copy with a name like `graph-3`, beside `graph`
  );
  const names = sealed.map((file) => moveAside(vfs, path, { path: file.path, salt: toHex(file.header!.salt) }));
  if (names.length > 0) vfs.syncDir(directoryOf(path));
  return names;
}

/** Moves foreign files out of the way of the log. @returns their new names, without directory */
export function setAside(
  { vfs, path }: Pick<WalOptions, 'vfs' | 'path'>,
  result: Pick<RecoveryResult, 'strangers'>,
): string[] {
  const names = result.strangers.map((stranger) => stranger.movedTo ?? moveAside(vfs, path, stranger));
  if (names.length > 0) vfs.syncDir(directoryOf(path)); // before another file gets the name that became free
  return names;
}

/** The segment in which replay begins; undefined when there is nothing to replay (P1, O3). */
function firstSegment(
  options: WalOptions,
  start: RecoveryStart,
  { toLastGood = false }: RecoveryOptions,
  found: FoundSegments,
): FoundSegment | undefined {
  const { seq, offset } = start.position;
  chooseRival(found, seq, (header) => sameBytes(header.salt, 0, start.salt, 0, SALT_SIZE));
  if (found.own.get(seq) === undefined)
    chooseRival(found, seq + 1, (header) => joins(header, start.salt, offset, start.chain));
  const own = found.own.get(seq);
  if (own !== undefined && sameBytes(own.header.salt, 0, start.salt, 0, SALT_SIZE)) return own;
  const next = found.own.get(seq + 1);
  if (next !== undefined && joins(next.header, start.salt, offset, start.chain)) return next;
  if (!toLastGood) refuseUnreadable(found, seq);
  else if (found.unreadable.some((file) => file.seq >= seq)) return undefined;
  const newer = [...found.own.values()].filter(({ header }) => header.seq >= seq);
  if (newer.length === 0) return undefined;
  const oldest = newer.reduce((a, b) => (b.header.seq < a.header.seq ? b : a));
  if (oldest.header.seq > seq && oldest.header.baseLsn > start.lsn) {
    throw new CorruptionError(
      'SOMBRA_RESTORE_MISMATCH',
      `${options.path} ends with commit ${start.lsn}, and the log beside it begins after commit ${oldest.header.baseLsn}: it is an older copy of the database. Restore a newer copy, or move the log files (${newer.map((segment) => segment.path).join(', ')}) away to open it as it is`,
      { details: { lsn: start.lsn, baseLsn: oldest.header.baseLsn } },
    );
  }
  estrange(found, seq);
  return undefined;
}

/** Nothing is replayed. Damage is what is left above the start: with `toLastGood` it goes. */
function withoutLog(
  options: WalOptions,
  start: RecoveryStart,
  how: RecoveryOptions,
  found: FoundSegments,
): RecoveryResult {
  if (found.rival !== undefined) chooseRival(found, found.rival.header.seq, () => false);
  const { seq } = start.position;
  const drops = how.toLastGood === true && isAnyBehind(found, seq);
  if (drops || isHistoryLost(found)) how.beforeLoss?.();
  const dropped = drops ? dropFrom(options, found, seq, how.keepDropped ?? false) : NOTHING_DROPPED;
  dropObsolete(options, found, seq, how.keepBefore ?? false);
  const { bytes: droppedBytes, kept } = dropped;
  return { wal: null, records: 0, strangers: found.strangers, droppedBytes, kept };
}
