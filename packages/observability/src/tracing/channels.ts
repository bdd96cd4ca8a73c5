/** The channels of `node:diagnostics_channel` on which the events of databases are published, for whoever subscribes. */
import { channel } from 'node:diagnostics_channel';
import type { Channel } from 'node:diagnostics_channel';
import type { RollbackReason } from '../base/observed.ts';
import type { SafeError } from '../base/safe-error.ts';

/** What every event has. */
export interface TraceEvent {
  /** Name of the database. */
  readonly database: string;
  /** Counts the connections of this process that are traced: transactions are numbered within one. */
  readonly connection: number;
  /** When it was published, ms since 1970. */
  readonly time: number;
  /** Inside `withRequestId`. */
  readonly requestId: string | undefined;
}

/** On `sombra:transaction`: a write transaction begins or has ended. */
export type TransactionTrace = TraceEvent & { readonly transaction: number } & (
    | { readonly phase: 'begin' }
    /** `lsn` is null when nothing was changed. */
    | { readonly phase: 'commit'; readonly lsn: number | null; readonly ms: number }
    | { readonly phase: 'rollback'; readonly reason: RollbackReason; readonly ms: number; readonly error?: SafeError }
  );

/** On `sombra:checkpoint`: one has been completed. */
export interface CheckpointTrace extends TraceEvent {
  readonly lsn: number;
  readonly pages: number;
  readonly ms: number;
}

/** On `sombra:slow`: an operation took longer than `slowOperationMs`. */
export interface SlowTrace extends TraceEvent {
  readonly operation: string;
  readonly ms: number;
  /** null: it is none, and belongs to none. */
  readonly transaction: number | null;
}

/** On `sombra:warning` and `sombra:failure`: what is logged as a warning, and what as an error. */
export interface ProblemTrace extends TraceEvent {
  readonly code: string;
  readonly message: string;
}

/** On `sombra:connection`: a database was opened or closed. */
export interface ConnectionTrace extends TraceEvent {
  readonly phase: 'open' | 'close';
}

/** The channels, by what is published on them. */
export const CHANNELS = Object.freeze({
  transaction: channel('sombra:transaction'),
  checkpoint: channel('sombra:checkpoint'),
  slow: channel('sombra:slow'),
  warning: channel('sombra:warning'),
  failure: channel('sombra:failure'),
  connection: channel('sombra:connection'),
} satisfies Record<string, Channel>);
