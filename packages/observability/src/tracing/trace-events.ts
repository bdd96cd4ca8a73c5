import { NodeEnv } from '@sombra/vfs';
import { hookedDatabase } from '../base/database-name.ts';
import type { DatabaseObserver } from '../base/observed.ts';
import { requestId } from '../base/request.ts';
import { safeError, safeWarning } from '../base/safe-error.ts';
import { CHANNELS } from './channels.ts';
import type {
  CheckpointTrace,
  ConnectionTrace,
  ProblemTrace,
  SlowTrace,
  TraceEvent,
  TransactionTrace,
} from './channels.ts';

/** Options of `traceEvents`. */
export interface TraceEventsOptions {
  /** Name of the database in every event. Default: the name of the file that is opened. */
  readonly database?: string | undefined;
}

const env = new NodeEnv();
let connections = 0;

/**
 * What publishes the events of one database on the channels: give it to `GraphDB.open` as `hooks`, or to `db.observe`. A channel without
 * subscribers costs a look at it.
 */
export function traceEvents({ database }: TraceEventsOptions = {}): DatabaseObserver {
  connections += 1;
  const connection = connections;
  const { transaction, checkpoint, slow, warning, failure, connection: life } = CHANNELS;
  const common = (): TraceEvent => ({
    database: database ?? hookedDatabase() ?? '',
    connection,
    time: env.wallTimeMs(),
    requestId: requestId(),
  });
  const problem = (channel: typeof warning, code: string, message: string): void => {
    if (channel.hasSubscribers) channel.publish({ ...common(), code, message } satisfies ProblemTrace);
  };
  const lifeEvent = (phase: 'open' | 'close'): void => {
    if (life.hasSubscribers) life.publish({ ...common(), phase } satisfies ConnectionTrace);
  };
  return {
    opened() {
      lifeEvent('open');
    },
    closed() {
      lifeEvent('close');
    },
    begun({ transaction: number }) {
      if (!transaction.hasSubscribers) return;
      transaction.publish({ ...common(), transaction: number, phase: 'begin' } satisfies TransactionTrace);
    },
    committed({ transaction: number, lsn, ms }) {
      if (!transaction.hasSubscribers) return;
      transaction.publish({ ...common(), transaction: number, phase: 'commit', lsn, ms } satisfies TransactionTrace);
    },
    rolledBack({ transaction: number, reason, ms, error }) {
      if (!transaction.hasSubscribers) return;
      const why = error === undefined ? {} : { error: safeError(error) };
      const event: TransactionTrace = { ...common(), transaction: number, phase: 'rollback', reason, ms, ...why };
      transaction.publish(event);
    },
    checkpoint(lsn, pages, ms) {
      if (checkpoint.hasSubscribers) checkpoint.publish({ ...common(), lsn, pages, ms } satisfies CheckpointTrace);
    },
    slow({ operation, ms, transaction: number }) {
      if (!slow.hasSubscribers) return;
      slow.publish({ ...common(), operation, ms, transaction: number } satisfies SlowTrace);
    },
    refused({ code, message }) {
      problem(warning, code, message);
    },
    warning({ code, message, cause }) {
      problem(warning, code, safeWarning(message, cause));
    },
    corruption({ code, message }) {
      problem(failure, code, message);
    },
    poisoned() {
      problem(failure, 'SOMBRA_LOCK_POISONED', 'nothing is written any more: close the database and open it again');
    },
  };
}
