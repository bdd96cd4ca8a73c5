import { readU32 } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';

/** A timeline that no other copy of the database has, as far as chance goes: copies are made without knowing of each other. */
export function freshTimeline(env: VfsEnv, source: number): number {
  for (;;) {
    const timeline = readU32(env.random(4), 0);
    if (timeline > 1 && timeline !== source) return timeline;
  }
}
