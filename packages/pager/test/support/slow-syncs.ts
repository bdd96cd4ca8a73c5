// A file system whose asynchronous syncs take as long as a test likes.
import type { OpenMode, SyncKind, VfsFile } from '@sombra/vfs';
import { WrappedVfs } from './wrapped-vfs.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Asynchronous syncs wait until they are delivered; all syncs of the log are counted. */
export class SlowSyncs extends WrappedVfs {
  /** Syncs of the log that have ended. */
  ended = 0;
  readonly waiting: (() => void)[] = [];

  override open(path: string, mode: OpenMode): VfsFile {
    const file = super.open(path, mode);
    if (!path.includes('-wal')) return file;
    const sync = file.sync.bind(file);
    const syncAsync = file.syncAsync.bind(file);
    file.sync = (kind: SyncKind) => {
      sync(kind);
      this.ended += 1;
    };
    file.syncAsync = async (kind: SyncKind) => {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
      await syncAsync(kind);
      this.ended += 1;
    };
    return file;
  }

  /** Lets the oldest sync that waits go on. */
  async deliver(): Promise<void> {
    await turn();
    this.waiting.shift()?.();
    await turn();
  }
}
