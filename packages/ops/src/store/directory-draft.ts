/**
 * An object that is being written, under a name of its own. Its writer holds a lock on it, which ends with the process: so a sweep
 * knows dead ones from those that are being written.
 */
import { createHash } from 'node:crypto';
import { IoError, pwriteFully, sameFile, toHex } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { abortable } from '../base/abortable.ts';
import type { ObjectBody, PutResult } from '../base/object-store.ts';
import { nextTurn } from '../base/pause.ts';
import { PIECE, pieces } from '../base/pieces.ts';
import { etagOfContent, etagOfIdentity } from './directory-etag.ts';

const PREFIX = 'put-';

/** Closes a file whose bytes are synced, or given up: an error would say nothing about them, and the file is closed all the same. */
export function release(file: VfsFile): void {
  try {
    file.close();
  } catch (error) {
    if (!(error instanceof IoError)) throw error;
  }
}

export class Draft {
  readonly path: string;
  private readonly vfs: Vfs;
  private readonly file: VfsFile;

  private constructor(vfs: Vfs, path: string, file: VfsFile) {
    this.vfs = vfs;
    this.path = path;
    this.file = file;
  }

  /** @param lockable  can locks be relied on? */
  static begin(vfs: Vfs, folder: string, lockable: boolean): Draft {
    for (;;) {
      const path = `${folder}/${PREFIX}${toHex(vfs.env.random(16))}`;
      const draft = new Draft(vfs, path, vfs.open(path, { write: true, create: true, exclusive: true }));
      try {
        if (!lockable || draft.claim()) return draft;
      } catch (error) {
        draft.discard();
        throw error;
      }
      // A sweep came between creating and locking.
      draft.discard();
    }
  }

  private claim(): boolean {
    return this.file.tryLock(0, 1, 'exclusive') && sameFile(this.vfs.stat(this.path), this.file.stat());
  }

  /** Writes the bytes and makes them durable; the event loop turns after every MiB. */
  async fill(body: ObjectBody, signal: AbortSignal | undefined): Promise<PutResult> {
    const hash = createHash('sha256');
    let [size, sinceTurn] = [0, 0];
    for await (const piece of abortable(pieces(body), signal)) {
      pwriteFully(this.file, piece, size);
      if (size <= PIECE) hash.update(piece);
      size += piece.length;
      sinceTurn += piece.length;
      if (sinceTurn < PIECE) continue;
      sinceTurn = 0;
      await nextTurn(this.vfs.env);
    }
    await this.file.syncAsync('data');
    return { etag: size <= PIECE ? etagOfContent(hash) : etagOfIdentity(this.file.stat()), size };
  }

  /** Gives up the name, if it still is that of the draft. What cannot be removed now, a sweep removes. */
  discard(): void {
    release(this.file);
    try {
      this.vfs.unlink(this.path);
    } catch (error) {
      if (!(error instanceof IoError)) throw error;
    }
  }
}

/**
 * Removes the drafts of dead writers.
 * @param deadSinceMs  where locks cannot be relied on: drafts that nobody wrote to since, time of day
 * @returns how many there were
 */
export function sweepDrafts(vfs: Vfs, folder: string, lockable: boolean, deadSinceMs: number): number {
  const names = vfs.stat(folder) === null ? [] : vfs.list(folder).filter((name) => name.startsWith(PREFIX));
  return names.filter((name) => {
    const path = `${folder}/${name}`;
    return lockable ? removeIfUnlocked(vfs, path) : removeIfOld(vfs, path, deadSinceMs);
  }).length;
}

function removeIfUnlocked(vfs: Vfs, path: string): boolean {
  const id = vfs.stat(path);
  if (id?.kind !== 'file') return false;
  const file = vfs.open(path, { write: true });
  try {
    if (!file.tryLock(0, 1, 'exclusive')) return false;
    vfs.unlink(path);
    return true;
  } finally {
    release(file);
  }
}

function removeIfOld(vfs: Vfs, path: string, deadSinceMs: number): boolean {
  const id = vfs.stat(path);
  if (id?.kind !== 'file' || id.modifiedMs > deadSinceMs) return false;
  vfs.unlink(path);
  return true;
}
