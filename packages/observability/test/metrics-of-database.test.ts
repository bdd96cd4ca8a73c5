// Goal: metrics of a database, each moved by the thing that it counts, which is made to happen for real. Method: databases on a file
// system in memory or in a temporary folder; scrapes before and after. What a pager counts is tested in metrics-of-storage.test.ts.
import { mkdtempSync, openSync, closeSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { MemoryVfs, NodeVfs } from '@sombra/vfs';
import { FaultyVfs, SimEnv, slowVfs } from '@sombra/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { metricsOf, toPrometheusFormat } from '../src/index.ts';
import type { MeasuredDatabase } from '../src/index.ts';
import { openDatabase } from './support/database.ts';
import { familiesOf, samplesOf, scrape } from './support/metrics.ts';
import { has, run } from './support/tools.ts';

const NAME = 'graph.db';

describe('a database', () => {
  it('has the shape that metricsOf wants, and every series from the start', async () => {
    const db = openDatabase();
    const seen: MeasuredDatabase = db;
    const metrics = metricsOf(seen);
    const text = await metrics.text();
    const empty = [...familiesOf(text).keys()].filter(
      (name) => !text.includes(`\n${name}{`) && !text.includes(`\n${name}_sum{`),
    );
    // A file system in memory has no disk.
    expect(empty).toEqual(['sombra_disk_free_bytes', 'sombra_disk_size_bytes']);
    const counters = [...familiesOf(text)].filter(([, type]) => type === 'counter').map(([name]) => name);
    expect(counters.length).toBeGreaterThan(15);
    expect((await scrape(metrics, NAME))('sombra_corruption_errors_total')).toBe(0);
    expect((await scrape(metrics, NAME))('sombra_health_status')).toBe(0);
    db.close();
  });

  it.skipIf(!has('promtool'))('exports what promtool accepts, without a remark', async () => {
    const db = openDatabase();
    db.addNode('Person', { name: 'Ada' });
    db.getNode(1);
    const metrics = metricsOf(db, { backup: () => ({ ageSeconds: 1, archiveLagBytes: 2 }) });
    expect(run('promtool', ['check', 'metrics'], await metrics.text())).toBe('');
    expect(run('promtool', ['check', 'metrics'], toPrometheusFormat(db.metrics()))).toBe('');
    db.close();
  });

  it('names its version and that of Node', async () => {
    const db = openDatabase();
    const info = [...samplesOf(await metricsOf(db).text()).keys()].find((name) => name.startsWith('sombra_build_info'));
    expect(info).toMatch(/^sombra_build_info\{database="graph.db",version="\d+\.\d+\.\d+",node="\d+\.\d+\.\d+"\}$/);
    db.close();
  });

  it('counts transactions by how they end', async () => {
    const db = openDatabase();
    const metrics = metricsOf(db);
    db.addNode('Person', { name: 'Ada' });
    db.transaction((tx) => tx.nodeCount());
    db.beginTransaction().rollback();
    const after = await scrape(metrics, NAME);
    expect(after('sombra_transactions_begun_total')).toBe(3);
    expect(after('sombra_transactions_committed_total')).toBe(2);
    expect(after('sombra_transactions_rolled_back_total')).toBe(1);
    expect(after('sombra_commit_latency_seconds_count')).toBe(db.stats().latencies.commit.count);
    expect(after('sombra_nodes')).toBe(1);
    expect(after('sombra_edges')).toBe(0);
    db.close();
  });

  it('counts transactions whose time is over', async () => {
    const env = new SimEnv({ seed: 1 });
    const db = openDatabase({ vfs: new MemoryVfs({ env }), transactionTimeoutMs: 50, onWarning: () => undefined });
    const metrics = metricsOf(db);
    expect((await scrape(metrics, NAME))('sombra_transaction_timeouts_total')).toBe(0);
    const tx = db.beginTransaction();
    tx.addNode('Person', {});
    env.advance(51);
    expect(() => tx.commit()).toThrow();
    const after = await scrape(metrics, NAME);
    expect(after('sombra_transaction_timeouts_total')).toBe(1);
    expect(after('sombra_transactions_rolled_back_total')).toBe(1);
    db.close();
  });

  it('counts transactions that cannot begin', async () => {
    const vfs = new MemoryVfs();
    const holder = openDatabase({ vfs });
    const db = openDatabase({ vfs, busyTimeoutMs: 0 });
    const metrics = metricsOf(db);
    const tx = holder.beginTransaction();
    expect(() => db.addNode('Person', {})).toThrow(expect.objectContaining({ code: 'SOMBRA_BUSY' }));
    tx.rollback();
    const after = await scrape(metrics, NAME);
    expect(after('sombra_transactions_refused_total')).toBe(1);
    expect(after('sombra_transactions_begun_total')).toBe(0);
    db.close();
    holder.close();
  });

  it('counts transactions that wait', async () => {
    const db = openDatabase();
    const metrics = metricsOf(db);
    const all = [1, 2, 3].map(() => db.transactionAsync((tx) => tx.addNode('Person', {})));
    const during = await scrape(metrics, NAME);
    expect(during('sombra_waiting_transactions')).toBeGreaterThan(0);
    await Promise.all(all);
    expect((await scrape(metrics, NAME))('sombra_waiting_transactions')).toBe(0);
    db.close();
  });

  it('counts slow operations and bulk loads, and how long reads take', async () => {
    const db = openDatabase({ vfs: slowVfs(), slowOperationMs: 1 });
    const metrics = metricsOf(db);
    db.bulkLoad({ nodes: [{ labels: 'Person', properties: {} }], edges: [] });
    const loaded = await scrape(metrics, NAME);
    expect(loaded('sombra_bulk_loads_total')).toBe(1);
    expect(loaded('sombra_nodes')).toBe(1);
    const before = loaded('sombra_slow_operations_total');
    db.bfs(1);
    for (let i = 0; i < 256; i += 1) db.getNode(1);
    const after = await scrape(metrics, NAME);
    expect(after('sombra_slow_operations_total')).toBe(before + 1);
    expect(after('sombra_read_latency_seconds_count')).toBe(2);
    expect(after('sombra_read_latency_seconds_sum')).toBeGreaterThan(0.01);
    db.close();
  });

  it('has its backups, where somebody tells about them', async () => {
    const db = openDatabase();
    let ageSeconds: number | null = 90;
    const metrics = metricsOf(db, { backup: () => ({ ageSeconds, archiveLagBytes: 4096 }) });
    expect((await scrape(metrics, NAME))('sombra_backup_age_seconds')).toBe(90);
    expect((await scrape(metrics, NAME))('sombra_archive_lag_bytes')).toBe(4096);
    ageSeconds = null; // there is none yet
    expect(await metrics.text()).not.toContain('sombra_backup_age_seconds{');
    expect(await metricsOf(db).text()).not.toContain('sombra_backup_age_seconds');
    db.close();
  });

  it('is unhealthy after a failed sync', async () => {
    const vfs = new FaultyVfs(new MemoryVfs());
    const db = openDatabase({ vfs });
    const metrics = metricsOf(db);
    vfs.add({ op: 'sync', action: 'EIO' });
    expect(() => db.addNode('Person', {})).toThrow();
    const after = await scrape(metrics, NAME);
    expect(after('sombra_poisoned')).toBe(1);
    expect(after('sombra_health_status')).toBe(2);
    vfs.heal();
    db.close();
  });

  it('is degraded when its log is near the limit', async () => {
    const db = openDatabase({ health: { walPart: 0 } });
    const metrics = metricsOf(db);
    db.addNode('Person', {});
    const after = await scrape(metrics, NAME);
    expect(after('sombra_health_status')).toBe(1);
    expect(after('sombra_wal_size_bytes')).toBeGreaterThan(0);
    db.close();
  });

  it('shows only that it is down once it is closed, and tells nobody of a failure', async () => {
    const env = new SimEnv({ seed: 1 });
    const db = openDatabase();
    const metrics = metricsOf(db, { env });
    db.close();
    expect([...samplesOf(await metrics.text())]).toEqual([['sombra_up{database="graph.db"}', 0]]);
    expect(env.warnings).toEqual([]);
  });

  it('gives its counters as text at once', () => {
    const db = openDatabase();
    db.addNode('Person', {});
    const plain = samplesOf(toPrometheusFormat(db.metrics()));
    expect(plain.get('sombra_transactions_committed_total')).toBe(1);
    expect(plain.get('sombra_corruption_errors_total')).toBe(0);
    const { transactionsCommitted, walBytesWritten } = db.metrics();
    const labelled = samplesOf(toPrometheusFormat(db.metrics(), { database: 'a"b' }));
    expect(labelled.get('sombra_transactions_committed_total{database="a\\"b"}')).toBe(transactionsCommitted);
    expect(labelled.get('sombra_wal_bytes_written_total{database="a\\"b"}')).toBe(walBytesWritten);
    expect(labelled.size).toBe(plain.size);
    db.close();
  });
});

describe('a database on a disk', () => {
  let folder = '';
  let path = '';

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sombra-metrics-'));
    path = join(folder, NAME);
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('knows its sizes and its disk', async () => {
    const db = GraphDB.open(path);
    const metrics = metricsOf(db);
    const before = await scrape(metrics, NAME);
    db.transaction((tx) => {
      for (let i = 0; i < 2000; i += 1) tx.addNode('Person', { name: `person ${i}` });
    });
    expect((await scrape(metrics, NAME))('sombra_wal_size_bytes')).toBeGreaterThan(before('sombra_wal_size_bytes'));
    db.checkpoint();
    const after = await scrape(metrics, NAME);
    expect(after('sombra_database_size_bytes')).toBe(statSync(path).size);
    expect(after('sombra_database_size_bytes')).toBeGreaterThan(before('sombra_database_size_bytes'));
    const space = new NodeVfs().diskSpace(folder)!;
    expect(after('sombra_disk_size_bytes')).toBe(space.size);
    expect(after('sombra_disk_free_bytes')).toBeGreaterThan(0);
    expect(after('sombra_disk_free_bytes')).toBeLessThanOrEqual(space.size);
    db.close();
  });

  it('counts damage: a flipped bit in a page', async () => {
    const first = GraphDB.open(path);
    first.transaction((tx) => {
      for (let i = 0; i < 5000; i += 1) tx.addNode('Person', { name: `person ${i}` });
    });
    first.close();
    flipHalfOfThePages(path);
    const db = GraphDB.open(path);
    const metrics = metricsOf(db);
    expect((await scrape(metrics, NAME))('sombra_corruption_errors_total')).toBe(0);
    expect(() => {
      for (let id = 5000; id >= 1; id -= 1) db.getNode(id);
    }).toThrow(expect.objectContaining({ code: 'SOMBRA_PAGE_CHECKSUM' }));
    const after = await scrape(metrics, NAME);
    expect(after('sombra_corruption_errors_total')).toBe(1);
    expect(after('sombra_health_status')).toBe(2);
    db.close();
  });

  it('counts itself only: another database is not concerned', async () => {
    const [a, b] = [GraphDB.open(path), GraphDB.open(join(folder, 'other.db'))];
    a.addNode('Person', {});
    expect((await scrape(metricsOf(b), 'other.db'))('sombra_transactions_begun_total')).toBe(0);
    a.close();
    b.close();
  });
});

/** Flips a bit in the middle of the later pages; the first ones are read when it is opened. */
function flipHalfOfThePages(path: string): void {
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  const pages = statSync(path).size / 8192;
  for (let page = pages >> 1; page < pages; page += 1) {
    const at = page * 8192 + 4000;
    readSync(file, byte, 0, 1, at);
    byte[0]! ^= 1;
    writeSync(file, byte, 0, 1, at);
  }
  closeSync(file);
}
