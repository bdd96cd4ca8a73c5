/** Creation of a database (rule O1): a new file with a superblock and a roots page. */
import { readU32 } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { KIND_OFFSET, PAGE_KIND_ROOTS, sealPage, stampHeader } from '../format/page-header.ts';
import { DEFAULT_PAGE_SIZE } from '../base/options.ts';
import type { ResolvedOptions } from '../base/options.ts';
import { rootsPage } from '../format/roots-page.ts';
import { encodeSuperblock, slotOffset } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';
import { NewFile } from './new-file.ts';

/**
 * Creates a database of no pages but its roots page. Nothing happens when another process creates it meanwhile.
 * @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL
 */
export function createDatabase({ vfs, path, pageSize = DEFAULT_PAGE_SIZE }: ResolvedOptions): void {
  writeNewDatabase(vfs, path, pageSize, { databaseId: vfs.env.random(16), timeline: 1 });
}

/** Which database a file is of. */
export interface DatabaseIdentity {
  /** 16 bytes */
  readonly databaseId: Uint8Array;
  readonly timeline: number;
}

/**
 * As `createDatabase`, of an identity that is given.
 * @param like  a file whose owner, group and mode it gets as far as that is possible
 * @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL
 */
export function writeNewDatabase(
  vfs: Vfs,
  path: string,
  pageSize: number,
  { databaseId, timeline }: DatabaseIdentity,
  like?: string,
): void {
  const roots = rootsPage(pageSize);
  const superblock: Superblock = {
    pageSize,
    databaseId,
    timeline,
    salt: readU32(vfs.env.random(4), 0),
    sequence: 0,
    checkpointLsn: 0,
    pageCount: roots + 1,
    replaySeq: 0,
    replayOffset: 0,
    logSalt: new Uint8Array(8),
    chain: 0,
    clean: true,
    forked: false,
    time: vfs.env.wallTimeMs(),
  };
  const bytes = new Uint8Array((roots + 1) * pageSize);
  bytes.set(encodeSuperblock(superblock), slotOffset(0));
  const base = roots * pageSize;
  stampHeader(bytes, base, roots, 0);
  bytes[base + KIND_OFFSET] = PAGE_KIND_ROOTS;
  sealPage(bytes, base, pageSize, roots, superblock.salt);

  const file = new NewFile(vfs, path, like);
  try {
    file.write(bytes, 0);
    file.sync();
    file.publish();
  } finally {
    file.abandon();
  }
}
