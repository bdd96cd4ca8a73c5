/** How long the log has become since the last checkpoint. Asked at each commit, so what does not change is kept. */
import type { LogFiles } from '@sombra/wal';
import { SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { SharedState } from '../format/shared-state.ts';

/** The length of one connection's log. */
export class LogLength {
  private log: LogFiles | null = null;
  private logSeq = 0;
  private replaySeq = 0;
  private replayOffset = 0;
  /** Bytes from the replay position to the first record of the live segment; negative when both lie in one segment. */
  private before = 0;

  /** Bytes of records since the last checkpoint; 0 while the live segment is not known. */
  bytes(log: LogFiles, shared: SharedState): number {
    if (
      log !== this.log ||
      shared.logSeq !== this.logSeq ||
      shared.replaySeq !== this.replaySeq ||
      shared.replayOffset !== this.replayOffset
    ) {
      if (!log.has(shared.logSeq)) return 0;
      this.measure(log, shared);
    }
    return this.before + shared.logOffset - SEGMENT_HEADER_SIZE;
  }

  private measure(log: LogFiles, { logSeq, replaySeq, replayOffset }: SharedState): void {
    const start = log.distance({ seq: logSeq, offset: SEGMENT_HEADER_SIZE });
    const known = log.has(replaySeq);
    this.before = start - (known ? log.distance({ seq: replaySeq, offset: replayOffset }) : 0);
    // A segment that becomes known later changes the answer.
    this.log = known ? log : null;
    this.logSeq = logSeq;
    this.replaySeq = replaySeq;
    this.replayOffset = replayOffset;
  }
}
