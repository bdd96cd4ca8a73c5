/** Opens a segment of a log that others go on writing, whichever name it has by now. */
import { IoError } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import { livePath, sameLog, sealedPath } from '../segment/segment.ts';
import type { LogIdentity, SegmentHeader } from '../segment/segment.ts';
import { readHeader } from '../segment/segment-names.ts';

/** A segment that is open for reading. */
export interface OpenSegment {
  readonly header: SegmentHeader;
  readonly file: VfsFile;
}

/** Tries while a rotation gives the segment its other name. */
const TRIES = 3;

/**
 * @returns undefined when there is no such segment of this log; else close its file
 * @throws IoError SOMBRA_IO, SOMBRA_PERMISSION
 */
export function openSegment(vfs: Vfs, path: string, identity: LogIdentity, seq: number): OpenSegment | undefined {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    for (const name of [sealedPath(path, seq), livePath(path)]) {
      const file = openIfThere(vfs, name);
      if (file === undefined) continue;
      let header: SegmentHeader | undefined;
      try {
        header = readHeader(file);
      } catch (error) {
        file.close();
        throw error;
      }
      if (header?.seq === seq && sameLog(header, identity)) return { header, file };
      file.close();
    }
  }
  return undefined;
}

function openIfThere(vfs: Vfs, path: string): VfsFile | undefined {
  try {
    return vfs.open(path, { write: false });
  } catch (error) {
    if (error instanceof IoError && error.details['errno'] === 'ENOENT') return undefined;
    throw error;
  }
}
