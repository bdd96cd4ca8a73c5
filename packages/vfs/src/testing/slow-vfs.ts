import { MemoryVfs } from '../memory-vfs.ts';

/**
 * A vfs in memory on whose monotonic clock 10 ms pass from one look to the next: longer than any slice of work may take. So what works in
 * slices lets the event loop turn after every step, however fast the machine is, and a test can count the turns.
 */
export function slowVfs(): MemoryVfs {
  const vfs = new MemoryVfs();
  let now = 1000;
  const env = Object.create(vfs.env, { monotonicMs: { value: () => (now += 10) } }) as typeof vfs.env;
  Object.defineProperty(vfs, 'env', { value: env });
  return vfs;
}
