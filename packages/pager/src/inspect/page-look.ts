/** What one page of main says of itself, damaged or not. No lock is taken: beside a writer it may be looked at while it is written. */
import { preadFully, readSafe64, readU32 } from '@sombra/vfs';
import type { SombraError, Vfs } from '@sombra/vfs';
import { isCorruption } from '../base/failure.ts';
import {
  KIND_OFFSET,
  LSN_OFFSET,
  PAGE_NUMBER_OFFSET,
  pageChecksum,
  CHECKSUM_OFFSET,
  verifyPage,
} from '../format/page-header.ts';
import type { Superblock } from '../format/superblock.ts';

/** See the top of the file. */
export interface PageLook {
  /** bytes from the start of the file */
  readonly offset: number;
  /** `empty`: all zeros, as a free page may be; `cut`: the file ends before its end. */
  readonly state: 'valid' | 'damaged' | 'empty' | 'cut';
  /** Code and message of what is wrong; null when it is valid. */
  readonly problem: { readonly code: string; readonly message: string } | null;
  /** Fields of its header. */
  readonly number: number;
  readonly lsn: number;
  readonly kind: number;
  readonly checksum: { readonly stored: number; readonly computed: number };
  readonly bytes: Uint8Array;
}

/**
 * Looks at a page.
 * @param path  without symbolic links
 * @throws IoError SOMBRA_IO, SOMBRA_PERMISSION
 */
export function lookAtPage(vfs: Vfs, path: string, { pageSize, salt }: Superblock, pageNumber: number): PageLook {
  const file = vfs.open(path, { write: false });
  try {
    const bytes = new Uint8Array(pageSize);
    const offset = pageNumber * pageSize;
    const read = preadFully(file, bytes, offset);
    const fields = {
      offset,
      number: readU32(bytes, PAGE_NUMBER_OFFSET),
      lsn: readSafe64(bytes, LSN_OFFSET),
      kind: bytes[KIND_OFFSET]!,
      checksum: {
        stored: readU32(bytes, CHECKSUM_OFFSET),
        computed: pageChecksum(bytes, 0, pageSize, pageNumber, salt),
      },
      bytes,
    };
    if (read < pageSize) {
      const message = `the file has ${file.stat().size} bytes, and ends within page ${pageNumber} or before it`;
      return { ...fields, state: 'cut', problem: { code: 'SOMBRA_FILE_TRUNCATED', message } };
    }
    try {
      verifyPage(bytes, 0, pageSize, pageNumber, salt, Infinity);
    } catch (error) {
      if (!isCorruption(error)) throw error;
      const { code, message } = error as SombraError;
      return { ...fields, state: bytes.every((byte) => byte === 0) ? 'empty' : 'damaged', problem: { code, message } };
    }
    return { ...fields, state: 'valid', problem: null };
  } finally {
    file.close();
  }
}
