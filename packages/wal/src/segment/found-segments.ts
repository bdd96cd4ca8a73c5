/** What recovery finds under the names of segments, and what becomes of the files that are not the log. */
import { CorruptionError, sameBytes, StateError, toHex } from '@sombra/vfs';
import type { SombraError, Vfs, VfsDirectory } from '@sombra/vfs';
import { archivedThrough } from './archive-mark.ts';
import { livePath, namesake, SALT_SIZE, sameLog, sealedPath } from './segment.ts';
import type { SegmentHeader } from './segment.ts';
import { headerOf, namedSegments } from './segment-names.ts';
import type { NamedSegment } from './segment-names.ts';
import type { WalOptions } from './wal-options.ts';

/** A file with the name of a segment that belongs to another log. */
export interface StrangeSegment {
  readonly path: string;
  /** Two digits per byte. */
  readonly salt: string;
  /** Is it of this database and timeline, but of another history? */
  readonly isRelated: boolean;
  /** New name, without directory, when it was in the way and has been set aside already. */
  readonly movedTo?: string;
}

/** A segment of this log. */
export interface FoundSegment {
  readonly path: string;
  readonly live: boolean;
  readonly header: SegmentHeader;
}

/** What stands under the names of segments. */
export interface FoundSegments {
  /** By number. */
  readonly own: Map<number, FoundSegment>;
  /** The live segment, when a sealed one in `own` has its number: one of the two is of another history. */
  rival: FoundSegment | undefined;
  strangers: StrangeSegment[];
  /** Files whose header cannot be read. */
  unreadable: NamedSegment[];
  /** Files that are no longer needed. */
  readonly obsolete: string[];
}

/** Step 1 of recovery. @param startSeq  segment of the replay position */
export function findSegments({ vfs, path, identity }: WalOptions, startSeq: number): FoundSegments {
  const found: FoundSegments = { own: new Map(), rival: undefined, strangers: [], unreadable: [], obsolete: [] };
  for (const file of namedSegments(vfs, path)) {
    const { header } = file;
    const live = file.seq === Infinity;
    if (header === undefined) found.unreadable.push(file);
    else if (!sameLog(header, identity)) {
      if (live) refuseNamesake(vfs, path, header);
      // The live segment of a database with a name like `graph-3`, beside `graph`: it is not in our way before we get that far.
      else if (vfs.stat(`${path}-${file.seq}`) !== null) continue;
      found.strangers.push({ ...strangerOf(file.path, header), isRelated: false });
    }
    // A segment that was given up and is being reused, under its old name because the new one was not durable.
    else if (!live && header.seq > file.seq && file.seq < startSeq) found.obsolete.push(file.path);
    else if (!live && header.seq !== file.seq) found.strangers.push(strangerOf(file.path, header));
    // The replay position lies in the live segment or before it: this is another history.
    else if (live && header.seq < startSeq) found.strangers.push(strangerOf(file.path, header));
    else if (found.own.has(header.seq)) found.rival = { path: file.path, live, header };
    else found.own.set(header.seq, { path: file.path, live, header });
  }
  return found;
}

/** A segment of `graph` must not be set aside because `graph-3` is opened. */
function refuseNamesake(vfs: Vfs, path: string, { seq }: SegmentHeader): void {
  const other = namesake(path);
  if (other === undefined || other.seq !== seq || vfs.stat(other.path) === null) return;
  throw new StateError(
    'SOMBRA_WAL_EXISTS',
    `${livePath(path)} is segment ${seq} of the log of ${other.path}, and ${path} cannot have a log beside it: rename one of the two databases`,
    {
      details: { path: livePath(path) },
    },
  );
}

function strangerOf(path: string, { salt }: SegmentHeader): StrangeSegment {
  return { path, salt: toHex(salt), isRelated: true };
}

/** Of two files with the number `seq`, the one that `fits` is of this log; by default the sealed one. The other one is a stranger. */
export function chooseRival(found: FoundSegments, seq: number, fits: (header: SegmentHeader) => boolean): void {
  const { rival } = found;
  const sealed = found.own.get(seq);
  if (rival === undefined || sealed === undefined || rival.header.seq !== seq) return;
  const other = fits(rival.header) ? sealed : rival;
  found.rival = undefined;
  found.own.set(seq, other === rival ? sealed : rival);
  found.strangers.push(strangerOf(other.path, other.header));
}

/** The same database, another history: a copy that went on by itself. */
export function estrange(found: FoundSegments, fromSeq: number): void {
  if (found.rival !== undefined) chooseRival(found, found.rival.header.seq, () => false);
  for (const [seq, { path, header }] of [...found.own]) {
    if (seq < fromSeq) continue;
    found.own.delete(seq);
    found.strangers.push(strangerOf(path, header));
  }
}

/**
 * P1: segments above the end of the log that were left by another history, of a database file that was replaced by an older copy. They
 * are no part of this log, and no sign of damage to it.
 * @param last  the last segment that is read
 */
export function estrangeLater(found: FoundSegments, last: SegmentHeader): void {
  const { rival } = found;
  if (rival !== undefined) {
    const { seq } = rival.header;
    chooseRival(found, seq, (header) => seq > last.seq && !isOfOtherHistory(header, last));
  }
  const later = [...found.own].filter(([seq]) => seq > last.seq).sort(([a], [b]) => a - b);
  let stranger: SegmentHeader | undefined;
  for (const [seq, { path, header }] of later) {
    if (!isOfOtherHistory(header, last) && !(stranger !== undefined && follows(header, stranger))) continue;
    stranger = header;
    found.own.delete(seq);
    found.strangers.push(strangerOf(path, header));
  }
}

