import { callHook } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { EventLogger } from '../base/event-logger.ts';
import { safeError } from '../base/safe-error.ts';

/** Who is told of failures that have no caller: the logger where there is one, else the process. */
export interface Listener {
  readonly logger?: Pick<EventLogger, 'warn'> | undefined;
  readonly env: VfsEnv;
}

/**
 * Tells of failures of what runs by itself as SOMBRA_METRICS_FAILED: the same failure once, until it worked again. What is read every
 * second would else say the same every second.
 */
export class FailureReport {
  private readonly listener: Listener;
  private told: string | undefined;

  constructor(listener: Listener) {
    this.listener = listener;
  }

  worked(): void {
    this.told = undefined;
  }

  /** @param what  a sentence about what failed, with `%` for the code of the failure */
  failed(what: string, cause: unknown): void {
    const error = safeError(cause);
    const code = error.code ?? error.name;
    if (code === this.told) return;
    this.told = code;
    const message = what.replace('%', code);
    const { logger, env } = this.listener;
    if (logger === undefined) env.warn({ code: 'SOMBRA_METRICS_FAILED', message, cause });
    else {
      const fields = { event: 'metrics.failed', code: 'SOMBRA_METRICS_FAILED', error };
      callHook(env, 'the logger of metrics', () => logger.warn(fields, message));
    }
  }
}
