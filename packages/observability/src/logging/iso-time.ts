import { NodeEnv } from '@sombra/vfs';

const env = new NodeEnv();
let shownMs = NaN;
let shown = '';

/** The time of day, UTC, as a field of a line in JSON. Many lines fall into one millisecond, so the last text is kept. */
export function isoTime(): string {
  const now = env.wallTimeMs();
  if (now !== shownMs) {
    shownMs = now;
    shown = `,"time":"${new Date(now).toISOString()}"`;
  }
  return shown;
}
