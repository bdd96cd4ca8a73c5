/** `page`: one page in words. */
import { inspectPage } from '@sombra/ops';
import type { PageReport } from '@sombra/ops';
import { refuseOwnStreams } from '../files/refuse-streams.ts';
import { parseCount } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { EXIT } from '../shell/shell.ts';
import { count } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';
import { addVerbOptions } from './verb-options.ts';
import type { VerbOptions } from './verb-options.ts';

interface Options extends VerbOptions {
  readonly maxEntries: number;
}

/** Adds the verb. */
export function addPage({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('page'))
    .description(
      'one page in words: what it is, what refers to it, header, checksum, entries; exit code 2 when it is damaged',
    )
    .argument('<number>', 'number of the page, as verify names it', parseCount)
    .option('--max-entries <count>', 'entries to print; 0 for all', parseCount, 16)
    .action((path: string, page: number, { json, busyTimeout, maxEntries }: Options) => {
      refuseOwnStreams(path);
      const report = inspectPage(path, page, { busyTimeoutMs: busyTimeout, maxEntries });
      shell(json).result(report, () => textOf(report));
      if (report.state === 'damaged' || report.state === 'cut') exit(EXIT.damaged);
    });
}

function textOf(report: PageReport): string {
  const { page, state, what, offset, checksum, header, referredBy, problem, entryCount, entries, path } = report;
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const lines = [
    `page ${page} of ${path}, at byte ${count(offset)}: ${state}; ${state === 'damaged' ? 'it says that it is ' : ''}${oneLine(what)}`,
    `checksum: ${hex(checksum.expected)} is stored, ${hex(checksum.actual)} is what its bytes have`,
    `header: page ${header.number}, commit ${header.commit}, kind ${header.kind}, level ${header.level}, tree ${header.treeId}`,
    referredBy.length === 0
      ? 'nothing was found that refers to it'
      : `referred to by ${oneLine(referredBy.join('; '))}`,
  ];
  if (problem !== null) lines.push(`${problem.code}: ${oneLine(problem.message)}`);
  if (entryCount !== null) lines.push(`${count(entryCount)} entries`, ...entries.map((entry) => `  ${oneLine(entry)}`));
  if (entryCount !== null && entryCount > entries.length)
    lines.push(`  … ${count(entryCount - entries.length)} more; --max-entries 0 shows all`);
  return lines.join('\n');
}
