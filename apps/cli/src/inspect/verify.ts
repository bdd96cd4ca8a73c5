/** `verify`: checks everything, and says what is wrong. The same verb of `sombra` and of the two tools. */
import { verifyDatabase } from '@sombra/ops';
import type { DatabaseReport, VerifyDepth } from '@sombra/ops';
import { refuseOwnStreams } from '../files/refuse-streams.ts';
import { usageError } from '../errors/usage-error.ts';
import { parseCount } from '../shell/options.ts';
import { EXIT } from '../shell/shell.ts';
import type { Shell } from '../shell/shell.ts';
import { count } from '../shell/tables.ts';
import { PhaseProgress } from '../shell/phase-progress.ts';
import { findingLines } from './report.ts';
import type { Parts } from '../shell/program.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

interface Options extends VerbOptions {
  readonly fast?: boolean;
  readonly full?: boolean;
  readonly checksumOnly?: boolean;
  readonly maxErrors: number;
}

/** Adds the verb. */
export function addVerify({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('verify'))
    .description(
      'check header, log, every page, record, edge and index; changes nothing; exit code 2 when something is wrong',
    )
    .option('--full', 'check everything (default)')
    .option('--fast', 'check header, log, and checksums and structure of pages only')
    .option('--checksum-only', 'check header, log and the checksums of pages only')
    .option('--max-errors <count>', 'findings to print; 0 for all', parseCount, 16)
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      refuseOwnStreams(path);
      const depth = depthOf(options);
      const progress = new PhaseProgress(out);
      let report: DatabaseReport;
      try {
        report = await verifyDatabase(path, {
          depth,
          maxErrors: options.maxErrors,
          busyTimeoutMs: options.busyTimeout,
          signal: out.signals.first,
          onProgress: ({ phase }) => progress.at(`checking ${phase}`),
        });
      } finally {
        progress.stop();
      }
      await out.signals.turn();
      out.result({ clean: report.isClean, ...report }, () => textOf(out, report));
      if (!report.isClean) exit(EXIT.damaged);
    });
}

/** @throws DataError SOMBRA_USAGE for two of them */
function depthOf({ fast, full, checksumOnly }: Options): VerifyDepth {
  const given = [fast, full, checksumOnly].filter((one) => one === true).length;
  if (given > 1) throw usageError('--fast, --full and --checksum-only exclude each other: give one of them');
  if (fast === true) return 'fast';
  return checksumOnly === true ? 'checksums' : 'full';
}

const FUZZY =
  'this is a fuzzy copy: it has pages that are newer than its superblock, and no log. It was copied while it was being written, or its log was removed; copy it with sombra-repair checkpoint DB --hold -- cp DB COPY';

function textOf(out: Shell, report: DatabaseReport): string {
  const { path, isClean, findings, findingCount, warnings, commit, fuzzyCopy } = report;
  const what = `${count(report.checkedPages)} pages, ${count(report.checkedNodes)} nodes, ${count(report.checkedEdges)} edges checked`;
  const of = commit === null ? '' : `, commit ${count(commit)}`;
  const lines = [
    isClean ? `${path} is clean: ${what}${of}` : `${path} is damaged: ${count(findingCount)} found, ${what}${of}`,
  ];
  if (!isClean) lines.push(kindsOf(report));
  lines.push(...findingLines(out, findings, warnings));
  if (findingCount > findings.length)
    lines.push(`… ${count(findingCount - findings.length)} more; --max-errors 0 shows all`);
  if (fuzzyCopy) lines.push('', FUZZY);
  if (!isClean) lines.push('', `restore a backup; without one: sombra repair salvage ${path} NEW.db`);
  return lines.join('\n');
}

function kindsOf(report: DatabaseReport): string {
  const kinds: readonly (readonly [name: string, count: number])[] = [
    ['header', report.headerErrors],
    ['log', report.logErrors],
    ['checksum failures', report.checksumFailures],
    ['structure', report.structureErrors],
    ['records', report.recordErrors],
    ['adjacency', report.adjacencyErrors],
    ['indexes', report.indexErrors],
  ];
  return kinds
    .filter(([, number]) => number > 0)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(', ');
}
