/** Every series of a plain append log. docs/reference/metrics.md lists the same. */
import type { ObservedLogStats } from '../base/observed.ts';
import type { Reading, Series, SeriesType } from './series.ts';

const line = (
  type: SeriesType,
  name: string,
  help: string,
  read: (stats: ObservedLogStats) => Reading,
): Series<ObservedLogStats> => ({ type, name, help, labels: [], read });

export const LOG_SERIES: readonly Series<ObservedLogStats>[] = [
  line('gauge', 'sombra_log_first_position', 'Position of the oldest record.', ({ first }) => first),
  line('gauge', 'sombra_log_last_position', 'Position of the newest record.', ({ last }) => last),
  line(
    'gauge',
    'sombra_log_durable_position',
    'Position of the newest record that survives a power loss.',
    ({ durable }) => durable,
  ),
  line('gauge', 'sombra_log_segments', 'Files of the log.', ({ segments }) => segments),
  line('gauge', 'sombra_log_size_bytes', 'Bytes of records in the log.', ({ bytes }) => bytes),
  line('counter', 'sombra_log_syncs_total', 'Syncs since the log was opened.', ({ syncs }) => syncs),
  line(
    'histogram',
    'sombra_log_sync_duration_seconds',
    'Duration of each of these syncs.',
    ({ syncLatency }) => syncLatency,
  ),
  line(
    'gauge',
    'sombra_log_dropped_bytes',
    'Bytes that were ignored when the log was opened: room allocated ahead, a torn record, damage.',
    ({ droppedBytes }) => droppedBytes,
  ),
];
