// Looking at files, and damaging them.
import { pwriteFully, preadFully, writeU32, xxh32 } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { SEG_CHECKSUM, SEG_VERSION, SEGMENT_HEADER_SIZE } from '../../src/segment/segment.ts';

/** All of a file. */
export function contentOf(vfs: Vfs, path: string): Uint8Array {
  const file = vfs.open(path, { write: false });
  const bytes = new Uint8Array(file.stat().size);
  preadFully(file, bytes, 0);
  file.close();
  return bytes;
}

/** Replaces or makes a file. */
export function replaceFile(vfs: Vfs, path: string, bytes: Uint8Array): void {
  const file = vfs.open(path, { write: true, create: true });
  file.truncate(0);
  pwriteFully(file, bytes, 0);
  file.close();
}

/** Changes bytes of a file in place. */
export function patch(vfs: Vfs, path: string, at: number, bytes: Uint8Array): void {
  const file = vfs.open(path, { write: true });
  pwriteFully(file, bytes, at);
  file.close();
}

/** Makes the header of a segment one of a later format. */
export function makeNewer(vfs: Vfs, path: string): void {
  patch(vfs, path, 0, newerHeader(contentOf(vfs, path)));
}

/** The header that these bytes begin with, in a later format. */
export function newerHeader(bytes: Uint8Array): Uint8Array {
  const header = bytes.slice(0, SEGMENT_HEADER_SIZE);
  header[SEG_VERSION] = 2;
  writeU32(header, SEG_CHECKSUM, xxh32(header, 0, SEG_CHECKSUM, 0x53_57_4c_00));
  return header;
}

/** Flips one bit. */
export function flipBit(vfs: Vfs, path: string, at: number, bit = 0): void {
  const byte = contentOf(vfs, path)[at]!;
  patch(vfs, path, at, Uint8Array.of(byte ^ (1 << bit)));
}

/** Names and bytes of all files, as text that can be compared. */
export function picture(vfs: Vfs): string[] {
  return vfs.list('.').map((name) => `${name} ${Buffer.from(contentOf(vfs, name)).toString('base64')}`);
}

/** Code of the error that `run` throws. */
export function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  return 'no error';
}
