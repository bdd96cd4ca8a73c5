/** Reads and writes that go on until they are done: a system call may do less than it was asked for (rule E4). */
import { IoError } from './errors.ts';
import type { VfsFile } from './vfs.ts';

/**
 * Reads until `into` is full or the file ends.
 * @returns bytes read
 * @throws IoError SOMBRA_IO
 */
export function preadFully(file: VfsFile, into: Uint8Array, at: number): number {
  let done = 0;
  while (done < into.length) {
    const read = file.pread(done === 0 ? into : into.subarray(done), at + done);
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** Writes all of `bytes`. @throws IoError SOMBRA_IO, SOMBRA_DISK_FULL */
export function pwriteFully(file: VfsFile, bytes: Uint8Array, at: number): void {
  let done = 0;
  while (done < bytes.length) {
    const written = file.pwrite([done === 0 ? bytes : bytes.subarray(done)], at + done);
    if (written === 0) {
      throw new IoError('SOMBRA_IO', `${file.path}: a write at byte ${at + done} made no progress: check the disk`, {
        details: { op: 'pwrite', path: file.path, at: at + done },
      });
    }
    done += written;
  }
}
