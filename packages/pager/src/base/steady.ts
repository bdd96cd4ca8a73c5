/** Reading the superblock while another connection may write it. */
import type { VfsEnv } from '@sombra/vfs';
import { isCorruption } from './failure.ts';

/** Reads before it counts as damaged. */
const READ_TRIES = 5;

/** Reads again while what is read looks damaged, a few times: a slot that is being written is not one that is damaged. @throws what `read` throws */
export function readSteadily<T>(env: VfsEnv, read: () => T): T {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return read();
    } catch (error) {
      if (attempt === READ_TRIES || !isCorruption(error)) throw error;
      env.sleep(1);
    }
  }
}
