import { NodeEnv } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { EventLogger } from '../base/event-logger.ts';
import { FailureReport } from './failure-report.ts';

/** Clock, timers and warnings of what runs by itself. Default: those of the process. */
export interface PeriodicOptions {
  /** Time between two runs, ms. */
  readonly intervalMs?: number | undefined;
  /** Gets a warning when a run fails. Default: the process does. */
  readonly logger?: Pick<EventLogger, 'warn'> | undefined;
  readonly env?: VfsEnv | undefined;
}

/** How a task is repeated. */
interface EveryOptions extends Omit<PeriodicOptions, 'intervalMs'> {
  /** The first time at once, not after the first interval. */
  readonly now?: boolean;
}

const nodeEnv = new NodeEnv();

/**
 * Runs a task again and again, the next time `intervalMs` after the last one ended. It keeps no process alive. What the task throws
 * becomes the warning SOMBRA_METRICS_FAILED, once until it works again; the next run takes place nevertheless.
 * @param of    what runs, for the warning
 * @param task  @returns false when it has nothing to do any more
 * @returns ends it
 * @throws RangeError the interval is no positive number of milliseconds
 */
export function every(
  of: string,
  intervalMs: number,
  task: () => unknown,
  { logger, env = nodeEnv, now = false }: EveryOptions = {},
): () => void {
  if (typeof intervalMs !== 'number' || !(intervalMs >= 1 && intervalMs < Infinity))
    throw new RangeError(`intervalMs of ${of} is a number of milliseconds from 1 on, not ${String(intervalMs)}`);
  let isOver = false;
  let timer: unknown;
  const report = new FailureReport({ logger, env });
  const run = async (): Promise<void> => {
    try {
      if ((await task()) === false) isOver = true;
      report.worked();
    } catch (error) {
      report.failed(`${of} failed (%), it is tried again`, error);
    }
    arm();
  };
  const arm = (): void => {
    if (!isOver) timer = env.setTimer(() => void run(), intervalMs);
  };
  if (now) void run();
  else arm();
  return () => {
    isOver = true;
    if (timer !== undefined) env.clearTimer(timer);
    timer = undefined;
  };
}

/** Was this thrown because the database has been closed? */
export function isClosed(error: unknown): boolean {
  return (error as { code?: unknown } | null | undefined)?.code === 'SOMBRA_CLOSED';
}
