import type { ObservedHealth, ObservedLatency, ObservedPagerStats, ObservedStats } from '../base/observed.ts';

export type SeriesType = 'counter' | 'gauge' | 'histogram';

/** A value with labels of its own, besides `database`. */
export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a series is at one moment; nothing where it is not known. */
export type Reading = number | ObservedLatency | readonly LabelledValue[] | null | undefined;

/** A kind of figure: its name, and where it stands in figures of kind F. */
export interface Series<F> {
  /** As Prometheus calls it. */
  readonly name: string;
  readonly type: SeriesType;
  /** What it means, in one sentence. */
  readonly help: string;
  /** Labels besides `database`. */
  readonly labels: readonly string[];
  read(figures: F): Reading;
}

/** What is read of a database in one scrape. */
export interface DatabaseFigures {
  readonly stats: ObservedStats;
  readonly health: ObservedHealth | undefined;
  readonly backup: BackupFigures | undefined;
}

/** What is read of a plain pager in one scrape. */
export interface PagerFigures {
  readonly stats: ObservedPagerStats;
}

/** State of backups, from whoever makes them. */
export interface BackupFigures {
  /** Seconds since the last backup that was verified. */
  readonly ageSeconds?: number | null | undefined;
  /** Log that is not archived yet, bytes. */
  readonly archiveLagBytes?: number | null | undefined;
}

export function isLatency(reading: Reading): reading is ObservedLatency {
  return typeof reading === 'object' && reading !== null && 'bounds' in reading;
}
