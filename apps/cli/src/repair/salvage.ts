/** `salvage`: reads what can be read of a damaged database into a new one, and says what is lost. */
import { salvageDatabase } from '@sombra/ops';
import type { SalvageReport } from '@sombra/ops';
import { refuseOwnStreams } from '../files/refuse-streams.ts';
import { addJson, parseCount } from '../shell/options.ts';
import { PhaseProgress } from '../shell/phase-progress.ts';
import type { Parts } from '../shell/program.ts';
import { EXIT } from '../shell/shell.ts';
import { count, plural } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

interface Options {
  readonly json?: boolean;
  readonly dryRun?: boolean;
  readonly unproven?: boolean;
  readonly busyTimeout: number;
  readonly maxErrors: number;
}

/** Milliseconds that it waits for another process. */
const BUSY_TIMEOUT_MS = 5000;

/** Adds the verb. Exit code 2 when anything is lost. */
export function addSalvage({ program, shell, exit }: Parts): void {
  addJson(program.command('salvage'))
    .description('read what can be read of a damaged database into a new one; exit code 2 when anything is lost')
    .argument('<db>', 'path of the damaged database, which is only read')
    .argument('<target>', 'path of the new database')
    .option('--dry-run', 'only report what would be lost')
    .option('--unproven', 'also take pages that may hold deleted records, when the freelist is damaged')
    .option('--max-errors <count>', 'lost records to print; 0 for all', parseCount, 16)
    .option('--busy-timeout <ms>', 'milliseconds to wait for another process', parseCount, BUSY_TIMEOUT_MS)
    .action(async (path: string, target: string, options: Options) => {
      const out = shell(options.json);
      refuseOwnStreams(path);
      const progress = new PhaseProgress(out);
      let report: SalvageReport;
      try {
        report = await salvageDatabase(path, target, {
          dryRun: options.dryRun ?? false,
          unproven: options.unproven ?? false,
          busyTimeoutMs: options.busyTimeout,
          signal: out.signals.first,
          onProgress: ({ phase, rows }) => progress.at(rows === 0 ? phase : `${phase} ${count(rows)}`),
        });
      } finally {
        progress.stop();
      }
      out.result(report, () => textOf(report, options.maxErrors || Infinity));
      if (!report.isComplete) exit(EXIT.damaged);
    });
}

function textOf(report: SalvageReport, most: number): string {
  const { nodes, edges, target, dryRun, commit, isComplete, unprovenLeaves } = report;
  const what = `${plural(nodes.found, 'node')} and ${plural(edges.found, 'edge')} of commit ${count(commit)}`;
  const lines = [dryRun ? `${target} would hold ${what}` : `${target} holds ${what}`];
  if (isComplete) return [...lines, 'nothing is lost'].join('\n');
  for (const [kind, { counted, found, records, ranges }] of [
    ['nodes', nodes],
    ['edges', edges],
  ] as const) {
    if (counted !== null && counted > found)
      lines.push(`${kind}: ${count(counted - found)} of ${count(counted)} are lost`);
    for (const { id, why } of records.slice(0, most)) lines.push(`  lost ${kind.slice(0, -1)} ${id}: ${oneLine(why)}`);
    if (records.length > most) lines.push(`  … ${count(records.length - most)} more; --max-errors 0 shows all`);
    for (const { from, to } of ranges.slice(0, most))
      lines.push(`  ${kind} ${from} to ${to}: lost, as far as there were any`);
    if (ranges.length > most) lines.push(`  … ${count(ranges.length - most)} more ranges; --max-errors 0 shows all`);
  }
  for (const { placeholder } of report.names)
    lines.push(`  a name is lost: ${oneLine(placeholder)} stands in its place`);
  for (const { name, keys, outcome, why } of report.indexes)
    if (outcome === 'dropped')
      lines.push(`  index on ${oneLine(name)} (${oneLine(keys.join(', '))}) is dropped: ${oneLine(why ?? '')}`);
  if (report.lostIndexes > 0 || report.dictionaryDamaged)
    lines.push('  definitions of property indexes may be lost: see sombra index list');
  if (unprovenLeaves > 0)
    lines.push(
      `  ${plural(unprovenLeaves, 'page')} cannot be proved to be in use, as the freelist is damaged; --unproven takes them, and may bring deleted records back`,
    );
  for (const { code, message } of report.damage) lines.push(`damage ${code}: ${oneLine(message)}`);
  return lines.join('\n');
}
