// A file system in memory that counts what is asked of it: what a call costs is proven by counts, never by time.
import { MemoryVfs } from '@sombra/vfs';
import type { OpenMode, VfsFile } from '@sombra/vfs';

export class CountingVfs extends MemoryVfs {
  opens = 0;
  stats = 0;
  lists = 0;
  bytesRead = 0;
  /** Largest buffer that was read into or written from. */
  largest = 0;
  /** Descriptors that are open, and the most that ever were. */
  openNow = 0;
  openMost = 0;

  reset(): void {
    this.opens = this.stats = this.lists = this.bytesRead = this.largest = 0;
    this.openMost = this.openNow;
  }

  override stat(path: string): ReturnType<MemoryVfs['stat']> {
    this.stats += 1;
    return super.stat(path);
  }

  override list(directory: string): string[] {
    this.lists += 1;
    return super.list(directory);
  }

  override open(path: string, mode: OpenMode): VfsFile {
    this.opens += 1;
    const file = super.open(path, mode);
    this.openNow += 1;
    this.openMost = Math.max(this.openMost, this.openNow);
    const { pread, pwrite, close } = file;
    let closed = false;
    return Object.assign(file, {
      pread: (into: Uint8Array, at: number): number => {
        this.largest = Math.max(this.largest, into.length);
        const read = pread.call(file, into, at);
        this.bytesRead += read;
        return read;
      },
      pwrite: (buffers: readonly Uint8Array[], at: number): number => {
        for (const { length } of buffers) this.largest = Math.max(this.largest, length);
        return pwrite.call(file, buffers, at);
      },
      close: (): void => {
        if (!closed) this.openNow -= 1;
        closed = true;
        close.call(file);
      },
    });
  }
}
