/**
 * One log for the whole program: whatever database is opened after `initLogging` writes its events to it. Without it, nothing is
 * logged.
 */
import { createRequire } from 'node:module';
import type { Writable } from 'node:stream';
import { addDefaultObserver, DataError, StateError } from '@sombra/vfs';
import { pino } from 'pino';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
import type pinoPretty from 'pino-pretty';
import { checkOptions } from '../base/check-options.ts';
import type { EventLogger } from '../base/event-logger.ts';
import { databaseName } from '../base/database-name.ts';
import { isoTime } from './iso-time.ts';
import { logDestination } from './log-destination.ts';
import { logEvents } from './log-events.ts';

const LEVELS = Object.freeze(['error', 'warn', 'info', 'debug', 'trace', 'silent'] as const);

/** How much is logged: this level and the ones before it. */
export type LogLevel = (typeof LEVELS)[number];

/** Options of `initLogging`. */
export interface LoggingOptions {
  /** Default info. */
  readonly level?: LogLevel | undefined;
  /** Lines for people instead of JSON. Default: when what is written to is a terminal. */
  readonly pretty?: boolean | undefined;
  /** What is written to. Default: standard output. */
  readonly stream?: Writable | undefined;
  /** Fields of every line. Default: the number of the process, as `pid`. */
  readonly bindings?: Readonly<Record<string, unknown>> | undefined;
}

interface Logging {
  readonly logger: Logger;
  readonly end: () => void;
}

let current: Logging | undefined;

/**
 * Begins to log. Databases that are open already are not logged: give them `logEvents` by `db.observe`.
 * @param options  a level, or options; a text from outside will do: `initLogging(process.env.LOG_LEVEL ?? 'info')`
 * @returns the logger, of pino, for the program's own lines
 * @throws DataError SOMBRA_LOG_LEVEL, SOMBRA_OPTION; StateError SOMBRA_LOGGING_INITIALIZED when it was called before
 */
export function initLogging(options: LogLevel | LoggingOptions | (string & {}) = 'info'): Logger {
  const {
    level = 'info',
    pretty,
    stream,
    bindings = { pid: process.pid },
  } = typeof options === 'string' ? { level: options } : checked(options);
  if (!(LEVELS as readonly string[]).includes(level)) {
    throw new DataError(
      'SOMBRA_LOG_LEVEL',
      `the level of the log is ${JSON.stringify(level)}; it is one of ${LEVELS.join(', ')}`,
      {
        details: { level },
      },
    );
  }
  if (current !== undefined) {
    throw new StateError(
      'SOMBRA_LOGGING_INITIALIZED',
      'initLogging was called before: use the logger that it returned, set its level, or call endLogging first',
    );
  }
  const isTerminal = ((stream ?? process.stdout) as { readonly isTTY?: boolean }).isTTY === true;
  const people = pretty ?? isTerminal;
  const own = stream === undefined && !people ? logDestination(1) : undefined;
  const destination = own ?? (people ? forPeople(stream, isTerminal) : stream!);
  const logger = pino({ level, base: bindings, ...JSON_LINES }, destination);
  const endObserving = addDefaultObserver((path) => logEvents(logger, { database: databaseName(path) }));
  current = {
    logger,
    end() {
      endObserving();
      logger.level = 'silent'; // databases that are open hold on to it
      own?.end();
    },
  };
  return logger;
}

/** Ends what `initLogging` began, also for databases that are open. Harmless when repeated. */
export function endLogging(): void {
  current?.end();
  current = undefined;
}

/** The logger of `initLogging`; undefined without. */
export function programLogger(): EventLogger | undefined {
  return current?.logger;
}

function checked(options: LoggingOptions): LoggingOptions {
  checkOptions('initLogging', options, ['level', 'pretty', 'stream', 'bindings']);
  return options;
}

const JSON_LINES: LoggerOptions = { timestamp: isoTime, formatters: { level: (label) => ({ level: label }) } };

/** Loads what formats lines only where somebody reads along. */
function forPeople(stream: Writable | undefined, isTerminal: boolean): DestinationStream {
  const prettyStream = createRequire(import.meta.url)('pino-pretty') as typeof pinoPretty;
  const { NO_COLOR = '' } = process.env;
  const colorize = isTerminal && NO_COLOR === '';
  return prettyStream({ destination: stream ?? 1, sync: true, colorize, singleLine: true, ignore: 'pid' });
}
