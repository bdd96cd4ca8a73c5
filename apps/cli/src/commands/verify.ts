import { addJson, parseCount } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { readDatabase } from '../database/open-database.ts';
import { EXIT } from '../shell/shell.ts';
import { count } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

interface Options {
  readonly json?: boolean;
  readonly checksumOnly?: boolean;
  readonly maxErrors: number;
}

/** `sombra verify`: checks everything. Exit code 2 when something is wrong. */
export function addVerify({ program, shell, exit }: Parts): void {
  addJson(program.command('verify'))
    .description('check every page, record, edge and index; exit code 2 when something is wrong')
    .argument('<db>', 'path of the database')
    .option('--checksum-only', 'check the checksums of pages only')
    .option('--max-errors <count>', 'findings to print; 0 for all', parseCount, 16)
    .action(async (path: string, { json, checksumOnly, maxErrors }: Options) => {
      const out = shell(json);
      const { isClean, ...report } = await readDatabase(path, out, (db) =>
        db.verifyIntegrityAsync({ checksumOnly: checksumOnly ?? false, maxErrors, signal: out.signals.first }),
      );
      out.result({ path, clean: isClean, ...report }, () => {
        const checked = `${count(report.checkedPages)} pages, ${count(report.checkedNodes)} nodes, ${count(report.checkedEdges)} edges checked`;
        if (isClean) return `${path} is clean: ${checked}`;
        return [
          `${path} is damaged: ${checked}`,
          `checksum failures ${count(report.checksumFailures)}, structure errors ${count(report.structureErrors)}, record errors ${count(report.recordErrors)}, ` +
            `adjacency errors ${count(report.adjacencyErrors)}, index errors ${count(report.indexErrors)}`,
          ...report.errors.map((error) => `  ${oneLine(error)}`),
          'restore a backup',
        ].join('\n');
      });
      if (!isClean) exit(EXIT.damaged);
    });
}
