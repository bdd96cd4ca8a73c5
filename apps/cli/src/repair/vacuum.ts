/** `vacuum`: compacts a database, in place or into a new file. */
import { statSync } from 'node:fs';
import { vacuumDatabase, vacuumInto, verifyDatabase } from '@sombra/ops';
import type { VacuumResult } from '@sombra/ops';
import { refuseOwnStreams } from '../files/refuse-streams.ts';
import { PhaseProgress } from '../shell/phase-progress.ts';
import type { Parts } from '../shell/program.ts';
import type { Shell } from '../shell/shell.ts';
import { EXIT } from '../shell/shell.ts';
import { count, size } from '../shell/tables.ts';
import { addVerbOptions } from '../inspect/verb-options.ts';
import type { VerbOptions } from '../inspect/verb-options.ts';
import { canAsk, confirm } from './confirm.ts';
import type { Terminal } from './confirm.ts';

interface Options extends VerbOptions {
  readonly into?: string;
  readonly backup?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** Adds the verb. */
export function addVacuum({ program, shell, exit }: Parts, terminal: Terminal): void {
  addVerbOptions(program.command('vacuum'))
    .description('compact a database: in place, after a copy of it as it is, or into a new file')
    .option('--into <path>', 'write a compact copy to a new file, beside whatever uses the database')
    .option('--backup <path>', 'in place: where the database as it is goes first (default: DB.before-vacuum-TIME)')
    .option('--dry-run', 'only check the database, and say what would be done')
    .option('--yes', 'do not ask')
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      refuseOwnStreams(path);
      const backup = options.backup ?? `${path}.before-vacuum-${new Date().toISOString().replace(/[:.]/g, '-')}`;
      if (options.dryRun === true) {
        exit(await plan(out, path, options, backup));
        return;
      }
      if (options.into === undefined && options.yes !== true && canAsk(terminal))
        await confirm(
          terminal,
          out.signals.first,
          `${path} will be replaced by a compact copy; as it is it goes to ${backup}.`,
        );
      const progress = new PhaseProgress(out);
      let result: VacuumResult;
      try {
        const more = {
          busyTimeoutMs: options.busyTimeout,
          signal: out.signals.first,
          onProgress: ({ phase, done, total }: { phase: string; done: number; total: number }): void =>
            progress.at(total === 0 ? phase : `${phase} ${Math.floor((100 * done) / total)} %`),
        };
        result =
          options.into === undefined
            ? await vacuumDatabase(path, backup, more)
            : await vacuumInto(path, options.into, more);
      } finally {
        progress.stop();
      }
      out.result(result, () =>
        [
          `${result.target} is compact: ${size(result.sizeBefore)} before, ${size(result.sizeAfter)} now, commit ${count(result.commit)}`,
          ...(result.backup === null ? [] : [`the database as it was: ${result.backup}`]),
        ].join('\n'),
      );
    });
}

/** @returns the exit code */
async function plan(out: Shell, path: string, options: Options, backup: string): Promise<number> {
  const { isClean, warnings } = await verifyDatabase(path, {
    depth: 'fast',
    busyTimeoutMs: options.busyTimeout,
    signal: out.signals.first,
  });
  const target = options.into ?? path;
  const data = {
    path,
    target,
    backup: options.into === undefined ? backup : null,
    dryRun: true,
    isClean,
    size: statSync(path).size,
    warnings,
  };
  out.result(data, () =>
    isClean
      ? `${path} (${size(data.size)}) would be compacted into ${target}${data.backup === null ? '' : `, after a copy to ${data.backup}`}`
      : `${path} is damaged: sombra verify ${path} says more, sombra repair salvage reads what can be read`,
  );
  return isClean ? EXIT.ok : EXIT.damaged;
}
