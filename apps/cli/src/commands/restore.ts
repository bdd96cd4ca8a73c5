import type { RestoreTarget } from '@sombra/ops';
import { ByteProgress } from '../backup/byte-progress.ts';
import { addPlaceOptions, withBackups } from '../backup/place.ts';
import type { PlaceOptions } from '../backup/place.ts';
import { describeLog, parseTarget } from '../backup/target.ts';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { Interrupted } from '../shell/signals.ts';
import { plural, size } from '../shell/tables.ts';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly from: string;
  readonly backup: string;
  readonly name?: string;
  readonly at?: RestoreTarget;
  readonly to: string;
  readonly dryRun?: boolean;
}

/** `sombra restore`: a database from its backup. */
export function addRestore({ program, shell }: Parts): void {
  const command = addJson(program.command('restore'))
    .description('make a database of a backup, and of the archive of its log; it never replaces a file')
    .requiredOption('--from <place>', 'folder with backups, or s3://bucket/prefix')
    .option('--backup <id>', 'id of the backup', 'latest')
    .option('--name <name>', 'whose newest one')
    .option(
      '--at <target>',
      'a commit, which the archive of the log has: a time such as 2026-12-01T12:00:00Z, a number, or latest (default: that of the backup)',
      parseTarget,
    )
    .requiredOption('--to <path>', 'path of the new database')
    .option('--dry-run', 'only say what would be restored');
  addPlaceOptions(command, false).action(async (options: Options) => {
    const out = shell(options.json);
    const began = performance.now();
    const { from, backup, to, name, at, dryRun = false } = options;
    const progress = new ByteProgress(out);
    try {
      const result = await withBackups(from, options, (opened) =>
        opened.restore(backup, to, {
          ...(name === undefined ? {} : { name }),
          ...(at === undefined ? {} : { at }),
          dryRun,
          signal: out.signals.first,
          onProgress: ({ doneBytes, totalBytes }) => progress.at('restored', doneBytes, totalBytes),
        }),
      );
      progress.stop();
      const { id, lsn, time = null, size: bytes, timeline = null, backups, storedBytes, log = null } = result;
      const elapsedMs = Math.round(performance.now() - began);
      out.result({ from, to, id, lsn, time, timeline, bytes, backups, storedBytes, log, dryRun, elapsedMs }, () => {
        const commit = `commit ${lsn}${time === null ? '' : ` of ${time}`}`;
        const what = `${commit}, ${size(bytes)}, from ${plural(backups.length, 'backup')} up to ${id}`;
        const lines = log === null ? [] : describeLog(log, dryRun);
        if (dryRun) return [`${to} would become ${what}:`, ...backups.map((each) => `  ${each}`), ...lines].join('\n');
        return [`${to}: ${what}, restored in ${(elapsedMs / 1000).toFixed(1)} s`, ...lines].join('\n');
      });
    } catch (error) {
      throw out.signals.caused(error) ? new Interrupted('interrupted: no file was made') : error;
    } finally {
      progress.stop();
    }
  });
}
