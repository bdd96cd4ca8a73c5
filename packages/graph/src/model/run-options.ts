/** Ways to end a long call early. */

/** What Sombra needs of an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/**
 * What ends a long call early, with StateError SOMBRA_ABORTED.
 * `signal`: its reason becomes the error's cause. A synchronous call sees only a signal that was aborted before, or by a
 * callback of its own: the code that aborts does not run meanwhile. Use the asynchronous twin, or `timeoutMs`.
 * `timeoutMs`: milliseconds that the call may take.
 */
export interface RunOptions {
  readonly signal?: AbortSignalLike | undefined;
  readonly timeoutMs?: number | undefined;
}

export const RUN_OPTIONS = ['signal', 'timeoutMs'] as const;
