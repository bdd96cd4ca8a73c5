import { ByteProgress } from '../backup/byte-progress.ts';
import { addPlaceOptions, withBackups } from '../backup/place.ts';
import type { PlaceOptions } from '../backup/place.ts';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { Interrupted } from '../shell/signals.ts';
import { plural, size } from '../shell/tables.ts';

interface Options extends PlaceOptions {
  readonly json?: boolean;
  readonly from: string;
  readonly backup: string;
  readonly name?: string;
  readonly to: string;
  readonly dryRun?: boolean;
}

/** `sombra restore`: a database from its backup. */
export function addRestore({ program, shell }: Parts): void {
  const command = addJson(program.command('restore'))
    .description('make a database of a backup; it never replaces a file')
    .requiredOption('--from <place>', 'folder with backups, or s3://bucket/prefix')
    .option('--backup <id>', 'id of the backup', 'latest')
    .option('--name <name>', 'whose newest one')
    .requiredOption('--to <path>', 'path of the new database')
    .option('--dry-run', 'only say what would be restored');
  addPlaceOptions(command, false).action(async (options: Options) => {
    const out = shell(options.json);
    const began = performance.now();
    const { from, backup, to, name, dryRun = false } = options;
    const progress = new ByteProgress(out);
    try {
      const result = await withBackups(from, options, (opened) =>
        opened.restore(backup, to, {
          ...(name === undefined ? {} : { name }),
          dryRun,
          signal: out.signals.first,
          onProgress: ({ doneBytes, totalBytes }) => progress.at('restored', doneBytes, totalBytes),
        }),
      );
      progress.stop();
      const { id, lsn, time, size: bytes, timeline = null, backups, storedBytes } = result;
      const elapsedMs = Math.round(performance.now() - began);
      out.result({ from, to, id, lsn, time, timeline, bytes, backups, storedBytes, dryRun, elapsedMs }, () => {
        const what = `commit ${lsn} of ${time}, ${size(bytes)}, from ${plural(backups.length, 'backup')} up to ${id}`;
        if (dryRun) return [`${to} would become ${what}:`, ...backups.map((each) => `  ${each}`)].join('\n');
        return `${to}: ${what}, restored in ${(elapsedMs / 1000).toFixed(1)} s`;
      });
    } catch (error) {
      throw out.signals.caused(error) ? new Interrupted('interrupted: no file was made') : error;
    } finally {
      progress.stop();
    }
  });
}
