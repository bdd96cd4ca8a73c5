/** Places in the log. */

/** A place in the log. */
export interface LogPosition {
  /** Number of the segment. */
  readonly seq: number;
  /** Byte offset in it. */
  readonly offset: number;
}

/** The end of the log. */
export interface LogTail extends LogPosition {
  /** Chain value there. */
  readonly chain: number;
}
