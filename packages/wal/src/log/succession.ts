/**
 * What the next writer does after one that died while holding the writers' lock (rules L5, K6): nothing that only the operating system's
 * cache holds may be trusted, and a rotation may stand between two names. The model's steps, in order. A writer whose own rotation failed
 * between two names settles them in the same way.
 */
import { CorruptionError, directoryOf, preadFully, pwriteFully, syncDirectory, withDirectory } from '@sombra/vfs';
import type { FileId, VfsFile } from '@sombra/vfs';
import { joins, livePath, sameLog, sealedPath, SEGMENT_HEADER_SIZE, sparePath } from '../segment/segment.ts';
import { headerOf, readHeader } from '../segment/segment-names.ts';
import { prepareSegment } from './prepare-segment.ts';
import type { LogPosition, LogTail } from '../segment/log-position.ts';
import type { WalOptions } from '../segment/wal-options.ts';

/** The published end of the log. */
export interface PublishedEnd extends LogTail {
  /** Newest published commit. */
  readonly lsn: number;
  /** Salt of the segment. */
  readonly salt: Uint8Array;
  /** File of the live segment; undefined while the log has none. */
  readonly inode: number | undefined;
}

/** A live segment that has to be published. */
export interface AdoptedSegment extends LogTail {
  readonly salt: Uint8Array;
  readonly inode: number;
}

/** The inode of a file as a safe integer: its low 52 bits, which is all of it on common file systems. */
export function inodeNumber(id: FileId): number {
  return Number(BigInt.asUintN(52, id.ino));
}

/**
 * Writes published records again and syncs them: the sync of the dead writer may have failed.
 * @param from  offset up to which they are known to be durable
 */
export function rewriteRecords(options: WalOptions, position: LogPosition, from: number): void {
  const { vfs, path } = options;
  for (const name of [livePath(path), sealedPath(path, position.seq)]) {
    if (vfs.stat(name) === null) continue;
    const file = vfs.open(name, { write: true });
    try {
      if (readHeader(file)?.seq !== position.seq) continue;
      rewriteBytes(file, from, position.offset);
      return;
    } finally {
      file.close();
    }
  }
  throw missingSegment(path, position.seq);
}

function missingSegment(path: string, seq: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_WAL_DAMAGED',
    `segment ${seq} of the log of ${path} is missing: was it removed while the database was open? Restore a backup`,
    { details: { seq } },
  );
}

/** Writes bytes [from, to) of a file again, and syncs it: afterwards they are on the disk, whatever the cache pretended (O4). */
export function rewriteBytes(file: VfsFile, from: number, to: number): void {
  const part = new Uint8Array(Math.min(Math.max(to - from, 0), 1024 * 1024));
  for (let at = from; at < to; at += part.length) {
    const bytes = to - at < part.length ? part.subarray(0, to - at) : part;
    if (preadFully(file, bytes, at) < bytes.length) {
      throw new CorruptionError(
        'SOMBRA_WAL_DAMAGED',
        `${file.path} ends before byte ${to}, and held that many: restore a backup`,
        {
          details: { path: file.path, to },
        },
      );
    }
    pwriteFully(file, bytes, at);
  }
  file.sync('full');
}

/**
 * Settles the names of segments. A live file that is the published one needs nothing; without a live file the rotation goes on
 * from the next header; a live file that joins the published end was not published yet.
 * @returns the live segment that has to be published, null when it is
 * @throws CorruptionError SOMBRA_WAL_DAMAGED when the live file belongs to none of these, or the published one is nowhere
 */
export function settleNames(options: WalOptions, end: PublishedEnd): AdoptedSegment | null {
  const { vfs, path } = options;
  const directory = directoryOf(path);
  const named = vfs.stat(livePath(path));
  if (named === null) {
    if (end.inode === undefined) return null; // there was no log, and there is none
    const sealed = vfs.stat(sealedPath(path, end.seq));
    if (sealed === null || inodeNumber(sealed) !== end.inode) throw missingSegment(path, end.seq);
    const previous = { salt: end.salt, end: end.offset, chain: end.chain };
    const notBefore = headerOf(vfs, sealedPath(path, end.seq))?.time;
    return withDirectory(vfs, directory, (names) => {
      const { file, salt, chain } = prepareSegment(options, end.seq + 1, end.lsn, previous, notBefore);
      const inode = inodeNumber(file.stat());
      file.close();
      names.sync();
      vfs.rename(sparePath(path), livePath(path));
      names.sync();
      return { seq: end.seq + 1, offset: SEGMENT_HEADER_SIZE, chain, salt, inode };
    });
  }
  if (end.inode !== undefined && inodeNumber(named) === end.inode) return null;
  const file = vfs.open(livePath(path), { write: false });
  try {
    const header = readHeader(file);
    if (
      header === undefined ||
      !sameLog(header, options.identity) ||
      header.seq !== end.seq + 1 ||
      !joins(header, end.salt, end.offset, end.chain)
    ) {
      throw new CorruptionError(
        'SOMBRA_WAL_DAMAGED',
        `${livePath(path)} does not continue the log: was it replaced while the database was open?`,
        {
          details: { seq: end.seq },
        },
      );
    }
    syncDirectory(vfs, directory);
    return {
      seq: header.seq,
      offset: SEGMENT_HEADER_SIZE,
      chain: header.chain,
      salt: header.salt,
      inode: inodeNumber(file.stat()),
    };
  } finally {
    file.close();
  }
}
