import { CorruptionError, DataError, NodeVfs } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import type { AuditEntry } from './audit-entry.ts';
import { readTrail } from './read-trail.ts';

/** A time: a `Date`, a text in ISO 8601, or ms since 1970. */
export type AuditTime = Date | string | number;

/** Which entries are wanted: those that match all of it. */
export interface AuditQuery {
  readonly user?: string | undefined;
  /** Not before this time. */
  readonly since?: AuditTime | undefined;
  /** Before this time. */
  readonly until?: AuditTime | undefined;
  readonly action?: string | undefined;
  /** About this node, or this edge. */
  readonly node?: number | undefined;
  readonly edge?: number | undefined;
  /** Default: the files of the machine. */
  readonly vfs?: Vfs | undefined;
}

/**
 * Entries of a trail, the oldest first, read while they are asked for. A query does not check the chain: that is the job of `verifyAudit`.
 * @throws DataError SOMBRA_OPTION; while reading: DataError SOMBRA_AUDIT_NOT_FOUND, CorruptionError SOMBRA_AUDIT_DAMAGED for
 *   a line that is no entry, IoError SOMBRA_IO, SOMBRA_PERMISSION
 */
export function queryAudit(path: string, query: AuditQuery = {}): IterableIterator<AuditEntry> {
  checkOptions('queryAudit', query, ['user', 'since', 'until', 'action', 'node', 'edge', 'vfs']);
  const since = toMs('since', query.since, -Infinity);
  const until = toMs('until', query.until, Infinity);
  return select(path, query, since, until);
}

function* select(path: string, query: AuditQuery, since: number, until: number): IterableIterator<AuditEntry> {
  const { user, action, node, edge, vfs = new NodeVfs() } = query;
  for (const { file, line, entry, torn } of readTrail(vfs, path)) {
    if (torn) continue;
    if (typeof entry === 'string') {
      const message = `${file}:${line}: ${entry}: verify the audit trail, and compare it with a copy`;
      throw new CorruptionError('SOMBRA_AUDIT_DAMAGED', message, { details: { file, line } });
    }
    const time = Date.parse(entry.timestamp);
    if (time < since || time >= until) continue;
    if (user !== undefined && entry.user !== user) continue;
    if (action !== undefined && entry.action !== action) continue;
    if (node !== undefined && !entry.nodes.includes(node)) continue;
    if (edge !== undefined && !entry.edges.includes(edge)) continue;
    yield entry;
  }
}

function toMs(option: string, time: AuditTime | undefined, otherwise: number): number {
  if (time === undefined) return otherwise;
  const ms = typeof time === 'number' ? time : new Date(time).getTime();
  if (!Number.isNaN(ms)) return ms;
  throw new DataError('SOMBRA_OPTION', `${option} is ${String(time)}; it takes a time such as 2025-01-31T12:00:00Z`);
}
