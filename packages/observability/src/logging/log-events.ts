/**
 * The events of a database as lines of a log. Each has a name (`event`) and typed fields; none has a value of a property.
 *
 * error: what needs somebody now. warn: degradation, slow operations, refused and timed out transactions. info: transactions,
 * checkpoints, the life of the database. debug: steps of a commit. trace: every write, by its ids.
 */
import { hookedDatabase } from '../base/database-name.ts';
import type { EventLogger } from '../base/event-logger.ts';
import type { DatabaseObserver } from '../base/observed.ts';
import { requestId } from '../base/request.ts';
import { safeError, safeWarning } from '../base/safe-error.ts';

/** Options of `logEvents`. */
export interface LogEventsOptions {
  /** Name of the database in every line. Default: the name of the file of the one that it is about. */
  readonly database?: string | undefined;
  /** Fields of every line besides. */
  readonly bindings?: Readonly<Record<string, unknown>> | undefined;
}

const text = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;
const inMs = (ms: number): string => `${Math.round(ms * 10) / 10} ms`;
/** Microseconds are as exact as the clock is. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

/**
 * What logs the events of databases: give it to `GraphDB.open` as `hooks`, or to `db.observe`; several may share it.
 *
 * Recording writes costs time, so that they are logged only by a logger whose level is trace when this is called.
 */
export function logEvents(logger: EventLogger, { database, bindings }: LogEventsOptions = {}): DatabaseObserver {
  const fields = (event: string, own: object): object => ({
    event,
    database: database ?? hookedDatabase(),
    requestId: requestId(),
    ...bindings,
    ...own,
  });
  /** For what happens often: a line that is not written is not made. */
  const isLogged = (level: string): boolean => logger.isLevelEnabled?.(level) !== false;
  const observer: DatabaseObserver = {
    poisoned(cause) {
      const message = 'nothing is written any more: close the database and open it again';
      logger.error(fields('database.poisoned', { error: safeError(cause) }), message);
    },
    corruption({ code, message, details }) {
      logger.error(fields('database.corruption', { code, details }), message);
    },
    warning({ code, message, cause }) {
      const own = cause === undefined ? { code } : { code, error: safeError(cause) };
      logger.warn(fields('database.warning', own), safeWarning(message, cause));
    },
    slow({ operation, ms, transaction }) {
      const own = { operation, ms: rounded(ms), ...(transaction === null ? {} : { transaction }) };
      logger.warn(fields('operation.slow', own), `${operation} took ${inMs(ms)}`);
    },
    refused({ code, message }) {
      logger.warn(fields('transaction.refused', { code }), message);
    },
    rolledBack({ transaction, reason, ms, error }) {
      const isWarning = reason === 'timeout' || reason === 'leaked' || reason === 'unknown';
      const own = { transaction, reason, ms: rounded(ms), ...(error === undefined ? {} : { error: safeError(error) }) };
      const message =
        reason === 'unknown'
          ? `the sync of transaction ${transaction} failed after ${inMs(ms)}: the next open shows whether it is committed`
          : `transaction ${transaction} was rolled back after ${inMs(ms)} (${reason})`;
      logger[isWarning ? 'warn' : 'info'](fields('transaction.rolled_back', own), message);
    },
    committed({ transaction, lsn, ms }) {
      if (!isLogged('info')) return;
      const message = `transaction ${transaction} was committed in ${inMs(ms)}${lsn === null ? ', without a change' : ''}`;
      logger.info(fields('transaction.committed', { transaction, lsn, ms: rounded(ms) }), message);
    },
    opened({ lsn, readOnly }) {
      logger.info(
        fields('database.opened', { lsn, readOnly }),
        `opened at commit ${lsn}${readOnly ? ', to read' : ''}`,
      );
    },
    closed() {
      logger.info(fields('database.closed', {}), 'closed');
    },
    checkpoint(lsn, pages, ms) {
      const message = `checkpoint at commit ${lsn}: ${text(pages, 'page')} in ${inMs(ms)}`;
      logger.info(fields('checkpoint.completed', { lsn, pages, ms: rounded(ms) }), message);
    },
    recovered(lsn, commits) {
      if (commits === 0) return; // it was closed properly, or is new
      const message = `recovered ${text(commits, 'commit')} from the log, up to ${lsn}`;
      logger.info(fields('database.recovered', { lsn, commits }), message);
    },
    rotated(segment) {
      logger.info(fields('log.rotated', { segment }), `the log goes on in segment ${segment}`);
    },
    cacheResized({ pages }) {
      logger.info(fields('cache.resized', { pages }), `the cache has ${text(pages, 'page')}`);
    },
    begun({ transaction }) {
      if (!isLogged('debug')) return;
      logger.debug(fields('transaction.begun', { transaction }), `transaction ${transaction} begins`);
    },
    commit(lsn, pages, bytes) {
      if (!isLogged('debug')) return;
      const message = `commit ${lsn} is in the log: ${text(pages, 'page')}, ${text(bytes, 'byte')}`;
      logger.debug(fields('commit.logged', { lsn, pages, bytes }), message);
    },
    advanced(lsn) {
      if (!isLogged('debug')) return;
      logger.debug(fields('database.advanced', { lsn }), `commits of other connections are visible, up to ${lsn}`);
    },
  };
  if (!isLogged('trace')) return observer;
  return {
    ...observer,
    mutated({ transaction, lsn, mutations }) {
      for (const mutation of mutations)
        logger.trace(fields('graph.mutated', { transaction, lsn, ...mutation }), mutation.action);
    },
  };
}
