// Looking at files, and damaging them.
import { pwriteFully, preadFully } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';

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
