// Goal: docs/reference/metrics.md, the code and what operators are given speak of the same series. Method: the tables of the page are
// parsed and compared with the tables of the code, both ways; each name in the rules, their tests and the dashboard is looked up.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BUILD_INFO } from '../src/metrics/build-info.ts';
import { BACKUP_SERIES, DATABASE_SERIES, PAGER_SERIES } from '../src/metrics/database-series.ts';
import { LOG_SERIES } from '../src/metrics/log-series.ts';
import type { Series } from '../src/metrics/series.ts';

const OPERATORS = fileURLToPath(new URL('../operators', import.meta.url));
const page = readFileSync(new URL('../../../docs/reference/metrics.md', import.meta.url), 'utf8');

/** Rows of the tables of a section, as cells without backquotes. */
function rowsOf(section: string): string[][] {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const lines = text.split('\n').filter((line) => line.startsWith('| `'));
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const pagerNames = new Set(PAGER_SERIES.map(({ name }) => name));
const row = ({ name, type, labels, help }: Omit<Series<never>, 'read'>, of: string): string[] => [
  name,
  type,
  labels.join(', '),
  of,
  help,
];

describe('the reference of metrics', () => {
  it('has what every source has', () => {
    const up = {
      name: 'sombra_up',
      type: 'gauge' as const,
      labels: [],
      help: '1 while the figures of the database can be read, 0 when it is closed or reading them fails.',
    };
    expect(rowsOf('Of every source')).toEqual([row(up, 'all'), row(BUILD_INFO, 'all')]);
  });

  it('has the series of databases and pagers', () => {
    const written = [
      ...DATABASE_SERIES.map((series) => row(series, pagerNames.has(series.name) ? 'database, pager' : 'database')),
      ...BACKUP_SERIES.map((series) => row(series, 'backup')),
    ];
    expect(rowsOf('Of databases and pagers')).toEqual(written);
  });

  it('has the series of append logs', () => {
    expect(rowsOf('Of append logs')).toEqual(LOG_SERIES.map((series) => row(series, 'log')));
  });

  it('has the recorded names', () => {
    const rules = readFileSync(join(OPERATORS, 'rules', 'recording.yml'), 'utf8');
    const recorded = [...rules.matchAll(/- record: (\w+)/g)].map(([, name]) => name);
    expect(rowsOf('Recorded').map(([name]) => name)).toEqual(recorded);
  });
});

it('what the rules and the dashboard read exists', () => {
  const files = ['rules/recording.yml', 'rules/alerts.yml', 'grafana/sombra.json'];
  const tests = readdirSync(join(OPERATORS, 'rules', 'tests')).map((name) => `rules/tests/${name}`);
  const known = new Set(
    ['Of every source', 'Of databases and pagers', 'Recorded'].flatMap(rowsOf).map(([name]) => name),
  );
  known.add('sombra_requests_total');
  for (const file of [...files, ...tests]) {
    const text = readFileSync(join(OPERATORS, file), 'utf8');
    const names = [...text.matchAll(/\bsombra_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''));
    expect(names.length, file).toBeGreaterThan(2);
    expect(
      names.filter((name) => !known.has(name)),
      file,
    ).toEqual([]);
  }
});

it('names follow the customs of Prometheus', () => {
  for (const { name, type, labels } of [...DATABASE_SERIES, ...BACKUP_SERIES, ...LOG_SERIES]) {
    expect(name).toMatch(/^sombra_[a-z_]+[a-z]$/);
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(labels, name).not.toContain('database');
  }
});
