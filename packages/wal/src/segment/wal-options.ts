/** How a log is opened, and where its files are. */
import type { Vfs } from '@sombra/vfs';
import type { LogIdentity } from './segment.ts';

/** When commits are synced; `full` also makes the log allocate blocks ahead of the tail, which makes syncs cheaper. */
export type WalSyncMode = 'full' | 'normal' | 'off';

/** How a log is opened. */
export interface WalOptions {
  readonly vfs: Vfs;
  /** Path that the names of the segments are made of: `path-wal`, `path-<number>-wal`. */
  readonly path: string;
  readonly identity: LogIdentity;
  /** Bytes of a segment. A longer record makes its segment longer. */
  readonly segmentSize: number;
  readonly syncMode: WalSyncMode;
  /** A segment of another log, or of another history of this one, was in the way of a name, and was moved to `name` (without directory). */
  readonly onSetAside?: ((name: string) => void) | undefined;
}
