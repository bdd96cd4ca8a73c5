// Goal: metrics of what lies below the graph, each moved by the thing that it counts. Method: a real pager and a real append log on a
// file system in memory, on a clock that moves with every look or when it is told to; scrapes before and after.
import { Pager } from '@sombra/pager';
import type { PagerOptions } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';
import { FaultyVfs, SimEnv, slowVfs } from '@sombra/vfs/testing';
import { AppendLog } from '@sombra/wal';
import { describe, expect, it } from 'vitest';
import { logMetricsOf, metricsOf } from '../src/index.ts';
import type { ObservedLog, ObservedPager } from '../src/index.ts';
import { familiesOf, scrape } from './support/metrics.ts';

const KIND = 16;
const VALUE = 24;

function open(options: Partial<PagerOptions> = {}): Pager {
  return Pager.open({ vfs: new MemoryVfs(), path: 'pages.db', cacheSize: 64, maxWalSizeMb: 1, ...options });
}

/** A new page in a transaction of its own. */
function addPage(pager: Pager, value = 1): number {
  const tx = pager.begin();
  const page = tx.allocate(KIND, 0);
  tx.setU32(tx.edit(page), VALUE, value);
  tx.commit();
  return page;
}

/** A commit that takes more than half a page of the log. */
function fillPage(pager: Pager): void {
  const tx = pager.begin();
  const page = tx.allocate(KIND, 0);
  const frame = tx.edit(page);
  for (let at = VALUE; at < 8000; at += 4) tx.setU32(frame, at, at * 2_654_435_761);
  tx.commit();
}

describe('a plain pager', () => {
  it('has the shape that metricsOf wants', () => {
    const pager: ObservedPager = open();
    expect(pager.stats().commits).toBe(0);
    (pager as Pager).close();
  });

  it('counts transactions, and how long commits and syncs take', async () => {
    const pager = open({ vfs: slowVfs() });
    const metrics = metricsOf(pager);
    expect(metrics.database).toBe('pages.db');
    const before = await scrape(metrics, 'pages.db');
    expect(before('sombra_transactions_committed_total')).toBe(0);
    expect(before('sombra_corruption_errors_total')).toBe(0);
    addPage(pager);
    pager.begin().rollback();
    const after = await scrape(metrics, 'pages.db');
    expect(after('sombra_transactions_begun_total')).toBe(2);
    expect(after('sombra_transactions_committed_total')).toBe(1);
    expect(after('sombra_transactions_rolled_back_total')).toBe(1);
    expect(after('sombra_lsn')).toBe(before('sombra_lsn') + 1);
    expect(after('sombra_commit_latency_seconds_count')).toBe(1);
    expect(after('sombra_commit_latency_seconds_sum')).toBeGreaterThan(0.01);
    expect(after('sombra_commit_latency_seconds_bucket', 'le="0.005"')).toBe(0);
    expect(after('sombra_commit_latency_seconds_bucket', 'le="+Inf"')).toBe(1);
    expect(after('sombra_sync_duration_seconds_count')).toBe(after('sombra_wal_syncs_total'));
    expect(after('sombra_wal_syncs_total')).toBeGreaterThan(before('sombra_wal_syncs_total'));
    expect(after('sombra_wal_bytes_written_total')).toBeGreaterThan(before('sombra_wal_bytes_written_total'));
    pager.close();
  });

  it('counts what the cache does', async () => {
    const vfs = new MemoryVfs();
    const first = open({ vfs });
    const pages = Array.from({ length: 200 }, (_, index) => addPage(first, index));
    first.close();
    const pager = open({ vfs });
    const metrics = metricsOf(pager);
    const before = await scrape(metrics, 'pages.db');
    for (const page of [...pages, pages.at(-1)!]) pager.view.page(page);
    const after = await scrape(metrics, 'pages.db');
    const moved = (name: string, labels?: string): number => after(name, labels) - before(name, labels);
    expect(moved('sombra_cache_misses_total')).toBe(200);
    expect(moved('sombra_cache_hits_total')).toBe(1);
    expect(moved('sombra_page_reads_total', 'source="main"')).toBe(200);
    expect(moved('sombra_page_evictions_total')).toBeGreaterThan(100);
    expect(after('sombra_cache_pages')).toBeLessThanOrEqual(64);
    expect(after('sombra_cache_size_pages')).toBe(64);
    expect(after('sombra_page_size_bytes')).toBe(8192);
    pager.setCacheSize(128);
    await new Promise(setImmediate); // the size changes at the end of the turn
    expect((await scrape(metrics, 'pages.db'))('sombra_cache_size_pages')).toBe(128);
    pager.close();
  });

  it('counts snapshots and the versions that they keep, and how old the oldest one is', async () => {
    const env = new SimEnv({ seed: 1 });
    const pager = open({ vfs: new MemoryVfs({ env }) });
    const metrics = metricsOf(pager, { database: 'one', env });
    const page = addPage(pager);
    const without = await scrape(metrics, 'one');
    expect([without('sombra_readers'), without('sombra_page_versions')]).toEqual([0, 0]);
    expect(without('sombra_oldest_snapshot_age_seconds')).toBe(0);
    const snapshot = pager.snapshot();
    env.advance(1500);
    const tx = pager.begin();
    tx.setU32(tx.edit(page), VALUE, 2);
    tx.commit();
    const withOne = await scrape(metrics, 'one');
    expect(withOne('sombra_readers')).toBe(1);
    expect(withOne('sombra_page_versions')).toBeGreaterThan(0);
    expect(withOne('sombra_oldest_snapshot_age_seconds')).toBe(1.5);
    expect(withOne('sombra_last_checkpoint_age_seconds')).toBe(1.5);
    snapshot.release();
    pager.close();
  });

  it('counts checkpoints, rotations of the log, and the pages that were written', async () => {
    const pager = open({ vfs: slowVfs(), checkpointAfterBytes: 2 ** 30 });
    const metrics = metricsOf(pager);
    for (let i = 0; i < 40; i += 1) fillPage(pager);
    const before = await scrape(metrics, 'pages.db');
    expect(before('sombra_cache_dirty_pages')).toBe(0);
    const tx = pager.begin();
    tx.allocate(KIND, 0);
    expect((await scrape(metrics, 'pages.db'))('sombra_cache_dirty_pages')).toBeGreaterThan(0);
    tx.rollback();
    expect(before('sombra_wal_rotations_total')).toBeGreaterThan(0);
    pager.checkpoint();
    const after = await scrape(metrics, 'pages.db');
    expect(after('sombra_checkpoints_total')).toBe(before('sombra_checkpoints_total') + 1);
    expect(after('sombra_checkpoint_duration_seconds_count')).toBe(after('sombra_checkpoints_total'));
    expect(after('sombra_pages_written_total')).toBeGreaterThanOrEqual(40);
    expect(after('sombra_wal_max_size_bytes')).toBe(2 ** 20);
    pager.close();
  });

  it('counts checkpoints in the background that fail', async () => {
    let warning: (code: string) => void = () => undefined;
    const vfs = new FaultyVfs(new MemoryVfs());
    const warned = new Promise((resolve) => {
      warning = resolve;
    });
    const pager = open({ vfs, checkpointAfterCommits: 3, hooks: { warning: ({ code }) => warning(code) } });
    const metrics = metricsOf(pager);
    vfs.add({ op: 'pwrite', file: /pages\.db-dw$/, action: 'ENOSPC' });
    for (let i = 0; i < 3; i += 1) addPage(pager);
    expect(await warned).toBe('SOMBRA_CHECKPOINT_FAILED');
    expect((await scrape(metrics, 'pages.db'))('sombra_checkpoint_failures_total')).toBe(1);
    vfs.heal();
    pager.close();
  });

  it('shows poison after a failed sync', async () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const pager = open({ vfs });
    const metrics = metricsOf(pager);
    expect((await scrape(metrics, 'pages.db'))('sombra_poisoned')).toBe(0);
    vfs.add({ op: 'sync', action: 'EIO' });
    expect(() => addPage(pager)).toThrow();
    expect(() => pager.begin()).toThrow();
    const after = await scrape(metrics, 'pages.db');
    expect(after('sombra_poisoned')).toBe(1);
    expect(after('sombra_transactions_refused_total')).toBe(1);
    pager.close();
  });

  it('shows only that it is down once it is closed', async () => {
    const pager = open();
    const metrics = metricsOf(pager);
    pager.close();
    const values = (await metrics.json()).flatMap(({ name, values: own }) => own.map(({ value }) => [name, value]));
    expect(values).toEqual([['sombra_up', 0]]);
  });
});

