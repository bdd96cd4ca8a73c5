/** An archiver in the foreground: until a signal, until it ends by itself, or until nobody reads what it says. */
import type { GraphDB } from '@sombra/db';
import type { ArchiveEvent, ArchiverStats, LogArchive, StartArchiveOptions } from '@sombra/ops';
import type { Shell } from '../shell/shell.ts';
import { Interrupted } from '../shell/signals.ts';
import { lagText, tellEvent } from './archive-events.ts';

/**
 * The first signal ends it after a last pass, the second one at once.
 * @returns how it stood at its end
 * @throws what ended it; Interrupted when it was given up: commits may not be archived; ReaderGone; IoError SOMBRA_OUTPUT
 */
export async function runArchiver(
  archive: LogArchive,
  db: GraphDB,
  out: Shell,
  options: Omit<StartArchiveOptions, 'onEvent'>,
): Promise<ArchiverStats> {
  const { first, second } = out.signals;
  let over = (_error?: unknown): void => undefined;
  const end = new Promise<unknown>((resolve) => (over = resolve));
  const onEvent = (event: ArchiveEvent): void => {
    tellEvent(out, event).then(() => {
      if (event.kind === 'ended') over(event.error);
    }, over);
  };
  const running = await archive.start(db, { ...options, onEvent });
  const screen = watch(out, () => running.stats(), options.archiveIntervalMs ?? 1000);
  const interrupt = (): void => over();
  const giveUp = (): void => void running.stop({ flush: false });
  first.addEventListener('abort', interrupt, { once: true });
  second.addEventListener('abort', giveUp, { once: true });
  try {
    if (first.aborted) over();
    const error = await end;
    screen.stop();
    // Harmless when it has ended by itself.
    await running.stop({ flush: !second.aborted });
    if (error !== undefined) throw error;
    if (second.aborted) throw givenUp();
    return running.stats();
  } catch (error) {
    throw second.aborted && (error as { code?: unknown }).code === 'SOMBRA_ABORTED' ? givenUp() : error;
  } finally {
    screen.stop();
    first.removeEventListener('abort', interrupt);
    second.removeEventListener('abort', giveUp);
  }
}

function givenUp(): Interrupted {
  return new Interrupted('interrupted: the last commits may not be archived');
}

/** One line on a terminal that says how it stands. */
function watch(out: Shell, stats: () => ArchiverStats, intervalMs: number): { stop(): void } {
  const { progress } = out;
  if (progress === undefined) return { stop: () => undefined };
  const clear = (): void => void progress.write('\r\u001b[K');
  const timer = setInterval(
    () => {
      const { lsn, ...lag } = stats();
      clear();
      progress.write(`commit ${lsn}, ${lag.lagMs === 0 ? 'all archived' : lagText(lag)}`);
    },
    Math.max(1000, intervalMs),
  );
  return {
    stop: () => {
      clearInterval(timer);
      clear();
    },
  };
}
