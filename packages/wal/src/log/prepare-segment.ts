/** The next segment of a log, before it gets its name (rule K6). */
import { InvariantError, pwriteFully } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import { decodeSegmentHeader, encodeSegmentHeader, SALT_SIZE, sparePath } from '../segment/segment.ts';
import type { PreviousSegment } from '../segment/segment.ts';
import type { WalOptions } from '../segment/wal-options.ts';

/** A segment whose header is durable. */
export interface PreparedSegment {
  readonly file: VfsFile;
  /** Of the file, bytes. */
  readonly size: number;
  readonly salt: Uint8Array;
  /** Chain value before the first record. */
  readonly chain: number;
}

/**
 * Writes the header of the next segment under the spare name, and syncs it: a file gets a segment's name with a durable header.
 * @param notBefore  time of the segment before and of its last record, ms: headers of one log have ascending times
 */
export function prepareSegment(
  options: WalOptions,
  seq: number,
  lsn: number,
  previous: PreviousSegment,
  notBefore = 0,
): PreparedSegment {
  const { vfs, path, identity } = options;
  const salt = vfs.env.random(SALT_SIZE);
  const bytes = encodeSegmentHeader({
    ...identity,
    seq,
    salt,
    baseLsn: lsn,
    previous,
    time: Math.max(vfs.env.wallTimeMs(), notBefore),
  });
  const header = decodeSegmentHeader(bytes);
  if (header === undefined) throw new InvariantError('a header that was encoded can be read');
  const file = vfs.open(sparePath(path), { write: true, create: true, like: path });
  try {
    pwriteFully(file, bytes, 0);
    file.sync('full');
    return { file, size: file.stat().size, salt, chain: header.chain };
  } catch (error) {
    file.close();
    throw error;
  }
}
