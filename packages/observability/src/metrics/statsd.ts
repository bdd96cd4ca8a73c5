import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { DataError, NodeEnv, quantileOf } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import { databaseName } from '../base/database-name.ts';
import type { MeasuredDatabase, ObservedLatency } from '../base/observed.ts';
import { DATABASE_SERIES } from './database-series.ts';
import { every, isClosed } from './every.ts';
import type { PeriodicOptions } from './every.ts';
import { FailureReport } from './failure-report.ts';
import { isLatency } from './series.ts';
import type { DatabaseFigures, Reading, SeriesType } from './series.ts';

/** Options of `statsd`. `intervalMs` is 10,000 by default. */
export interface StatsdOptions extends PeriodicOptions {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 8125. */
  readonly port?: number | undefined;
  /** Before every name. Default: `sombra.`, the name of the file of the database, and a dot. */
  readonly prefix?: string | undefined;
}

const INTERVAL_MS = 10_000;
const PORT = 8125;
/** Fits into a packet of Ethernet, with the headers of IPv6 and UDP. */
const PACKET_BYTES = 1432;
const QUANTILES = [0.5, 0.95, 0.99];

/** A figure as StatsD has it: a name without prefix, and a number. */
interface Figure {
  readonly name: string;
  readonly type: SeriesType;
  readonly value: number;
}

/**
 * Sends the figures of a database to StatsD over UDP: counters as what came since the last time (`|c`), everything else as gauges
 * (`|g`), of latencies the count and P50, P95 and P99 in milliseconds. Names are those of Prometheus without `sombra_` and `_total`.
 * It ends with the database, and sends what came since the last time when it is ended, behind a send that is under way.
 * @returns ends it; the promise is for whoever wants to know that the last packets were handed to the system. It is never rejected:
 *   what could not be sent becomes the warning SOMBRA_METRICS_FAILED
 * @throws RangeError the interval is no positive number of milliseconds; DataError SOMBRA_OPTION
 */
export function statsd(db: MeasuredDatabase, options: StatsdOptions = {}): () => Promise<void> {
  checkOptions('statsd', options, ['host', 'port', 'prefix', 'intervalMs', 'logger', 'env']);
  const { host = '127.0.0.1', port = PORT, intervalMs = INTERVAL_MS, logger, env } = options;
  const prefix = options.prefix ?? `sombra.${nameOf(databaseName(db.path))}.`;
  checkTarget(port, prefix);
  const figures = (): Figure[] => figuresOf({ stats: db.stats(), health: db.healthCheck(), backup: undefined });
  // Whoever starts this is told what happens from then on, not what happened in the hours before.
  let before = new Map(figures().map(({ name, value }) => [name, value]));
  let socket: Socket | undefined;

  // One after the other: two would send the same difference.
  let sending: Promise<boolean> = Promise.resolve(true);
  const send = (): Promise<boolean> => (sending = sending.then(sendNow, sendNow));
  const sendNow = async (): Promise<boolean> => {
    let now: Figure[];
    try {
      now = figures();
    } catch (error) {
      if (!isClosed(error)) throw error;
      close();
      return false;
    }
    const lines = now.flatMap(({ name, type, value }) => {
      const since = value - (before.get(name) ?? 0);
      if (type !== 'counter') return [`${prefix}${name}:${decimal(value)}|g`];
      return since === 0 ? [] : [`${prefix}${name}:${decimal(since)}|c`];
    });
    socket ??= openSocket(host);
    for (const packet of packetsOf(lines)) await sendPacket(socket, packet, port, host);
    before = new Map(now.map(({ name, value }) => [name, value])); // what could not be sent is sent the next time
    return true;
  };
  const close = (): void => {
    socket?.close();
    socket = undefined;
  };
  const report = new FailureReport({ logger, env: env ?? new NodeEnv() });
  const stop = every(`statsd of ${db.path}`, intervalMs, send, { logger, env });
  return async () => {
    stop();
    try {
      await send();
    } catch (error) {
      report.failed(`the last figures of ${db.path} could not be sent to statsd (%)`, error);
    } finally {
      close();
    }
  };
}

function checkTarget(port: number, prefix: string): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new DataError('SOMBRA_OPTION', `port of statsd is a whole number from 1 to 65535, not ${port}`);
  if (!/^[\w.-]*$/.test(prefix))
    throw new DataError(
      'SOMBRA_OPTION',
      `prefix of statsd has letters, digits, dots, hyphens and underscores, not "${prefix}"`,
    );
}

/** A name of StatsD: dots are its levels, colons and bars its syntax. */
function nameOf(text: string): string {
  return text.replaceAll(/[^\w-]/g, '_');
}

/** Not every server reads exponents. */
function decimal(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}

function figuresOf(figures: DatabaseFigures): Figure[] {
  return DATABASE_SERIES.flatMap((series) => {
    const name = series.name.replace(/^sombra_/, '').replace(/_total$/, '');
    return figuresIn(name, series.type, series.read(figures));
  });
}

function figuresIn(name: string, type: SeriesType, reading: Reading): Figure[] {
  if (reading === null || reading === undefined) return [];
  if (typeof reading === 'number') return [{ name, type, value: reading }];
  if (isLatency(reading)) return latencyFigures(name.replace(/_seconds$/, ''), reading);
  return reading.map(({ labels, value }) => ({
    name: [name, ...Object.values(labels).map(nameOf)].join('.'),
    type,
    value,
  }));
}

function latencyFigures(name: string, latency: ObservedLatency): Figure[] {
  const quantiles = QUANTILES.flatMap((q): Figure[] => {
    const value = quantileOf(latency, q);
    return value === undefined ? [] : [{ name: `${name}.p${q * 100}_ms`, type: 'gauge', value: value * 1000 }];
  });
  return [{ name: `${name}.count`, type: 'counter', value: latency.count }, ...quantiles];
}

/** Lines in packets, as few as there can be. */
function packetsOf(lines: readonly string[]): string[] {
  const packets: string[] = [];
  let packet = '';
  for (const line of lines) {
    if (packet !== '' && packet.length + 1 + line.length > PACKET_BYTES) {
      packets.push(packet);
      packet = '';
    }
    packet += packet === '' ? line : `\n${line}`;
  }
  if (packet !== '') packets.push(packet);
  return packets;
}

function openSocket(host: string): Socket {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4').unref();
  // Errors of a packet come to the callback of its send; what is left is a refusal that came back later, which UDP has no promise about.
  socket.on('error', () => undefined);
  return socket;
}

function sendPacket(socket: Socket, packet: string, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(packet, port, host, (error) => (error === null ? resolve() : reject(error)));
  });
}
