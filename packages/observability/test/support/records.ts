import type { AuditEntry, AuditRecord } from '../../src/index.ts';

/** Users of `record`, in turn; one is not easy to write down. */
export const USERS = ['ada', 'bob', 'eve\n"ünï",\u0000💥', 'root'] as const;

/** The record with a number. */
export function record(number: number): AuditRecord {
  const about = { node_id: number, nodes: [number], edges: [] };
  const timestamp = new Date(Date.UTC(2025, 0, 1, 0, number)).toISOString();
  return { timestamp, user: USERS[number % 4]!, action: 'addNode', ...about, lsn: number + 1, transaction: number };
}

/** Records with the numbers from `first` to `last`. */
export function records(first: number, last: number): AuditRecord[] {
  return Array.from({ length: last - first + 1 }, (_, i) => record(first + i));
}

/** An entry without what makes it part of a chain. */
export function recordOf(entry: AuditEntry): AuditRecord {
  const { timestamp, user, action, node_id, nodes, edges, lsn, transaction } = entry;
  return { timestamp, user, action, node_id, nodes, edges, lsn, transaction };
}
