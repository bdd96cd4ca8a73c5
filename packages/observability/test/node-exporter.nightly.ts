// Goal: what textFileCollector writes is what node-exporter reads, together with the time at which it was written. Method: a real
// node-exporter over the folder, while a real database works.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { GraphDB } from '@sombra/db';
import { afterAll, describe, expect, it } from 'vitest';
import { mergedMetrics, metricsOf, processMetrics, textFileCollector } from '../src/index.ts';
import { freePort, Service } from './support/prometheus.ts';
import { samplesOf } from './support/metrics.ts';
import { has } from './support/tools.ts';

describe.skipIf(!has('prometheus-node-exporter'))('node-exporter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sombra-node-exporter-'));
  let service: Service | undefined;

  afterAll(async () => {
    await service?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows the metrics of the text file, and the next ones after the next interval', async () => {
    const db = GraphDB.open(join(folder, 'graph.db'));
    const url = `http://127.0.0.1:${await freePort()}/metrics`;
    service = new Service('prometheus-node-exporter', [
      '--collector.disable-defaults',
      '--web.disable-exporter-metrics',
      '--collector.textfile',
      `--collector.textfile.directory=${folder}`,
      `--web.listen-address=${new URL(url).host}`,
    ]);
    await service.ready(url);
    const stop = textFileCollector(mergedMetrics([metricsOf(db), processMetrics()]), join(folder, 'sombra.prom'), {
      intervalMs: 100,
    });
    for (let nodes = 1; nodes <= 3; nodes += 1) {
      db.addNode('Person', {});
      for (;;) {
        const samples = samplesOf(await (await fetch(url)).text());
        expect(samples.get('node_textfile_scrape_error')).toBe(0);
        if (samples.get('sombra_nodes{database="graph.db"}') === nodes) {
          expect(samples.get('sombra_up{database="graph.db"}')).toBe(1);
          expect(samples.get(`node_textfile_mtime_seconds{file="${join(folder, 'sombra.prom')}"}`)).toBeGreaterThan(0);
          break;
        }
        await pause(50);
      }
    }
    stop();
    db.close();
  });
});
