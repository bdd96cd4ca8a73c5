/** Logs and health of Sombra databases. Start at `logEvents`. */
export type { EventLogger, LogEvent } from './base/event-logger.ts';
export type {
  CheckedDatabase,
  DatabaseObserver,
  HealthStatus,
  MeasuredDatabase,
  ObservedCheck,
  ObservedDatabase,
  ObservedHealth,
  ObservedLatency,
  ObservedLog,
  ObservedLogStats,
  ObservedMetrics,
  ObservedMutation,
  ObservedPager,
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
export { logDestination } from './logging/log-destination.ts';
export type { LogDestination } from './logging/log-destination.ts';
export { logEvents } from './logging/log-events.ts';
export type { LogEventsOptions } from './logging/log-events.ts';
export { AuditFile, auditFile } from './audit/audit-file.ts';
export type { AuditFileOptions, AuditSink } from './audit/audit-file.ts';
export type { AuditEntry, AuditPoint, AuditRecord } from './audit/audit-entry.ts';
export { withAudit } from './audit/audited-database.ts';
export type {
  AuditableDatabase,
  AuditControl,
  AuditedDatabase,
  AuditOptions,
  AuditUser,
} from './audit/audited-database.ts';
export type { AttributableDatabase, AuditedWrites, WriteMethod } from './audit/audited-writes.ts';
export { queryAudit } from './audit/query-audit.ts';
export type { AuditQuery, AuditTime } from './audit/query-audit.ts';
export { verifyAudit } from './audit/verify-audit.ts';
export type { AuditProblem, AuditReport, VerifyAuditOptions } from './audit/verify-audit.ts';
export { mergedMetrics } from './metrics/merged-metrics.ts';
export type { DatabaseMetrics, Metrics, MetricValues } from './metrics/metrics.ts';
export { logMetricsOf, metricsOf } from './metrics/metrics-of.ts';
export type { LogMetricsOptions, MetricsOptions } from './metrics/metrics-of.ts';
export { processMetrics } from './metrics/process-metrics.ts';
export { PROMETHEUS_CONTENT_TYPE, toPrometheusFormat } from './metrics/prometheus-text.ts';
export type { PrometheusFormatOptions } from './metrics/prometheus-text.ts';
export { startMetricsReporter } from './metrics/reporter.ts';
export type { PeriodicOptions } from './metrics/every.ts';
export type { ReporterOptions } from './metrics/reporter.ts';
export type { BackupFigures } from './metrics/series.ts';
export { statsd } from './metrics/statsd.ts';
export type { StatsdOptions } from './metrics/statsd.ts';
export { textFileCollector, writeTextFile } from './metrics/text-file.ts';
export { endLogging, initLogging } from './logging/init-logging.ts';
export type { LoggingOptions, LogLevel } from './logging/init-logging.ts';
export type {
  CheckpointTrace,
  ConnectionTrace,
  ProblemTrace,
  SlowTrace,
  TraceEvent,
  TransactionTrace,
} from './tracing/channels.ts';
export { bridgeToOpenTelemetry } from './tracing/open-telemetry.ts';
export type { SpanLike, TracerLike } from './tracing/open-telemetry.ts';
export { traceEvents } from './tracing/trace-events.ts';
export type { TraceEventsOptions } from './tracing/trace-events.ts';
