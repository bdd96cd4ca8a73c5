/**
 * Etags of files. Up to 1 MiB the content is hashed: two that follow each other within one tick of the file system's clock differ all the same.
 * Larger files are told apart by inode, size and time.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { IoError, preadFully } from '@sombra/vfs';
import type { FileId, VfsFile } from '@sombra/vfs';
import { PIECE } from '../base/pieces.ts';

const US_PER_MS = 1000;

/** @param hash  of all bytes, SHA-256 */
export function etagOfContent(hash: Hash): string {
  return `sha256-${hash.digest('hex')}`;
}

export function etagOfIdentity({ ino, size, modifiedMs }: FileId): string {
  return `file-${ino}-${size}-${Math.round(modifiedMs * US_PER_MS)}`;
}

/** @param id  of the same file */
export function etagOf(file: VfsFile, id: FileId): string {
  if (id.size > PIECE) return etagOfIdentity(id);
  const bytes = new Uint8Array(id.size);
  if (preadFully(file, bytes, 0) < bytes.length) throw shrunk(file.path);
  return etagOfContent(createHash('sha256').update(bytes));
}

/** A file that became shorter while it was read. */
export function shrunk(path: string): IoError {
  return new IoError(
    'SOMBRA_IO',
    `${path} became shorter while it was read: another program writes to it, find out which`,
    {
      details: { path },
    },
  );
}
