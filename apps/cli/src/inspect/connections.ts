/** How the connections that have a database open perform, as far as they tell it. */
import type { Pager } from '@sombra/pager';
import type { Shell } from '../shell/shell.ts';
import { count, plural } from '../shell/tables.ts';
import { moment, section } from './report.ts';

/** One of them. Fields are null where it has not said anything yet, or says nothing. */
interface ConnectionReport {
  readonly pid: number | null;
  readonly opened: string | null;
  /** When it told its figures: they are as of then. */
  readonly written: string | null;
  /** Part of its page reads that its cache answered, 0 to 1. */
  readonly cacheHitRate: number | null;
  readonly cacheHits: number | null;
  readonly cacheMisses: number | null;
  readonly commits: number | null;
  /** Of the newest 1,000 commits. */
  readonly p95CommitLatencyMs: number | null;
  /** Of the newest 10,000 short reads that were measured. */
  readonly p95ReadLatencyUs: number | null;
}

const NOT_KNOWN: ConnectionReport = {
  pid: null,
  opened: null,
  written: null,
  cacheHitRate: null,
  cacheHits: null,
  cacheMisses: null,
  commits: null,
  p95CommitLatencyMs: null,
  p95ReadLatencyUs: null,
};

/** One entry for each other connection: first those that tell their figures. */
export function connectionsOf(pager: Pager): ConnectionReport[] {
  const { count: all, figures } = pager.others();
  const told = figures.map(({ pid, opened, written, hits, misses, commits, commitP95, readP95 }) => ({
    pid,
    opened: timeOf(opened),
    written: timeOf(written),
    cacheHitRate: hits + misses === 0 ? null : hits / (hits + misses),
    cacheHits: hits,
    cacheMisses: misses,
    commits,
    p95CommitLatencyMs: scaled(commitP95, 1000),
    p95ReadLatencyUs: scaled(readP95, 1_000_000),
  }));
  return [...told, ...Array.from({ length: all - told.length }, () => NOT_KNOWN)];
}

/** Greatest time that a date can show, ms. */
const TIME_MAX = 8.64e15;

/** The record may have been written by anybody. */
function timeOf(ms: number): string | null {
  return ms <= TIME_MAX ? moment(ms) : null;
}

function scaled(seconds: number | undefined, factor: number): number | null {
  return seconds === undefined ? null : Number((seconds * factor).toPrecision(12));
}

/** For people; nothing while no other connection has it open. */
export function connectionLines(out: Shell, connections: readonly ConnectionReport[]): string[] {
  const told = connections.filter(({ pid }) => pid !== null);
  const rest = connections.length - told.length;
  const rows = told.map((one) => [
    String(one.pid),
    one.written ?? 'not known',
    known(one.cacheHitRate, (rate) => `${(rate * 100).toFixed(1)} %`),
    known(one.commits, count),
    known(one.p95CommitLatencyMs, (ms) => `${ms.toFixed(2)} ms`),
    known(one.p95ReadLatencyUs, (us) => `${us.toFixed(1)} us`),
  ]);
  const heads = ['process', 'figures of', 'cache hit rate', 'commits', 'P95 commit', 'P95 read'];
  return [
    ...(rows.length === 0 ? [] : section(out, 'connections', heads, rows)),
    ...(rest === 0
      ? []
      : [
          '',
          `${plural(rest, told.length === 0 ? 'connection' : 'more connection')}: cache hit rate and P95 not known`,
        ]),
  ];
}

function known<T>(value: T | null, show: (value: T) => string): string {
  return value === null ? 'not known' : show(value);
}
