/** What is archived: an open database, and the files of its log. */
import { IoError, preadFully } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { nextTurn } from '../base/pause.ts';
import type { LogEnd, LogEndOptions } from '@sombra/pager';

/** An open database: `GraphDB` of `@sombra/db`, or `Pager` of `@sombra/pager`. */
export interface ArchiveSource {
  /** Of the file. */
  readonly path: string;
  /** See `Pager.logEnd`. */
  logEnd(options?: LogEndOptions): LogEnd;
  /** See `Pager.archivedThrough`. */
  archivedThrough(): number;
  /** See `Pager.markArchived`. */
  markArchived(seq: number): void;
}

/** Bytes that are read at once. */
const READ_BYTES = 1 << 20;

/** Bytes [from, to) of a file. Each piece has memory of its own. @throws IoError SOMBRA_IO, also when it is shorter */
export function* bytesOfFile(file: VfsFile, from: number, to: number): Generator<Uint8Array, void, undefined> {
  for (let at = from; at < to; ) {
    const bytes = new Uint8Array(Math.min(READ_BYTES, to - at));
    if (preadFully(file, bytes, at) < bytes.length) {
      throw new IoError('SOMBRA_IO', `${file.path} ends before byte ${to}, and held that many: was it cut?`, {
        details: { op: 'pread', path: file.path, at: to },
      });
    }
    yield bytes;
    at += bytes.length;
  }
}

/** Lets the event loop turn between pieces. */
export async function* turned(vfs: Vfs, source: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const bytes of source) {
    yield bytes;
    await nextTurn(vfs.env);
  }
}
