// Goal: the files for operators are what Prometheus and Alertmanager accept, and each alert fires when it has to and is quiet when it
// has not. Method: Prometheus's own promtool and Alertmanager's amtool.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { has, run } from './support/tools.ts';

const OPERATORS = fileURLToPath(new URL('../operators', import.meta.url));
const rules = join(OPERATORS, 'rules');
const tests = readdirSync(join(rules, 'tests')).map((name) => join(rules, 'tests', name));
const alertsText = readFileSync(join(rules, 'alerts.yml'), 'utf8');
const alerts = [...alertsText.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);

/** The alerts that the production guide wants, by where they go. */
const WANTED = {
  critical: ['SombraCorruption', 'SombraPoisoned', 'SombraDiskSpaceLow', 'SombraErrorRate', 'SombraDown'],
  warning: [
    'SombraCacheHitRateLow',
    'SombraWalNearLimit',
    'SombraCommitLatencyHigh',
    'SombraTransactionTimeouts',
    'SombraHealthDegraded',
  ],
  info: ['SombraCheckpointCompleted', 'SombraWalRotated', 'SombraCacheSizeChanged'],
};

describe('alerts', () => {
  it.each(Object.entries(WANTED))('%s: all that are wanted, with their severity', (severity, names) => {
    for (const name of names) {
      const text = alertsText.split(`- alert: ${name}\n`)[1]?.split('- alert: ')[0] ?? '';
      expect(text, name).toContain(`severity: ${severity}`);
    }
  });

  it('are each tested where they fire and where they are quiet', () => {
    const text = tests.map((file) => readFileSync(file, 'utf8')).join('\n');
    const untested = alerts.filter(
      (name) =>
        !new RegExp(`alertname: ${name}\\n\\s+eval_time: .*\\n\\s+exp_alerts:\\n`).test(text) ||
        !new RegExp(`alertname: ${name}, eval_time: .*, exp_alerts: \\[\\]`).test(text),
    );
    expect(alerts.length).toBeGreaterThanOrEqual(13);
    expect(untested).toEqual([]);
  });
});

/** The page about setting it up. */
const page = readFileSync(new URL('../../../docs/observability/prometheus.md', import.meta.url), 'utf8');
const blocksOf = (kind: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text]) => text!);

it('the page lists the alerts as they are', () => {
  const rows = [...page.matchAll(/^\| `(\w+)`\s*\| (\w+)\s*\| .*? \| (\w+)\s*\|$/gm)].map((row) => row.slice(1));
  const written = alerts.map((name) => {
    const text = alertsText.split(`- alert: ${name}\n`)[1]!.split('- alert: ')[0]!;
    return [name, /severity: (\w+)/.exec(text)![1]!, /^ +for: (\w+)$/m.exec(text)?.[1] ?? '0m'];
  });
  expect(rows).toEqual(written);
});

describe.skipIf(!has('promtool'))('promtool', () => {
  it('accepts the configuration of the page, and its queries', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sombra-prometheus-page-'));
    try {
      const [config] = blocksOf('yaml');
      writeFileSync(join(folder, 'prometheus.yml'), config!);
      const checked = run('promtool', ['check', 'config', '--syntax-only', join(folder, 'prometheus.yml')]);
      expect(checked).toContain('SUCCESS');
      const queries = blocksOf('promql').flatMap((text) => text.trim().split('\n'));
      expect(queries.length).toBe(6);
      const recorded = queries.map((expr, index) => ({ record: `query_${index}`, expr }));
      writeFileSync(join(folder, 'queries.yml'), JSON.stringify({ groups: [{ name: 'page', rules: recorded }] }));
      expect(run('promtool', ['check', 'rules', join(folder, 'queries.yml')])).toContain('6 rules found');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('accepts the rules', () => {
    const output = run('promtool', ['check', 'rules', join(rules, 'recording.yml'), join(rules, 'alerts.yml')]);
    expect(output.match(/SUCCESS: \d+ rules found/g)).toEqual(['SUCCESS: 3 rules found', 'SUCCESS: 14 rules found']);
  });

  it.each(tests.map((file) => [file.slice(rules.length + 1), file]))('runs %s', (_, file) => {
    expect(run('promtool', ['test', 'rules', file])).toContain('SUCCESS');
  });
});

describe.skipIf(!has('amtool'))('amtool', () => {
  const config = join(OPERATORS, 'alertmanager.yml');

  it('accepts the routes', () => {
    expect(run('amtool', ['check-config', config])).toContain('SUCCESS');
  });

  it.each([
    ['critical', 'page'],
    ['warning', 'slack-and-mail'],
    ['info', 'dashboard-only'],
    ['of another kind', 'slack-and-mail'],
  ])('%s goes to %s', (severity, receiver) => {
    const output = run('amtool', ['config', 'routes', 'test', `--config.file=${config}`, `severity=${severity}`]);
    expect(output.trim()).toBe(receiver);
  });
});
