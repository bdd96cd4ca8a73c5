/** Logs and health of Sombra databases. Start at `logEvents`. */
export type { EventLogger, LogEvent } from './base/event-logger.ts';
export type {
  CheckedDatabase,
  DatabaseObserver,
  HealthStatus,
  ObservedCheck,
  ObservedDatabase,
  ObservedHealth,
  ObservedLatency,
  ObservedMutation,
  ObservedPagerStats,
  ObservedStats,
  ObservedWarning,
  PagerObserver,
  RollbackReason,
  WatchedDatabase,
} from './base/observed.ts';
export { requestId, withRequestId } from './base/request.ts';
export { checkHealth } from './health/check-health.ts';
export type { CheckHealthOptions } from './health/check-health.ts';
export { logEvents } from './logging/log-events.ts';
export type { LogEventsOptions } from './logging/log-events.ts';
export { AuditFile, auditFile } from './audit/audit-file.ts';
export type { AuditFileOptions, AuditSink } from './audit/audit-file.ts';
export type { AuditEntry, AuditPoint, AuditRecord } from './audit/audit-entry.ts';
export { queryAudit } from './audit/query-audit.ts';
export type { AuditQuery, AuditTime } from './audit/query-audit.ts';
export { verifyAudit } from './audit/verify-audit.ts';
export type { AuditProblem, AuditReport, VerifyAuditOptions } from './audit/verify-audit.ts';
