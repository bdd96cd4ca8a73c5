/** One piece of work that is done later, and again until it has succeeded. */

/** What a job carries: anything that JSON keeps. */
export type JobPayload =
  | null
  | boolean
  | number
  | string
  | readonly JobPayload[]
  | { readonly [name: string]: JobPayload };

/** A job as it waits. */
export interface Job {
  /** Unique in its queue; jobs are done in this order. */
  readonly id: number;
  /** Names the handler. */
  readonly kind: string;
  readonly payload: JobPayload;
  /** Time of day when it was added, ms since 1970. */
  readonly addedMs: number;
  /** How often it has failed. */
  readonly failures: number;
  /** What it failed with last. */
  readonly lastError: string | undefined;
}

/** Does the work of one kind of job. It may be called again for work that is done already: after a crash nobody knows. */
export type JobHandler = (payload: JobPayload, context: JobContext) => Promise<void>;

/** What a handler knows of the call. */
export interface JobContext {
  /** 1 for the first time. */
  readonly attempt: number;
  /** Ends the work when the queue is closed. */
  readonly signal: AbortSignal;
}