describe('a plain append log', () => {
  it('tells its positions, files, bytes and syncs', async () => {
    const log = AppendLog.open({ vfs: slowVfs(), path: 'events.log' });
    const seen: ObservedLog = log;
    const metrics = logMetricsOf(seen, { database: 'events' });
    const before = await scrape(metrics, 'events');
    expect(before('sombra_log_last_position')).toBe(0);
    for (let i = 0; i < 3; i += 1) log.append(new Uint8Array(100));
    const after = await scrape(metrics, 'events');
    expect(after('sombra_log_first_position')).toBe(1);
    expect(after('sombra_log_last_position')).toBe(3);
    expect(after('sombra_log_durable_position')).toBe(3);
    expect(after('sombra_log_segments')).toBe(1);
    expect(after('sombra_log_size_bytes') - before('sombra_log_size_bytes')).toBeGreaterThanOrEqual(300);
    expect(after('sombra_log_syncs_total') - before('sombra_log_syncs_total')).toBe(3);
    expect(after('sombra_log_sync_duration_seconds_count')).toBe(after('sombra_log_syncs_total'));
    log.close();
    expect((await scrape(metrics, 'events'))('sombra_up')).toBe(0);
  });

  it('tells what was ignored when it was opened', async () => {
    const vfs = new MemoryVfs();
    const first = AppendLog.open({ vfs, path: 'events.log', syncMode: 'normal' });
    first.append(new Uint8Array(100));
    first.append(new Uint8Array(100));
    first.close();
    const file = vfs.open('events.log-wal', { write: true });
    file.truncate(file.stat().size - 10);
    file.close();
    const log = AppendLog.open({ vfs, path: 'events.log', syncMode: 'normal' });
    const figures = await scrape(logMetricsOf(log, { database: 'events' }), 'events');
    expect(figures('sombra_log_dropped_bytes')).toBeGreaterThan(0);
    expect(figures('sombra_log_last_position')).toBe(1);
    log.close();
  });

  it('has no series of databases', async () => {
    const log = AppendLog.open({ vfs: new MemoryVfs(), path: 'events.log' });
    const names = [...familiesOf(await logMetricsOf(log, { database: 'events' }).text()).keys()];
    expect(names.filter((name) => !name.startsWith('sombra_log_'))).toEqual(['sombra_up', 'sombra_build_info']);
    log.close();
  });
});
