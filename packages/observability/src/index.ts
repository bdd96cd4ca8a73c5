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
