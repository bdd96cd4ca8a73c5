import type { Warning } from './config.ts';

/** Tells about a warning. What the listener throws must not break the work that noticed it, and must not be lost either. */
export function tell(onWarning: (warning: Warning) => void, warning: Warning): void {
  try {
    onWarning(warning);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
