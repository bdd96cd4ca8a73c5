/** Is an open database well? Each check looks at figures that are there anyway: a health check reads no page and waits for nothing. */
import type { PagerVitals } from '@sombra/pager';
import type { FileFigures } from './stats.ts';

export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy';

/** One thing that was looked at. */
export interface HealthCheck {
  readonly name: 'poisoned' | 'corruption' | 'cache' | 'wal' | 'checkpoint' | 'disk';
  readonly healthy: boolean;
  /** The figures, and the limit that they are held to. */
  description(): string;
}

/** What `healthCheck` found. */
export interface HealthReport {
  /** `unhealthy`: writes or data are in danger. `degraded`: an operator should look. */
  readonly status: HealthStatus;
  readonly checks: readonly HealthCheck[];
}

/** From where on a figure is not healthy. */
export interface HealthLimits {
  /** Least part of the page reads that the cache should answer, 0 to 1. Default 0.7. */
  readonly cacheHitRate?: number | undefined;
  /** Page reads before the cache is judged. Default 10,000. */
  readonly cacheReads?: number | undefined;
  /** Largest part of `maxWalSizeMb` that the log should take. Default 0.8. */
  readonly walPart?: number | undefined;
  /**
   * Longest time, ms, that commits should wait for a checkpoint; null: they may wait for ever. Default: 10 times
   * `autoCheckpointIntervalMs`, null without it.
   */
  readonly checkpointAgeMs?: number | null | undefined;
  /** Least part of the disk that should be free, 0 to 1. Default 0.1. */
  readonly diskFreePart?: number | undefined;
}

/** Limits with their defaults filled in. */
export interface ResolvedHealthLimits {
  readonly cacheHitRate: number;
  readonly cacheReads: number;
  readonly walPart: number;
  /** Infinity for none. */
  readonly checkpointAgeMs: number;
  readonly diskFreePart: number;
}

/** What is looked at. */
interface JudgedFigures {
  readonly pager: PagerVitals;
  readonly files: FileFigures;
}

/** Checks that make a database unhealthy; the others make it degraded. */
const GRAVE: ReadonlySet<string> = new Set(['poisoned', 'corruption']);

/** Holds the figures of a database to limits. */
export function judgeHealth(stats: JudgedFigures, limits: ResolvedHealthLimits): HealthReport {
  const checks = [
    poison(stats),
    corruption(stats),
    cache(stats, limits),
    wal(stats, limits),
    checkpoint(stats, limits),
  ];
  checks.push(disk(stats, limits));
  const failed = checks.filter(({ healthy }) => !healthy);
  const status =
    failed.length === 0 ? 'healthy' : failed.some(({ name }) => GRAVE.has(name)) ? 'unhealthy' : 'degraded';
  return Object.freeze({ status, checks: Object.freeze(checks) });
}

function check(name: HealthCheck['name'], healthy: boolean, description: string): HealthCheck {
  return Object.freeze({ name, healthy, description: () => description });
}

function poison({ pager }: JudgedFigures): HealthCheck {
  if (!pager.poisoned) return check('poisoned', true, 'no sync has failed');
  return check(
    'poisoned',
    false,
    'a sync failed, and nothing is written any more: close the database and open it again',
  );
}

function corruption({ pager }: JudgedFigures): HealthCheck {
  if (pager.corruptions === 0) return check('corruption', true, 'reading met no damage');
  const times = pager.corruptions === 1 ? 'once' : `${pager.corruptions} times`;
  return check(
    'corruption',
    false,
    `reading met damage ${times}: run verifyIntegrity, check the disk, restore a backup`,
  );
}

function cache({ pager }: JudgedFigures, { cacheHitRate, cacheReads }: ResolvedHealthLimits): HealthCheck {
  const hits = pager.hits + pager.oldVersionHits;
  const reads = hits + pager.misses;
  if (reads < cacheReads) return check('cache', true, `cache hit rate not judged before ${cacheReads} page reads`);
  const rate = `cache hit rate ${percent(hits / reads)}`;
  if (hits / reads >= cacheHitRate) return check('cache', true, rate);
  return check('cache', false, `${rate} is below ${percent(cacheHitRate)}: raise cacheSize`);
}

function wal({ files }: JudgedFigures, { walPart }: ResolvedHealthLimits): HealthCheck {
  const { walBytes, walMaxBytes } = files;
  const size = `log of ${mib(walBytes)} MiB, ${percent(walBytes / walMaxBytes)} of maxWalSizeMb`;
  if (walBytes <= walPart * walMaxBytes) return check('wal', true, size);
  return check(
    'wal',
    false,
    `${size}, more than ${percent(walPart)}: release old snapshots, checkpoint, or raise the limit`,
  );
}

function checkpoint({ pager }: JudgedFigures, { checkpointAgeMs }: ResolvedHealthLimits): HealthCheck {
  const waiting = pager.lsn - pager.checkpointLsn;
  if (waiting <= 0) return check('checkpoint', true, 'every commit is in the database file');
  const age = `${waiting} commits wait for a checkpoint, the first for ${seconds(pager.checkpointAgeMs)} s`;
  if (pager.checkpointAgeMs <= checkpointAgeMs) return check('checkpoint', true, age);
  return check(
    'checkpoint',
    false,
    `${age}, more than ${seconds(checkpointAgeMs)} s: checkpoint, and look for warnings`,
  );
}

function disk({ files }: JudgedFigures, { diskFreePart }: ResolvedHealthLimits): HealthCheck {
  const { diskFreeBytes, diskSizeBytes } = files;
  if (diskFreeBytes === null || diskSizeBytes === null || diskSizeBytes === 0)
    return check('disk', true, 'free space on the disk cannot be told');
  const free = `${percent(diskFreeBytes / diskSizeBytes)} of the disk is free`;
  if (diskFreeBytes / diskSizeBytes >= diskFreePart) return check('disk', true, free);
  return check('disk', false, `${free}, less than ${percent(diskFreePart)}: free space, or use a larger disk`);
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(0);
}
