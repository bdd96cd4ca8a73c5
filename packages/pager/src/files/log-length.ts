/** How long the log has become since the last checkpoint. Asked at each commit, so what does not change is kept. */
import type { LogFiles } from '@sombra/wal';
import { SEGMENT_HEADER_SIZE } from '@sombra/wal';
import type { SharedState } from '../format/shared-state.ts';

/** The length of one connection's log. */
export class LogLength {
  private readonly segmentSize: number;
  private segments: LogFiles | null = null;
  private logSeq = 0;
  private replaySeq = 0;
  private replayOffset = 0;
  /** Bytes from the replay position to the first record of the live segment; negative when both lie in one segment. */
  private before = 0;

  /** @param segmentSize  what segments count that this connection has not looked at */
  constructor(segmentSize: number) {
    this.segmentSize = segmentSize;
  }

  /** Bytes of records since the last checkpoint, according to `state`. @param segments  those that this connection knows */
  bytes(segments: LogFiles, state: Readonly<SharedState>): number {
    if (
      segments !== this.segments ||
      state.logSeq !== this.logSeq ||
      state.replaySeq !== this.replaySeq ||
      state.replayOffset !== this.replayOffset
    )
      this.measure(segments, state);
    return this.before + state.logOffset - SEGMENT_HEADER_SIZE;
  }

  private measure(segments: LogFiles, { logSeq, replaySeq, replayOffset }: Readonly<SharedState>): void {
    const followed = segments.has(logSeq);
    const known = segments.has(replaySeq);
    if (followed) {
      const start = segments.distance({ seq: logSeq, offset: SEGMENT_HEADER_SIZE });
      this.before = start - (known ? segments.distance({ seq: replaySeq, offset: replayOffset }) : 0);
    } else {
      this.before =
        (logSeq - replaySeq) * (this.segmentSize - SEGMENT_HEADER_SIZE) + SEGMENT_HEADER_SIZE - replayOffset;
    }
    // A segment that becomes known later changes the answer.
    this.segments = followed && known ? segments : null;
    this.logSeq = logSeq;
    this.replaySeq = replaySeq;
    this.replayOffset = replayOffset;
  }
}
