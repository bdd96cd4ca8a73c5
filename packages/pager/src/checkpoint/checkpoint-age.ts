/**
 * How long commits have been waiting for a checkpoint, of whichever connection: since the first of them, or since the last checkpoint when
 * it left some. What other connections do counts from when this one sees it.
 */
import type { VfsEnv } from '@sombra/vfs';

/** See the top of the file. */
export class CheckpointAge {
  private readonly env: VfsEnv;
  private lsn: number;
  /** Newest commit at the last look. */
  private newest: number;
  private since: number;

  /** @param lsn  of the checkpoint that was found */
  constructor(env: VfsEnv, lsn: number) {
    this.env = env;
    this.lsn = lsn;
    this.newest = lsn;
    this.since = env.monotonicMs();
  }

  /** Commits were published, or read. @param checkpoint  commit up to which main is complete @param newest  the newest one */
  committed(checkpoint: number, newest: number): void {
    if (checkpoint !== this.lsn || this.newest <= checkpoint) this.restart(checkpoint);
    this.newest = newest;
  }

  /** @returns ms; 0 while no commit waits */
  look(checkpoint: number, newest: number): number {
    if (checkpoint !== this.lsn || newest <= checkpoint || this.newest <= checkpoint) this.restart(checkpoint);
    this.newest = newest;
    return this.env.monotonicMs() - this.since;
  }

  private restart(checkpoint: number): void {
    this.lsn = checkpoint;
    this.since = this.env.monotonicMs();
  }
}
