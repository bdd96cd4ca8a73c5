/**
 * Copies the log of a database into an archive. One pass brings everything that was committed when it began; steps, and what a crash after each
 * leaves:
 *
 * 1. Pages of bulk loads are stored, then their files go.        The same pages again; pages whose commit is not archived yet.
 * 2. A sealed segment is read, every record of it, and stored.   The segment and its tails; the next pass goes on behind it.
 * 3. The database hears that it has been archived.               A segment that is there longer than it had to be.
 * 4. Tails of that segment are deleted.                          Tails that `superseded` names; the next pass deletes them.
 * 5. What the live segment has gained is stored as a tail.       The next pass goes on behind it.
 *
 * Nothing is stored that does not continue what is there, record by record: the place behind the last one is kept, and found in the
 * archive when an archiver begins.
 */
import { createHash } from 'node:crypto';
import { toHex } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import type { LogEnd } from '@sombra/pager';
import { LogStream, openSegment, SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { LogPlace, OpenSegment } from '@sombra/wal';
import type { Compression } from '../backup/names.ts';
import { nextTurn } from '../base/pause.ts';
import { throwIfAborted } from '../base/abort.ts';
import type { ObjectStore } from '../base/object-store.ts';
import { notContinued } from './errors.ts';
import { readLogIndex } from './index-of-log.ts';
import type { IndexedPiece, TimelineIndex } from './index-of-log.ts';
import { pieceKey } from './names.ts';
import { encodePiece, readPieceHeader } from './piece.ts';
import type { PieceHeader } from './piece.ts';
import { PlacedArchive } from './placed-archive.ts';
import { bytesOfFile, turned } from './source.ts';
import type { ArchiveSource } from './source.ts';

/** What an archiver works with. */
export interface ArchiverParts {
  readonly store: ObjectStore;
  /** File system of the database. */
  readonly vfs: Vfs;
  readonly source: ArchiveSource;
  /** Of the archive. */
  readonly name: string;
  readonly compression: Compression;
  /** What to do when the log does not go on from what the archive has. */
  readonly afterGap: 'refuse' | 'begin';
  /** Still the only archiver? Asked before something is deleted. */
  readonly confirm: () => Promise<void>;
}

/** What one pass has done. */
export interface ArchivePass {
  /** The newest commit that is archived, and when it was made, ms since 1970; 0 without one. */
  readonly lsn: number;
  readonly time: number;
  /** Objects that were written, and bytes of the log in them. */
  readonly objects: number;
  readonly bytes: number;
  /** Segments that are archived as a whole since. */
  readonly segments: number;
}

/** Where the archive ends. */
interface Reached {
  readonly timeline: number;
  /** Behind its last record. */
  readonly place: LogPlace;
  /** Is the segment of `place` there as a whole? */
  readonly isWhole: boolean;
  /** SHA-256 of its last piece. */
  readonly sha256: string;
  /** When its last commit was made, ms since 1970; 0 without one. */
  readonly time: number;
}

/** What reading bytes of a segment has shown. */
interface Read {
  readonly place: LogPlace;
  readonly sha256: string;
  readonly firstTime: number;
  readonly lastTime: number;
}

/** See the top of the file. One pass at a time. */
export class LogArchiver {
  private readonly parts: ArchiverParts;
  private reached: Reached | undefined;
  private readonly placed: PlacedArchive;
  /** Of the database as of the last record that was read; 0 when that is not known. */
  private pageCount = 0;
  private objects = 0;
  private bytes = 0;
  private segments = 0;

  constructor(parts: ArchiverParts) {
    this.parts = parts;
    this.placed = new PlacedArchive(parts);
  }

  /** Bytes of the log that the last pass, or the beginning, left behind; undefined before the first pass. */
  lagBytes(end: LogEnd): number | undefined {
    const { reached } = this;
    if (reached === undefined || end.position === undefined) return undefined;
    if (reached.place.seq === end.position.seq) return end.position.offset - reached.place.offset;
    let bytes = end.position.offset;
    for (let { seq } = reached.place; seq < end.position.seq; seq += 1) {
      const segment = this.open(end, seq);
      if (segment === undefined) continue;
      try {
        bytes += segment.file.stat().size - (seq === reached.place.seq ? reached.place.offset : 0);
      } finally {
        segment.file.close();
      }
    }
    return bytes;
  }

  /**
   * Archives what is committed now.
   * @throws StateError SOMBRA_ARCHIVE_GAP: the log does not go on from what the archive has; as `Pager.logEnd`, `ObjectStore.put`; CorruptionError
   *   SOMBRA_ARCHIVE_DAMAGED: the log is damaged
   */
  async pass(signal: AbortSignal | undefined): Promise<ArchivePass> {
    const { source } = this.parts;
    this.objects = this.bytes = this.segments = 0;
    let end = source.logEnd({ waitMs: 0 });
    const { timeline } = end.identity;
    if (this.reached?.timeline !== timeline) this.reached = await this.find(end, signal);
    this.checkGoesOn(end);
    if (this.setMark(end)) end = source.logEnd({ waitMs: 0 });
    if (end.position !== undefined) {
      const { objects, bytes } = await this.placed.store(end, this.reached?.place.lsn, signal);
      this.objects += objects;
      this.bytes += bytes;
      await this.archiveLog(end, end.position.seq, signal);
    }
    const { objects, bytes, segments } = this;
    return { lsn: this.reached?.place.lsn ?? 0, time: this.reached?.time ?? 0, objects, bytes, segments };
  }

  /** What is archived has to lie in the past of the database. */
  private checkGoesOn(end: LogEnd): void {
    const { reached } = this;
    const { store, source, afterGap } = this.parts;
    if (reached === undefined) return;
    const { lsn } = reached.place;
    const problem =
      source.archivedThrough() === Infinity
        ? 'the archive of the database was ended, and what was committed since may be gone'
        : isBehind(end, reached.place)
          ? `the database is at commit ${end.lsn}, and commit ${lsn} is archived of another history of it`
          : undefined;
    if (problem === undefined) return;
    if (afterGap === 'refuse') throw notContinued(store.location, problem, { lsn: end.lsn, archived: lsn });
    this.reached = undefined;
  }

  /**
   * Begins the archive of the database: from here on nothing of its log goes away unarchived; what was before is not needed by backups that are made
   * from now on. A mark that was left by an archive of another history is taken back.
   * @returns whether it had to be written
   */
  private setMark({ position }: LogEnd): boolean {
    const { source } = this.parts;
    const { reached } = this;
    const most = reached === undefined ? Math.max(0, (position?.seq ?? 1) - 1) : throughOf(reached);
    const mark = source.archivedThrough();
    if (mark <= most) return false;
    source.markArchived(most);
    return true;
  }

  // ---- what is there

  /** Where the archive of this timeline ends; undefined when it has nothing of it. */
  private async find(end: LogEnd, signal: AbortSignal | undefined): Promise<Reached | undefined> {
    const { store, name } = this.parts;
    const { timeline } = end.identity;
    const index = (await readLogIndex(store, name, signal)).find((one) => one.timeline === timeline);
    const last = index?.pieces.at(-1);
    if (index === undefined || last === undefined) return undefined;
    this.placed.begin(index.pages.keys());
    this.pageCount = 0;
    await this.remove(index, signal);
    const header = await readPieceHeader(store, last.key, { signal });
    if (header.databaseId !== toHex(end.identity.databaseId)) {
      throw notContinued(store.location, `it is the log of the database with id ${header.databaseId}`, {
        databaseId: header.databaseId,
      });
    }
    return {
      timeline,
      place: {
        seq: header.seq,
        offset: header.to,
        chain: header.chain,
        salt: Buffer.from(header.salt, 'hex'),
        lsn: header.last,
      },
      isWhole: header.kind === 'segment',
      sha256: header.sha256,
      time: header.lastTime,
    };
  }

  /** Step 4, of an archiver that did not get there. */
  private async remove({ superseded }: TimelineIndex, signal: AbortSignal | undefined): Promise<void> {
    if (superseded.length > 0) await this.parts.confirm();
    for (const { key } of superseded) await this.parts.store.delete(key, { signal });
  }

  // ---- the log

  private async archiveLog(end: LogEnd, liveSeq: number, signal: AbortSignal | undefined): Promise<void> {
    this.markWhole();
    let seq =
      this.reached === undefined
        ? this.oldestKept(end, liveSeq)
        : this.reached.place.seq + (this.reached.isWhole ? 1 : 0);
    for (; seq <= liveSeq; seq += 1) {
      throwIfAborted(signal);
      const segment = this.open(end, seq);
      if (segment === undefined) {
        // A database that was closed before its archive began has no log until the next commit.
        if (this.reached === undefined) return;
        this.missing(seq);
        seq = this.oldestKept(end, liveSeq) - 1; // begins again
        continue;
      }
      try {
        const next = this.open(end, seq + 1);
        next?.file.close();
        if (next === undefined) await this.storeTail(end, segment, signal);
        else await this.storeSegment(end, segment, next.header.previous.end, signal);
      } finally {
        segment.file.close();
      }
    }
  }

  /** The first segment that was kept since the archive began: connections that are gone may have left several. */
  private oldestKept(end: LogEnd, liveSeq: number): number {
    const through = this.parts.source.archivedThrough();
    let seq = liveSeq;
    for (; seq - 1 > through; seq -= 1) {
      const before = this.open(end, seq - 1);
      if (before === undefined) break;
      before.file.close();
    }
    return seq;
  }

  /** Step 3. */
  private markWhole(): void {
    const { source } = this.parts;
    const through = this.reached === undefined ? 0 : throughOf(this.reached);
    if (source.archivedThrough() < through) source.markArchived(through);
  }

  private open({ identity }: LogEnd, seq: number): OpenSegment | undefined {
    return openSegment(this.parts.vfs, this.parts.source.path, identity, seq);
  }

  private missing(seq: number): void {
    const { store, afterGap, source } = this.parts;
    if (afterGap === 'refuse') {
      throw notContinued(store.location, `segment ${seq} of the log of ${source.path} is gone`, { seq });
    }
    this.reached = undefined;
  }

  /** Step 5. */
  private async storeTail(end: LogEnd, segment: OpenSegment, signal: AbortSignal | undefined): Promise<void> {
    const { seq } = segment.header;
    const to = seq === end.position!.seq ? end.position!.offset : undefined;
    const from = this.reached?.place.seq === seq ? this.reached.place.offset : 0;
    // The newest commit stands in another segment: this one is about to be followed by it.
    if (to === undefined || to <= Math.max(from, SEGMENT_HEADER_SIZE)) return;
    await this.store('tail', end, segment, from, to, signal);
  }

  /** Steps 2 to 4. */
  private async storeSegment(
    end: LogEnd,
    segment: OpenSegment,
    to: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.store('segment', end, segment, 0, to, signal);
    this.segments += 1;
    this.markWhole();
    const { store, name, confirm } = this.parts;
    const { seq } = segment.header;
    const index = (await readLogIndex(store, name, signal)).find(({ timeline }) => timeline === end.identity.timeline);
    const tails = index?.superseded.filter((piece: IndexedPiece) => piece.seq === seq) ?? [];
    if (tails.length > 0) await confirm();
    for (const { key } of tails) await store.delete(key, { signal });
  }

  private async store(
    kind: 'segment' | 'tail',
    { identity }: LogEnd,
    segment: OpenSegment,
    from: number,
    to: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { store, vfs, name, compression } = this.parts;
    const { header, file } = segment;
    const before = from === 0 ? header.baseLsn : this.reached!.place.lsn;
    const read = await this.read(identity, segment, from, to, signal);
    const { lsn: last, chain } = read.place;
    const piece: PieceHeader = {
      kind,
      databaseId: toHex(identity.databaseId),
      timeline: identity.timeline,
      pageSize: identity.pageSize,
      seq: header.seq,
      salt: toHex(header.salt),
      from,
      to,
      before,
      last,
      firstTime: read.firstTime,
      lastTime: read.lastTime,
      chain,
      previous: this.reached?.sha256 ?? '',
      compression,
      sha256: read.sha256,
    };
    const key = pieceKey(name, { kind, timeline: identity.timeline, seq: header.seq, from, to, before, last });
    await store.put(key, encodePiece(piece, turned(vfs, bytesOfFile(file, from, to))), { signal });
    this.reached = {
      timeline: identity.timeline,
      place: read.place,
      isWhole: kind === 'segment',
      sha256: read.sha256,
      time: read.lastTime === 0 ? (this.reached?.time ?? 0) : read.lastTime,
    };
    this.objects += 1;
    this.bytes += to - from;
  }

  /**
   * Reads bytes of a segment, and every record in them: they continue what is archived, and end with a record.
   * @param from  0, or where the archive ends
   */
  private async read(
    identity: LogEnd['identity'],
    { header, file }: OpenSegment,
    from: number,
    to: number,
    signal: AbortSignal | undefined,
  ): Promise<Read> {
    const { vfs } = this.parts;
    const reached: Reached | undefined = this.reached;
    const own: LogPlace = {
      seq: header.seq,
      offset: SEGMENT_HEADER_SIZE,
      chain: header.chain,
      salt: header.salt,
      lsn: header.baseLsn,
    };
    const continues = from > 0 || (reached !== undefined && reached.place.seq < header.seq);
    const stream = new LogStream(identity, continues ? reached!.place : own);
    const hash = createHash('sha256');
    let [firstTime, lastTime] = [0, 0];
    let pageCount = continues ? this.pageCount : 0;
    // Of a segment whose tails are archived, the whole has to pass through the place where they end.
    let passed = continues || reached === undefined || reached.place.offset === SEGMENT_HEADER_SIZE;
    const first = new Uint8Array(SEGMENT_HEADER_SIZE);
    for (const bytes of bytesOfFile(file, 0, SEGMENT_HEADER_SIZE)) first.set(bytes);
    stream.begin(first, file.path);
    if (from === 0) hash.update(first);
    for (const bytes of bytesOfFile(file, Math.max(from, SEGMENT_HEADER_SIZE), to)) {
      throwIfAborted(signal);
      hash.update(bytes);
      stream.push(bytes);
      while (stream.next()) {
        const { record } = stream;
        if (firstTime === 0) firstTime = record.time;
        lastTime = record.time;
        // What an archive begins with may have loads from before it.
        const isNew = reached === undefined ? this.placed.isUnreadable(record.lsn) : record.lsn > reached.place.lsn;
        if (isNew) this.placed.check(record, pageCount);
        ({ pageCount } = record);
        if (record.end === reached?.place.offset && record.chain === reached?.place.chain) passed = true;
      }
      await nextTurn(vfs.env);
    }
    stream.endSegment();
    this.pageCount = pageCount;
    if (!passed) {
      const { seq, offset } = reached!.place;
      throw notContinued(
        this.parts.store.location,
        `segment ${seq} of the log of ${this.parts.source.path} has other commits before offset ${offset}`,
        { seq, offset },
      );
    }
    return { place: stream.place, sha256: hash.digest('hex'), firstTime, lastTime };
  }
}

/** The highest segment that the archive has as a whole. */
function throughOf({ place, isWhole }: Reached): number {
  return place.seq - (isWhole ? 0 : 1);
}

/** Does the log certainly not go on from that place? Segments without a commit, which a close leaves, may be archived beyond its end. */
function isBehind({ lsn, position }: LogEnd, place: LogPlace): boolean {
  if (lsn < place.lsn) return true;
  if (position === undefined || position.seq > place.seq) return false;
  if (position.seq < place.seq) return lsn > place.lsn;
  if (position.offset < place.offset) return true;
  return position.offset === place.offset && (position.chain !== place.chain || lsn > place.lsn);
}