/** Is it certain that a segment goes on from `before`? */
function follows({ seq, previous }: SegmentHeader, before: SegmentHeader): boolean {
  return seq === before.seq + 1 && sameBytes(previous.salt, 0, before.salt, 0, SALT_SIZE);
}

/** Is it certain that a segment with a higher number does not go on from `last`? Headers of one log have ascending times, whatever the clock does. */
function isOfOtherHistory({ seq, time, previous }: SegmentHeader, last: SegmentHeader): boolean {
  if (seq === last.seq + 1) return !sameBytes(previous.salt, 0, last.salt, 0, SALT_SIZE);
  return time < last.time;
}

/**
 * P1: makes a name free for the live segment. A readable segment under it is of another log or history, because the names of this log end
 * below; it is set aside, and that is durable before the name is used again.
 * @throws StateError SOMBRA_WAL_EXISTS: the file is no segment, or the log of a database with a similar name
 */
export function clearSealedName({ vfs, path, onSetAside }: WalOptions, seq: number, directory: VfsDirectory): void {
  const name = sealedPath(path, seq);
  if (vfs.stat(name) === null) return;
  const header = vfs.stat(`${path}-${seq}`) === null ? headerOf(vfs, name) : undefined;
  if (header === undefined) {
    throw new StateError(
      'SOMBRA_WAL_EXISTS',
      `${name} is in the way of the next segment of the log of ${path}: move it away, or the database that it belongs to`,
      { details: { path: name } },
    );
  }
  const aside = moveAside(vfs, path, strangerOf(name, header));
  directory.sync();
  onSetAside?.(aside);
}

/** F6: a header is synced before its file gets the name of a segment, so one that cannot be read is damage. */
export function refuseUnreadable(found: FoundSegments, fromSeq: number): void {
  const file = found.unreadable.find(({ seq }) => seq >= fromSeq);
  if (file !== undefined) throw unreadableHeader(file);
}

/** The error about a header that cannot be read. */
export function unreadableHeader({ path, isNewer }: NamedSegment): SombraError {
  if (!isNewer) return damaged(`the header of ${path} cannot be read`, { path });
  return new StateError(
    'SOMBRA_FORMAT_VERSION',
    `${path} was written by a newer release in a newer format: use that release`,
    { details: { path } },
  );
}

/** Damage to what was durable. */
export function damaged(message: string, details: Record<string, unknown>): CorruptionError {
  return new CorruptionError(
    'SOMBRA_WAL_DAMAGED',
    `${message}; nothing was changed: restore a backup, or keep the commits before the damage with toLastGood`,
    {
      details,
    },
  );
}

/** What became of what lay behind damage. */
export interface Dropped {
  readonly bytes: number;
  /** Names, without directory, of the files that hold it now; empty when it was removed. */
  readonly kept: readonly string[];
}

export const NOTHING_DROPPED: Dropped = { bytes: 0, kept: [] };

/** What lies behind damage in segment `fromSeq - 1`. */
function behind(found: FoundSegments, fromSeq: number): { segments: FoundSegment[]; unreadable: NamedSegment[] } {
  const segments = [...found.own.values()].filter(({ header }) => header.seq >= fromSeq);
  return { segments, unreadable: found.unreadable.filter(({ seq }) => seq >= fromSeq) };
}

/** Is there something to drop? */
export function isAnyBehind(found: FoundSegments, fromSeq: number): boolean {
  const { segments, unreadable } = behind(found, fromSeq);
  return segments.length + unreadable.length > 0;
}

/** Removes what lies behind damage, or moves it out of the way: readable or not, from segment `fromSeq` on. */
export function dropFrom({ vfs, path }: WalOptions, found: FoundSegments, fromSeq: number, keep: boolean): Dropped {
  const { segments, unreadable } = behind(found, fromSeq);
  const names = [
    ...segments.map((segment) => ({ path: segment.path, salt: toHex(segment.header.salt) })),
    ...unreadable.map((file) => ({ path: file.path, salt: 'unreadable' })),
  ];
  let bytes = 0;
  const kept: string[] = [];
  for (const name of names) {
    bytes += vfs.stat(name.path)?.size ?? 0;
    if (keep) kept.push(moveAside(vfs, path, name));
    else vfs.unlink(name.path);
  }
  for (const { header } of segments) found.own.delete(header.seq);
  found.unreadable = found.unreadable.filter((file) => !unreadable.includes(file));
  return { bytes, kept };
}

/** Step 4 of recovery: files of this log that lie before the replay position. A checkpoint that was interrupted left them. */
export function dropObsolete(
  { vfs, path: database }: WalOptions,
  found: FoundSegments,
  fromSeq: number,
  keepBefore: boolean,
): void {
  if (keepBefore) return;
  const archived = archivedThrough(vfs, database);
  for (const path of found.obsolete) vfs.unlink(path);
  for (const { path, seq } of found.unreadable) if (seq < fromSeq && seq <= archived) vfs.unlink(path);
  for (const [seq, { path }] of [...found.own]) {
    if (seq >= fromSeq) continue;
    found.own.delete(seq);
    if (seq <= archived) vfs.unlink(path);
  }
}

/** @returns the new name, without directory */
export function moveAside(vfs: Vfs, path: string, { path: from, salt }: Pick<StrangeSegment, 'path' | 'salt'>): string {
  const to = asidePath(vfs, path, salt);
  vfs.rename(from, to);
  return to.slice(to.lastIndexOf('/') + 1);
}

/** A free name for what is kept and belongs to no log. @param what  distinguishes it from others */
export function asidePath(vfs: Vfs, path: string, what: string): string {
  const first = `${livePath(path)}.set-aside-${what}`;
  let to = first;
  for (let copy = 2; vfs.stat(to) !== null; copy += 1) to = `${first}-${copy}`;
  return to;
}
