import type { VfsEnv } from './vfs.ts';

let running: string | undefined;

/** Whose hook is running now, as `callHook` was told: for a listener that several databases share. undefined outside of hooks. */
export function hookOwner(): string | undefined {
  return running;
}

/**
 * Calls code of the program that nothing here may depend on: a hook, a listener. What it throws, at once or through a promise, reaches
 * neither the call that it happened to run in, which is not at fault, nor the event loop, where it would end the program: it becomes the
 * warning SOMBRA_HOOK_FAILED of the environment.
 * @param of  whose hook it is, for the message: a path, for example
 */
export function callHook(env: VfsEnv, of: string, call: () => unknown): void {
  const warn = (cause: unknown): void =>
    env.warn({
      code: 'SOMBRA_HOOK_FAILED',
      message: `a hook or listener of ${of} threw ${textOf(cause)}: that changes nothing of what it was called for; fix the hook`,
      cause,
    });
  const outer = running;
  running = of;
  try {
    const result = call();
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then === 'function')
      (result as PromiseLike<unknown>).then(undefined, warn);
  } catch (error) {
    warn(error);
  } finally {
    running = outer;
  }
}

/** An error as text. Anything may be thrown, also what cannot become one. */
function textOf(cause: unknown): string {
  try {
    return String(cause);
  } catch {
    return typeof cause;
  }
}
