/** How long ago main was last brought up to date, by whichever connection, as far as looks at the header show. */
import type { VfsEnv } from '@sombra/vfs';

/** See the top of the file. */
export class CheckpointAge {
  private readonly env: VfsEnv;
  private lsn: number;
  private since: number;

  /** @param lsn  of the checkpoint that was found */
  constructor(env: VfsEnv, lsn: number) {
    this.env = env;
    this.lsn = lsn;
    this.since = env.monotonicMs();
  }

  /** @param lsn  of the newest checkpoint @returns ms since it was first seen here */
  look(lsn: number): number {
    const now = this.env.monotonicMs();
    if (lsn !== this.lsn) {
      this.lsn = lsn;
      this.since = now;
    }
    return now - this.since;
  }
}
