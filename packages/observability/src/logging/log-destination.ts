/**
 * Where lines of a log go: to a file or a descriptor, those of one turn of the event loop by one call of the system, because that call
 * costs more than the line does.
 *
 * - What a program that is killed can lose is the lines of the turn in which it is killed. A line from level warn on is written at once,
 *   with everything before it, and so is what waits when the process exits, after an error too.
 * - Lines that cannot be written are kept up to a limit and tried again with later ones; those beyond it are lost. Both is told by a
 *   warning of the process: nothing throws, because whoever logs has no use for it. Only a pipe that nobody reads ends the log in silence.
 */
import { NodeEnv } from '@sombra/vfs';
import { pino } from 'pino';
import type { DestinationStream } from 'pino';

/** Characters that wait at most before they are written within the turn. */
const WAITING_MAX = 1 << 16;

/** Bytes kept at most of what could not be written. */
const UNWRITTEN_MAX = 1 << 20;

const env = new NodeEnv();

const WARN = pino.levels.values['warn']!;

/** Asks pino to set `lastLevel` before it calls `write`. */
const METADATA = Symbol.for('pino.metadata');

/** A destination of a logger of pino. */
export interface LogDestination extends DestinationStream {
  /** Writes what waits, and closes the file; a descriptor stays open. */
  end(): void;
}

/**
 * A destination for a logger of your own; `initLogging` has one for standard output.
 * @param dest  path or descriptor. A file is appended to, and made when there is none
 * @throws the error of the file system when it cannot be opened
 */
export function logDestination(dest: string | number): LogDestination {
  return new TurnBuffer(dest);
}

/** See the top of the file. */
class TurnBuffer implements LogDestination {
  readonly [METADATA] = true;
  /** Level of the line that is being written, set by pino. */
  lastLevel = 0;

  private readonly inner: ReturnType<typeof pino.destination>;
  private readonly flush = (): void => {
    this.scheduled = false;
    this.writeAll();
  };
  private readonly opened: boolean;
  private waiting = '';
  private scheduled = false;
  private failing = false;

  constructor(dest: string | number) {
    this.opened = typeof dest === 'string';
    this.inner = pino.destination({ dest, sync: true, maxLength: UNWRITTEN_MAX });
    this.inner.on('error', (cause: Error) => this.warn(`the log cannot be written: ${cause.message}`, cause));
    this.inner.on('drop', () => this.warn('lines of the log are lost: too much waits to be written'));
    this.inner.on('write', () => (this.failing = false));
    process.on('exit', this.flush);
  }

  write(line: string): void {
    this.waiting += line;
    if (this.lastLevel >= WARN || this.waiting.length > WAITING_MAX) {
      this.writeAll();
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.flush);
    }
  }

  end(): void {
    process.off('exit', this.flush);
    this.writeAll();
    if (this.opened) this.inner.end();
  }

  private writeAll(): void {
    if (this.waiting === '') return;
    const lines = this.waiting;
    this.waiting = '';
    this.inner.write(lines);
  }

  /** Once, until something can be written again. */
  private warn(message: string, cause?: Error): void {
    if (this.failing) return;
    this.failing = true;
    env.warn({ code: 'SOMBRA_LOG_FAILED', message, cause });
  }
}
