/**
 * What the next writer does after one that died while holding the writers' lock (rules L5, K6): nothing that only the operating system's
 * cache holds may be trusted, and a rotation may stand between two names. The model's steps, in order. A writer whose own rotation failed
 * between two names settles them in the same way.
 */
import {
  CorruptionError,
  directoryOf,
  preadFully,
  pwriteFully,
  sameBytes,
  syncDirectory,
  withDirectory,
} from '@sombra/vfs';
import type { FileId, VfsFile } from '@sombra/vfs';
import { joins, livePath, SALT_SIZE, sameLog, sealedPath, SEGMENT_HEADER_SIZE, sparePath } from '../segment/segment.ts';
import { headerOf, readHeader } from '../segment/segment-names.ts';
import { prepareSegment } from './prepare-segment.ts';
import type { LogTail } from '../segment/log-position.ts';
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
 * Writes published records again and syncs them: the sync of the dead writer may have failed. A record behind them, which that writer did
 * not publish, is made void: it continues the chain, and would be found after a power loss that takes what is written over it.
 * @param end   the published end of the log
 * @param from  offset up to which published records are known to be durable
 * @returns whether there was something to do; then everything up to `end` is durable
 */
export function settleRecords(options: WalOptions, end: PublishedEnd, from: number): boolean {
  const { vfs, path } = options;
  for (const name of [livePath(path), sealedPath(path, end.seq)]) {
    if (vfs.stat(name) === null) continue;
    const file = vfs.open(name, { write: true });
    try {
      if (readHeader(file)?.seq !== end.seq) continue;
      const voided = voidRecord(file, end);
      if (!voided && from >= end.offset) return false;
      rewriteBytes(file, from, end.offset);
      return true;
    } finally {
      file.close();
    }
  }
  if (from >= end.offset) return false; // `settleNames` says what is wrong with it
  throw missingSegment(path, end.seq);
}

/** Takes the salt from what may be a record behind the published end. @returns false when there is none */
function voidRecord(file: VfsFile, { offset, salt }: Pick<PublishedEnd, 'offset' | 'salt'>): boolean {
  const found = new Uint8Array(SALT_SIZE);
  if (preadFully(file, found, offset) < SALT_SIZE || !sameBytes(found, 0, salt, 0, SALT_SIZE)) return false;
  pwriteFully(file, new Uint8Array(SALT_SIZE), offset);
  return true;
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
    // A writer that died before it published the segment may have left its first record there.
    const written = vfs.open(livePath(path), { write: true });
    try {
      if (voidRecord(written, { offset: SEGMENT_HEADER_SIZE, salt: header.salt })) written.sync('full');
    } finally {
      written.close();
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
