/** Which files have names of segments, and what their headers say. */
import { directoryOf, preadFully } from '@sombra/vfs';
import type { Vfs, VfsFile } from '@sombra/vfs';
import {
  decodeSegmentHeader,
  isNewerSegment,
  livePath,
  sameLog,
  sealedPath,
  sealedSeq,
  SEGMENT_HEADER_SIZE,
} from './segment.ts';
import type { LogIdentity, SegmentHeader } from './segment.ts';

/** A file with the name of a segment. */
export interface NamedSegment {
  readonly path: string;
  /** Number that the name gives; Infinity for the live name, which gives none. */
  readonly seq: number;
  /** undefined when it cannot be read */
  readonly header: SegmentHeader | undefined;
  /** It cannot be read because a newer format says so. */
  readonly isNewer: boolean;
}

/** The sealed names that are there, ascending. */
function sealedNames(vfs: Vfs, path: string): { path: string; seq: number }[] {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const numbers = vfs.list(directoryOf(path)).map((name) => sealedSeq(base, name));
  const ascending = numbers.filter((seq) => seq !== undefined).sort((a, b) => a - b);
  return ascending.map((seq) => ({ path: sealedPath(path, seq), seq }));
}

/** All files with names of segments: sealed ones ascending, then the live one. */
export function namedSegments(vfs: Vfs, path: string): NamedSegment[] {
  const names = sealedNames(vfs, path);
  if (vfs.stat(livePath(path)) !== null) names.push({ path: livePath(path), seq: Infinity });
  return names.map((name) => ({ ...name, ...inspect(vfs, name.path) }));
}

/** Is this file that segment of this log, and not one of a database with a similar name? */
export function isSegment(vfs: Vfs, name: string, seq: number, identity: LogIdentity): boolean {
  const header = headerOf(vfs, name);
  return header?.seq === seq && sameLog(header, identity);
}

/** Header of a segment under a name; undefined when the file has none. */
export function headerOf(vfs: Vfs, name: string): SegmentHeader | undefined {
  return inspect(vfs, name).header;
}

function inspect(vfs: Vfs, path: string): Pick<NamedSegment, 'header' | 'isNewer'> {
  const file = vfs.open(path, { write: false });
  try {
    const bytes = firstBytes(file);
    return { header: decodeSegmentHeader(bytes), isNewer: isNewerSegment(bytes) };
  } finally {
    file.close();
  }
}

/** Header of a segment; undefined when the file has none. */
export function readHeader(file: VfsFile): SegmentHeader | undefined {
  return decodeSegmentHeader(firstBytes(file));
}

/** As many bytes as a header has, or what there is. */
function firstBytes(file: VfsFile): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_SIZE);
  return bytes.subarray(0, preadFully(file, bytes, 0));
}
