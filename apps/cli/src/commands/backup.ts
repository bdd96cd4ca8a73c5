import { Option } from 'commander';
import type { Command } from 'commander';
import type { Compression, FullBecause, Manifest, PruneResult, RunBackupResult } from '@sombra/ops';
import { ByteProgress } from '../backup/byte-progress.ts';
import { parseDays, parsePositive } from '../backup/numbers.ts';
import { withSource } from '../backup/open-source.ts';
import { addPlaceOptions, withBackups } from '../backup/place.ts';
import type { PlaceOptions } from '../backup/place.ts';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { EXIT } from '../shell/shell.ts';
import type { Shell } from '../shell/shell.ts';
import { Interrupted } from '../shell/signals.ts';
import { count, plural, size, table } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

const PLACE = 'folder, or s3://bucket/prefix';
const BYTES_PER_MB = 1_000_000;

const FULL_BECAUSE: Readonly<Record<FullBecause, string>> = Object.freeze({
  first: 'there is none that it could follow',
  'other-timeline': 'the database was restored since the newest one',
  'history-lost': 'commits that the newest one holds were lost',
  'older-than-base': 'commits that the newest one holds were lost',
  'base-unreadable': 'the newest one, or one that it needs, is not whole',
  'chain-length': 'enough incremental ones follow each other',
});

const HELP = `
A full backup is a gzipped database: gunzip -c NAME-TIME.db.gz > graph.db is all that it takes to use it.

Examples:
  sombra backup run graph.db --to /backups --retention-days 7
  sombra backup run graph.db --to s3://bucket/graph --storage-class STANDARD_IA --incremental
  sombra backup test /backups`;

/** `sombra backup run`, `list`, `verify`, `test` and `prune`. */
export function addBackup({ program, shell, exit }: Parts): void {
  const group = program.command('backup').description('back up a database, and look after its backups');
  group.addHelpText('after', HELP);
  addRun(group, shell);
  addList(group, shell);
  addVerify(group, shell, exit);
  addTest(group, shell, exit);
  addPrune(group, shell);
}

interface RunOptions extends PlaceOptions {
  readonly json?: boolean;
  readonly to: string;
  readonly name?: string;
  readonly incremental?: boolean;
  readonly compression: Compression;
  readonly retentionDays?: number;
  readonly throttle?: number;
  readonly allowSameFolder?: boolean;
  readonly dryRun?: boolean;
}

function addRun(group: Command, shell: Parts['shell']): void {
  const command = addJson(group.command('run'))
    .description('back up a database, which may be in use')
    .argument('<db>', 'path of the database')
    .requiredOption('--to <place>', PLACE)
    .option('--name <name>', 'of the backups (default: the file name without its ending)')
    .option('--incremental', 'only what has changed since the newest backup')
    .addOption(
      new Option('--compression <method>', 'of what is stored').choices(['gzip', 'zstd', 'none']).default('gzip'),
    )
    .option('--retention-days <days>', 'afterwards remove backups of this name that are older', parseDays)
    .option('--throttle <rate>', 'MB of the database that are read in a second, at most', parsePositive)
    .option('--storage-class <class>', 'of S3, for example STANDARD_IA')
    .option('--allow-same-folder', 'allow a place within the folder of the database')
    .option('--dry-run', 'only say what would be done');
  addPlaceOptions(command, true).action(async (path: string, options: RunOptions) => {
    const out = shell(options.json);
    const began = performance.now();
    const { to, dryRun = false, retentionDays } = options;
    await withBackups(to, options, async (backups) => {
      const progress = new ByteProgress(out);
      let result: RunBackupResult;
      try {
        result = await withSource(path, out, (db) =>
          backups.run(db, {
            ...(options.name === undefined ? {} : { name: options.name }),
            incremental: options.incremental ?? false,
            compression: options.compression,
            bytesPerSecond: options.throttle === undefined ? undefined : options.throttle * BYTES_PER_MB,
            allowSameFolder: options.allowSameFolder ?? false,
            dryRun,
            signal: out.signals.first,
            onProgress: ({ phase, doneBytes, totalBytes }) =>
              progress.at(phase === 'copy' ? 'copied' : 'verified', doneBytes, totalBytes),
          }),
        );
      } catch (error) {
        throw out.signals.caused(error) ? new Interrupted('interrupted: no backup was made') : error;
      } finally {
        progress.stop();
      }
      const { id, kind, base, lsn, verified, manifest, fullBecause = null } = result;
      if (fullBecause !== null && fullBecause !== 'first')
        out.note(`a full backup was made, because ${FULL_BECAUSE[fullBecause]}`);
      const done = retentionDays === undefined ? null : await prune(backups, id, { retentionDays, dryRun }, out);
      const pruned = done === null ? null : told(done, out);
      const storedBytes = manifest === undefined ? null : storedSize(manifest);
      const elapsedMs = Math.round(performance.now() - began);
      const said = { path, to, id, kind, base, fullBecause, lsn, verified, storedBytes, pruned, dryRun, elapsedMs };
      out.result(said, () => {
        if (storedBytes === null)
          return [`${to}: ${kind} backup ${id} of commit ${lsn} would be made`, ...prunedLines(pruned, true)].join(
            '\n',
          );
        const made = `${to}: ${kind} backup ${id} of commit ${lsn}, ${size(storedBytes)}, in ${(elapsedMs / 1000).toFixed(1)} s`;
        return [made, ...prunedLines(pruned, false)].join('\n');
      });
    });
  });
}

