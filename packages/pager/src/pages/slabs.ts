/**
 * Memory of page caches. Allocating hundreds of megabytes triggers a full garbage collection, which costs more than the rest of opening a
 * database; so the slab of a database that was closed is kept for a moment, for one that is opened next.
 */
import type { VfsEnv } from '@sombra/vfs';

/** How long a slab waits for the next database. */
const KEEP_MS = 1000;

let kept: ArrayBuffer | undefined;
let forget: (() => void) | undefined;

/** A slab of this many bytes, with arbitrary content. */
export function takeSlab(size: number): ArrayBuffer {
  if (kept?.byteLength !== size) return new ArrayBuffer(size);
  const slab = kept;
  forget?.();
  return slab;
}

/** Returns a slab that is no longer in use. @param env  whose timer ends the wait */
export function giveSlab(slab: ArrayBuffer, env: VfsEnv): void {
  if (slab.byteLength === 0) return;
  forget?.();
  kept = slab;
  const timer = env.setTimer(() => forget?.(), KEEP_MS);
  forget = () => {
    env.clearTimer(timer);
    kept = forget = undefined;
  };
}
