import type { BlockMemory } from '../../src/adjacency/adjacency-block.ts';

/** Memory like the page cache's: one buffer, seen as bytes, 16-bit and 32-bit words. */
export function pageMemory(size: number): BlockMemory & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const buffer = new ArrayBuffer(size);
  return { bytes: new Uint8Array(buffer), halves: new Uint16Array(buffer), words: new Uint32Array(buffer) };
}
