/**
 * Spans of OpenTelemetry from the events on the channels. Times of a span are those of the event: its end is its begin and the duration that
 * the database measured, so that a change of the system's clock meanwhile distorts no span.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CHANNELS } from './channels.ts';
import type { CheckpointTrace, ConnectionTrace, SlowTrace, TraceEvent, TransactionTrace } from './channels.ts';

/** Seconds and nanoseconds since 1970, a form in which OpenTelemetry takes times. */
type HrTime = [seconds: number, nanoseconds: number];
type Attributes = Record<string, string | number | boolean>;

/** A span, as far as this package uses it. */
export interface SpanLike {
  setAttributes(attributes: Attributes): unknown;
  /** 2 is ERROR. */
  setStatus(status: { code: 2; message?: string }): unknown;
  end(endTime?: HrTime): void;
}

/** What makes spans: a `Tracer` of @opentelemetry/api is one. */
export interface TracerLike {
  startSpan(name: string, options?: { startTime?: HrTime; attributes?: Attributes }): SpanLike;
}

const STATUS_ERROR = 2;

type EndTrace = Exclude<TransactionTrace, { readonly phase: 'begin' }>;

interface OpenSpan {
  readonly span: SpanLike;
  readonly connection: number;
  readonly begun: number;
}

/**
 * Makes a span of every write transaction, checkpoint and slow operation of the databases that have `traceEvents`. A transaction is a child of
 * the span that is active when it begins.
 * @returns ends it
 */
export function bridgeToOpenTelemetry(tracer: TracerLike): () => void {
  const open = new Map<string, OpenSpan>();
  const key = ({ connection, transaction }: TransactionTrace): string => `${connection}/${transaction}`;

  const onTransaction = (message: unknown): void => {
    const event = message as TransactionTrace;
    if (event.phase === 'begin') {
      const attributes = { ...common(event, 'transaction'), 'sombra.transaction': event.transaction };
      const span = tracer.startSpan('sombra.transaction', { startTime: hrTime(event.time), attributes });
      open.set(key(event), { span, connection: event.connection, begun: event.time });
      return;
    }
    const found = open.get(key(event));
    if (found === undefined) return; // it began before this was called
    open.delete(key(event));
    finish(found, event);
  };

  const span = (event: TraceEvent & { readonly ms: number }, operation: string, own: Attributes): void => {
    const options = { startTime: hrTime(event.time - event.ms), attributes: { ...common(event, operation), ...own } };
    tracer.startSpan(`sombra.${operation}`, options).end(hrTime(event.time));
  };
  const onCheckpoint = (message: unknown): void => {
    const event = message as CheckpointTrace;
    span(event, 'checkpoint', { 'sombra.lsn': event.lsn, 'sombra.pages': event.pages });
  };
  const onSlow = (message: unknown): void => {
    const event = message as SlowTrace;
    // Transactions and checkpoints have their own spans, slow or not.
    if (/^(transaction|checkpoint|checkpointAsync)$/.test(event.operation)) return;
    span(event, event.operation, {});
  };
  const onConnection = (message: unknown): void => {
    const { phase, connection, time } = message as ConnectionTrace;
    if (phase === 'open') return;
    for (const [name, each] of open) {
      if (each.connection !== connection) continue;
      open.delete(name);
      each.span.end(hrTime(time));
    }
  };

  const listeners = [
    [CHANNELS.transaction.name, onTransaction],
    [CHANNELS.checkpoint.name, onCheckpoint],
    [CHANNELS.slow.name, onSlow],
    [CHANNELS.connection.name, onConnection],
  ] as const;
  for (const [name, listener] of listeners) subscribe(name, listener);
  return () => {
    for (const [name, listener] of listeners) unsubscribe(name, listener);
    open.clear();
  };
}

function finish({ span, begun }: OpenSpan, event: EndTrace): void {
  if (event.phase === 'commit') {
    if (event.lsn !== null) span.setAttributes({ 'sombra.lsn': event.lsn });
  } else {
    span.setAttributes({ 'sombra.rollback.reason': event.reason });
    if (event.error !== undefined) span.setAttributes({ 'error.type': event.error.code ?? event.error.name });
    // What the program took back on purpose is no error.
    if (event.reason !== 'rollback') span.setStatus({ code: STATUS_ERROR, message: `rolled back: ${event.reason}` });
  }
  span.end(hrTime(begun + event.ms));
}

function common({ database, requestId }: TraceEvent, operation: string): Attributes {
  const request = requestId === undefined ? {} : { 'sombra.request_id': requestId };
  return { 'db.system.name': 'sombra', 'db.namespace': database, 'db.operation.name': operation, ...request };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}