/** What goes wrong here must not hide that the backup was made. */
async function prune(
  backups: Parameters<Parameters<typeof withBackups>[2]>[0],
  id: string,
  { retentionDays, dryRun }: { readonly retentionDays: number; readonly dryRun: boolean },
  out: Shell,
): Promise<PruneResult> {
  try {
    const name = id.replace(/-\d{8}T\d{6}Z(-\d+)?$/, '');
    return await backups.prune({ retentionDays, name, dryRun, signal: out.signals.first });
  } catch (error) {
    out.note(dryRun ? 'nothing was done' : `backup ${id} was made; older ones were not removed`);
    throw error;
  }
}

type Pruned = Omit<PruneResult, 'sweepFailed'>;

/** What was removed; that something else could not be, is no error of the command. */
function told({ sweepFailed, ...pruned }: PruneResult, out: Shell): Pruned {
  if (sweepFailed !== undefined)
    out.note(`what interrupted uploads have left was not looked for: ${sweepFailed.message}`);
  return pruned;
}

function prunedLines(pruned: Pruned | null, would: boolean): string[] {
  if (pruned === null || (pruned.removed.length === 0 && pruned.swept.length === 0)) return [];
  const verb = would ? 'would be removed' : 'removed';
  return [...pruned.removed, ...pruned.swept].map((each) => `  ${oneLine(each)} ${verb}`);
}

function storedSize({ parts }: Manifest): number {
  return parts.reduce((sum, part) => sum + part.size, 0);
}

function addList(group: Command, shell: Parts['shell']): void {
  const command = addJson(group.command('list'))
    .description('list the backups of a place, the newest of each name last')
    .argument('<place>', PLACE);
  addPlaceOptions(command, false).action(async (place: string, options: PlaceOptions & { readonly json?: boolean }) => {
    const out = shell(options.json);
    const { backups, unreadable } = await withBackups(place, options, (opened) =>
      opened.list({ signal: out.signals.first }),
    );
    const damaged = unreadable.map(({ key, error: { code, message } }) => ({ key, code, message }));
    for (const { key, message } of damaged) out.note(`${key}: ${message}`);
    out.result({ place, backups, unreadable: damaged }, () =>
      backups.length === 0
        ? `${place} has no backups`
        : table(
            out,
            ['backup', 'kind', 'made', 'commit', 'stored'],
            backups.map((each) => [each.id, each.kind, each.created, each.lsn, size(storedSize(each))]),
          ),
    );
  });
}

