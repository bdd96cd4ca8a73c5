/**
 * Pages that bulk loads have placed past the log, on their way into its archive: stored under the number of their commit, before the record of that commit
 * is, then their files go. Files of a timeline that has ended are of no use to the archive of this one, and go, too.
 */
import { createHash } from 'node:crypto';
import { CorruptionError, toHex } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { needsPlacedPages, placedCommits, placedPath, PlacedReader } from '@sombra/pager';
import type { LogEnd } from '@sombra/pager';
import type { RecordView } from '@sombra/wal';
import type { Compression } from '../backup/names.ts';
import { throwIfAborted } from '../base/abort.ts';
import type { ObjectStore } from '../base/object-store.ts';
import { nextTurn } from '../base/pause.ts';
import { notContinued } from './errors.ts';
import { pagesKey } from './names.ts';
import { encodePiece } from './piece.ts';
import type { PieceHeader } from './piece.ts';
import { bytesOfFile, turned } from './source.ts';
import type { ArchiveSource } from './source.ts';

/** What it works with. */
export interface PlacedArchiveParts {
  readonly store: ObjectStore;
  /** File system of the database. */
  readonly vfs: Vfs;
  readonly source: ArchiveSource;
  /** Of the archive. */
  readonly name: string;
  readonly compression: Compression;
}

/** A file of placed pages that is whole. */
interface Checked {
  readonly timeline: number;
  readonly sha256: string;
}

/** See the top of the file. */
export class PlacedArchive {
  private readonly parts: PlacedArchiveParts;
  /** Commits whose pages are archived. */
  private stored = new Set<number>();
  /** Commits that have a file which is not whole. */
  private readonly unreadable = new Map<number, CorruptionError>();

  constructor(parts: PlacedArchiveParts) {
    this.parts = parts;
  }

  /** The archive has the pages of these commits. */
  begin(stored: Iterable<number>): void {
    this.stored = new Set(stored);
  }

  /** Is there a file for this commit that is not whole? */
  isUnreadable(lsn: number): boolean {
    return this.unreadable.has(lsn);
  }

  /**
   * Stores the pages of commits behind `archived`.
   * @param archived  the newest commit that the archive has; undefined: none
   * @returns how many objects were written, and their bytes
   * @throws as `ObjectStore.put`, IoError
   */
  async store(
    end: LogEnd,
    archived: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ objects: number; bytes: number }> {
    const { vfs, source } = this.parts;
    const written = { objects: 0, bytes: 0 };
    for (const lsn of placedCommits(vfs, source.path)) {
      if (lsn > end.lsn) continue; // a load that is being written
      // What the archive has passed was stored before it did.
      if (archived === undefined || lsn > archived) {
        const bytes = await this.storeFile(end, lsn, signal);
        if (bytes === undefined) continue;
        written.objects += bytes === 0 ? 0 : 1;
        written.bytes += bytes;
      }
      vfs.unlink(placedPath(source.path, lsn));
    }
    return written;
  }

  /** A commit of a bulk load is of no use without its pages. @throws what is wrong with them; StateError SOMBRA_ARCHIVE_GAP */
  check(record: RecordView, pageCount: number): void {
    const { lsn } = record;
    if (this.stored.has(lsn) || !needsPlacedPages(record, pageCount === 0 ? record.pageCount : pageCount)) return;
    const cause = this.unreadable.get(lsn);
    if (cause !== undefined) throw cause;
    throw notContinued(
      this.parts.store.location,
      `commit ${lsn} is one of a bulk load, whose pages were not kept, or were taken by another archive`,
      { lsn },
    );
  }

  /**
   * @returns bytes that were stored, 0 for pages of another timeline; undefined when they are not whole: a load that was killed leaves such; a commit
   *   that needs them is refused when its record is read
   */
  private async storeFile(
    { identity }: LogEnd,
    lsn: number,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const { vfs, source, store, name, compression } = this.parts;
    const file = vfs.open(placedPath(source.path, lsn), { write: false });
    try {
      const { size } = file.stat();
      const checked = await this.readPages(file, size, signal);
      if (checked instanceof CorruptionError) {
        this.unreadable.set(lsn, checked);
        return undefined;
      }
      if (checked.timeline !== identity.timeline) return 0;
      const header: PieceHeader = {
        kind: 'pages',
        databaseId: toHex(identity.databaseId),
        timeline: identity.timeline,
        pageSize: identity.pageSize,
        seq: 0,
        salt: '',
        from: 0,
        to: size,
        before: lsn,
        last: lsn,
        firstTime: 0,
        lastTime: 0,
        chain: 0,
        previous: '',
        compression,
        sha256: checked.sha256,
      };
      const key = pagesKey(name, { kind: 'pages', timeline: identity.timeline, lsn });
      await store.put(key, encodePiece(header, turned(vfs, bytesOfFile(file, 0, size))), { signal });
      this.stored.add(lsn);
      return size;
    } finally {
      file.close();
    }
  }

  /** Checks every page. @returns what is wrong with them, when they are not whole */
  private async readPages(
    file: VfsFile,
    size: number,
    signal: AbortSignal | undefined,
  ): Promise<Checked | CorruptionError> {
    const reader = new PlacedReader(file.path, () => undefined);
    const hash = createHash('sha256');
    try {
      for (const bytes of bytesOfFile(file, 0, size)) {
        throwIfAborted(signal);
        reader.push(bytes);
        hash.update(bytes);
        await nextTurn(this.parts.vfs.env);
      }
      return { timeline: reader.end().timeline, sha256: hash.digest('hex') };
    } catch (error) {
      if (error instanceof CorruptionError) return error;
      throw error;
    }
  }
}