function addVerify(group: Command, shell: Parts['shell'], exit: Parts['exit']): void {
  const command = addJson(group.command('verify'))
    .description('read backups to their end: is all of it what was written?')
    .argument('<place>', PLACE)
    .argument('[backup]', 'id of one, or latest (default: all)')
    .option('--name <name>', 'only backups of this name');
  addPlaceOptions(command, false).action(
    async (
      place: string,
      id: string | undefined,
      options: PlaceOptions & { readonly json?: boolean; readonly name?: string },
    ) => {
      const out = shell(options.json);
      const verified = await withBackups(place, options, (opened) =>
        opened.verify(id, { ...(options.name === undefined ? {} : { name: options.name }), signal: out.signals.first }),
      );
      const backups = verified.map(({ id: each, error }) => ({
        id: each,
        good: error === undefined,
        error: error === undefined ? null : { code: error.code, message: error.message },
      }));
      const bad = backups.filter(({ good }) => !good).length;
      out.result({ place, good: bad === 0, backups }, () => {
        const lines = backups.map(
          (each) =>
            `${each.good ? '✓' : '✗'} ${oneLine(each.id)}${each.error === null ? '' : `: ${oneLine(each.error.message)}`}`,
        );
        return [
          ...lines,
          bad === 0
            ? `${plural(backups.length, 'backup')} verified`
            : `${plural(bad, 'backup')} of ${count(backups.length)} not good`,
        ].join('\n');
      });
      if (bad > 0) exit(EXIT.damaged);
    },
  );
}

function addTest(group: Command, shell: Parts['shell'], exit: Parts['exit']): void {
  const command = addJson(group.command('test'))
    .description('restore a backup into a temporary file, check all of it, and remove the file')
    .argument('<place>', PLACE)
    .argument('[backup]', 'id of it (default: the newest)')
    .option('--name <name>', 'whose newest one')
    .option('--folder <path>', 'where the temporary file is made (default: that of the system)');
  addPlaceOptions(command, false).action(
    async (
      place: string,
      id: string | undefined,
      options: PlaceOptions & { readonly json?: boolean; readonly name?: string; readonly folder?: string },
    ) => {
      const out = shell(options.json);
      const progress = new ByteProgress(out);
      try {
        const result = await withBackups(place, options, (opened) =>
          opened.test(id, {
            ...(options.name === undefined ? {} : { name: options.name }),
            ...(options.folder === undefined ? {} : { folder: options.folder }),
            signal: out.signals.first,
            onProgress: ({ doneBytes, totalBytes }) => progress.at('restored', doneBytes, totalBytes),
          }),
        );
        progress.stop();
        const { report, isClean: good, lsn } = result;
        out.result({ place, id: result.id, lsn, good, report }, () => {
          const what = `${plural(report.checkedNodes, 'node')} and ${plural(report.checkedEdges, 'edge')} of commit ${lsn}`;
          if (good) return `✓ ${result.id} can be restored: ${what} checked`;
          return [
            `✗ ${result.id} is damaged: ${what} checked`,
            ...report.errors.map((error) => `  ${oneLine(error)}`),
          ].join('\n');
        });
        if (!good) exit(EXIT.damaged);
      } finally {
        progress.stop();
      }
    },
  );
}

function addPrune(group: Command, shell: Parts['shell']): void {
  const command = addJson(group.command('prune'))
    .description('remove old backups, after the newest was verified; never the newest, nor what one that stays needs')
    .argument('<place>', PLACE)
    .requiredOption('--retention-days <days>', 'days that backups are kept', parseDays)
    .option('--name <name>', 'only backups of this name')
    .option('--dry-run', 'only say what would be removed');
  addPlaceOptions(command, true).action(
    async (
      place: string,
      options: PlaceOptions & {
        readonly json?: boolean;
        readonly name?: string;
        readonly dryRun?: boolean;
        readonly retentionDays: number;
      },
    ) => {
      const out = shell(options.json);
      const { retentionDays, name, dryRun = false } = options;
      const done = await withBackups(place, options, (opened) =>
        opened.prune({ retentionDays, ...(name === undefined ? {} : { name }), dryRun, signal: out.signals.first }),
      );
      const result = told(done, out);
      out.result({ place, ...result, dryRun }, () => {
        const lines = prunedLines(result, dryRun);
        return [...lines, `${plural(result.kept.length, 'backup')} kept`].join('\n');
      });
    },
  );
}
