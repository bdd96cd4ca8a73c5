import { Option } from 'commander';
import type { Command } from 'commander';
import { StateError } from '@sombra/vfs';
import type { ArchivePass, Compression, VerifiedRange } from '@sombra/ops';
import { lagText, timeOf, told } from '../backup/archive-events.ts';
import { lowestCommit } from '../backup/lowest-commit.ts';
import { parsePositive } from '../backup/numbers.ts';
import { withArchived } from '../backup/open-source.ts';
import { addPlaceOptions, withArchive, withBackups } from '../backup/place.ts';
import type { PlaceOptions } from '../backup/place.ts';
import { runArchiver } from '../backup/run-archiver.ts';
import { parseCommit } from '../backup/target.ts';
import { usageError } from '../errors/usage-error.ts';
import { canAsk, confirm } from '../repair/confirm.ts';
import type { Terminal } from '../repair/confirm.ts';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { EXIT } from '../shell/shell.ts';
import { Interrupted } from '../shell/signals.ts';
import { plural, size, table } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

const PLACE = 'folder, or s3://bucket/prefix: that of the backups';
const BYTES_PER_MB = 1_000_000;
const SIGINT_CODE = 130;

const HELP = `
With an archive of its log, a database can be restored to any commit behind a backup: sombra restore --at.

Examples:
  sombra archive start graph.db --to /backups --interval 10
  sombra archive verify /backups
  sombra restore --from /backups --at 2026-12-01T12:00:00Z --to restored.db`;

/** `sombra archive run`, `start`, `list`, `verify`, `prune` and `end`. */
export function addArchive(
  { program, shell, exit }: Parts,
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): void {
  const group = program.command('archive').description('archive the log of a database, and look after the archive');
  group.addHelpText('after', HELP);
  addRun(group, shell);
  addStart(group, shell, exit);
  addList(group, shell);
  addVerify(group, shell, exit);
  addPrune(group, shell);
  addEnd(group, shell, terminal);
}

interface SourceOptions extends PlaceOptions {
  readonly json?: boolean;
  readonly to: string;
  readonly name?: string;
  readonly compression: Compression;
  readonly afterGap?: boolean;
}

interface StartOptions extends SourceOptions {
  readonly interval: number;
  readonly maxLag?: number;
  readonly maxLagMb?: number;
}

/** Options of the commands that archive. */
function addSourceOptions(command: Command): Command {
  return command
    .option('--name <name>', 'of the archive, as that of the backups (default: the file name without its ending)')
    .addOption(
      new Option('--compression <method>', 'of what is stored').choices(['gzip', 'zstd', 'none']).default('gzip'),
    )
    .option('--after-gap', 'begin again where the log does not go on from what is archived; a new backup has to follow')
    .option('--storage-class <class>', 'of S3, for example STANDARD_IA');
}

function archiveOptions({ name, compression, afterGap }: SourceOptions): {
  readonly name?: string;
  readonly compression: Compression;
  readonly afterGap: 'begin' | 'refuse';
} {
  return { ...(name === undefined ? {} : { name }), compression, afterGap: afterGap === true ? 'begin' : 'refuse' };
}

function addRun(group: Command, shell: Parts['shell']): void {
  const command = addJson(group.command('run'))
    .description('archive what is committed now, once; the database may be in use')
    .argument('<db>', 'path of the database')
    .requiredOption('--to <place>', PLACE);
  addPlaceOptions(addSourceOptions(command), true).action(async (path: string, options: SourceOptions) => {
    const out = shell(options.json);
    const { to } = options;
    let pass: ArchivePass;
    try {
      pass = await withArchive(to, options, (archive) =>
        withArchived(path, out, (db) => archive.run(db, { ...archiveOptions(options), signal: out.signals.first })),
      );
    } catch (error) {
      throw out.signals.caused(error) ? new Interrupted('interrupted: the newest commits are not archived') : error;
    }
    const { lsn, objects, bytes, segments } = pass;
    const time = timeOf(pass.time);
    out.result({ path, to, lsn, time, objects, bytes, segments }, () => {
      if (lsn === 0) return `${to}: the archive of ${path} has begun, there is no commit in its log yet`;
      const what = objects === 0 ? 'nothing new' : `${size(bytes)} in ${plural(objects, 'object')}`;
      return `${to}: archived up to commit ${lsn}${time === null ? '' : ` of ${time}`}, ${what}`;
    });
  });
}

function addStart(group: Command, shell: Parts['shell'], exit: Parts['exit']): void {
  const command = addJson(group.command('start'))
    .description('archive continuously; SIGTERM or SIGINT ends it after a last pass, a second one at once')
    .argument('<db>', 'path of the database')
    .requiredOption('--to <place>', PLACE)
    .option('--interval <seconds>', 'between two passes: what a lost machine may cost', parsePositive, 10)
    .option('--max-lag <seconds>', 'say when commits have not been archived for so long', parsePositive)
    .option('--max-lag-mb <size>', 'say when so many MB of the log are not archived', parsePositive);
  addPlaceOptions(addSourceOptions(command), true).action(async (path: string, options: StartOptions) => {
    const out = shell(options.json);
    const { to, interval, maxLag, maxLagMb } = options;
    const stats = await withArchive(to, options, (archive) =>
      withArchived(path, out, async (db) =>
        runArchiver(archive, db, out, {
          ...archiveOptions(options),
          archiveIntervalMs: Math.max(1, Math.round(interval * 1000)),
          ...(maxLag === undefined ? {} : { maxLagMs: maxLag * 1000 }),
          ...(maxLagMb === undefined ? {} : { maxLagBytes: maxLagMb * BYTES_PER_MB }),
        }),
      ),
    );
    const { lsn, objects, bytes } = stats;
    const said = {
      event: 'stopped',
      path,
      to,
      lsn,
      time: timeOf(stats.time),
      objects,
      bytes,
      lagBytes: stats.lagBytes,
    };
    const lag = stats.lagMs === 0 ? '' : `, ${lagText(stats)}`;
    await out.rows(out.json ? `${JSON.stringify(said)}\n` : `${to}: stopped, archived up to commit ${lsn}${lag}\n`);
    // Ended as it was asked to; Ctrl-C has the exit code that shells expect of it.
    if (out.signals.exitCode === SIGINT_CODE) exit(SIGINT_CODE);
  });
}

function addList(group: Command, shell: Parts['shell']): void {
  const command = addJson(group.command('list'))
    .description('list the archives of a place, by timeline')
    .argument('<place>', PLACE);
  addPlaceOptions(command, false).action(async (place: string, options: PlaceOptions & { readonly json?: boolean }) => {
    const out = shell(options.json);
    const found = await withArchive(place, options, (archive) => archive.list({ signal: out.signals.first }));
    const archives = found.map(({ modifiedMs, ...each }) => ({ ...each, modified: timeOf(modifiedMs) }));
    out.result({ place, archives }, () =>
      archives.length === 0
        ? `${place} has no archive of a log`
        : table(
            out,
            ['archive', 'timeline', 'commits', 'segments', 'tails', 'loads', 'stored', 'written'],
            archives.map((each) => [
              each.name,
              String(each.timeline),
              commitsOf(each),
              each.segments,
              each.tails,
              each.loads,
              size(each.storedBytes),
              each.modified ?? '',
            ]),
          ),
    );
  });
}

function commitsOf({ before, last }: { readonly before: number; readonly last: number }): string {
  return before === last ? 'none' : `${before + 1} to ${last}`;
}

function addVerify(group: Command, shell: Parts['shell'], exit: Parts['exit']): void {
  const command = addJson(group.command('verify'))
    .description('read archives to their end: is every commit there? exit code 1 when one is not')
    .argument('<place>', PLACE)
    .option('--name <name>', 'only the archive of this name');
  addPlaceOptions(command, false).action(
    async (place: string, options: PlaceOptions & { readonly json?: boolean; readonly name?: string }) => {
      const out = shell(options.json);
      const { first: signal } = out.signals;
      const verified = await withArchive(place, options, async (archive) => {
        const listed = await archive.list({ ...(options.name === undefined ? {} : { name: options.name }), signal });
        const ranges: [name: string, range: VerifiedRange][] = [];
        for (const name of new Set(listed.map((each) => each.name))) {
          for (const range of await archive.verify({ name, signal })) ranges.push([name, range]);
        }
        return ranges;
      });
      if (verified.length === 0)
        throw usageError(
          options.name === undefined
            ? `${place} has no archive of a log: sombra archive start DB --to ${place} begins one`
            : `${place} has no archive with the name ${options.name}: sombra archive list ${place} shows those that it has`,
        );
      const ranges = verified.map(([name, { error, firstTime, lastTime, ...range }]) => ({
        name,
        ...range,
        firstTime: timeOf(firstTime),
        lastTime: timeOf(lastTime),
        error: error === undefined ? null : told(error),
      }));
      const bad = ranges.filter(({ error }) => error !== null).length;
      out.result({ place, good: bad === 0, ranges }, () => {
        const lines = ranges.map((each) => {
          const what = `${oneLine(each.name)}, timeline ${each.timeline}, commits ${commitsOf(each)}`;
          const end = each.lastTime === null ? '' : ` of ${each.lastTime}`;
          return each.error === null ? `✓ ${what}${end}` : `✗ ${what}${end}, then: ${oneLine(each.error.message)}`;
        });
        return [...lines, bad === 0 ? 'no gap' : `${plural(bad, 'range')} ended by a gap or damage`].join('\n');
      });
      if (bad > 0) exit(EXIT.error);
    },
  );
}

interface PruneOptions extends PlaceOptions {
  readonly json?: boolean;
  readonly before?: number;
  readonly keepBackups?: boolean;
  readonly name?: string;
  readonly timeline?: number;
  readonly dryRun?: boolean;
}

function addPrune(group: Command, shell: Parts['shell']): void {
  const command = addJson(group.command('prune'))
    .description('remove what no backup that is kept needs of an archive')
    .argument('<place>', PLACE)
    .option('--before <commit>', 'the oldest commit that a backup which is kept has', parseCommit)
    .option('--keep-backups', 'the same, found among the backups that the place has')
    .option('--name <name>', 'of the archive (default: the one that there is)')
    .option('--timeline <number>', 'of the archive (default: the one that was written last)', parseCommit)
    .option('--dry-run', 'only say what would be removed');
  addPlaceOptions(command, true).action(async (place: string, options: PruneOptions) => {
    const out = shell(options.json);
    const { first: signal } = out.signals;
    const { keepBackups = false, dryRun = false } = options;
    if (keepBackups === (options.before !== undefined))
      throw usageError('prune takes either --before COMMIT or --keep-backups');
    const { name, timeline, before, pruned } = await withArchive(place, options, async (archive) => {
      const archives = await archive.list({ ...(options.name === undefined ? {} : { name: options.name }), signal });
      const names = [...new Set(archives.map((each) => each.name))];
      const newest = archives.findLast((each) => options.timeline === undefined || each.timeline === options.timeline);
      if (newest === undefined)
        throw usageError(`${place} has no such archive: sombra archive list ${place} shows those that it has`);
      if (names.length > 1)
        throw usageError(`${place} has archives of ${names.join(', ')}: give one of them as --name`);
      const which = { name: newest.name, timeline: newest.timeline };
      const lowest =
        options.before ??
        (await withBackups(place, options, async (backups) =>
          lowestCommit(await backups.list({ signal }), place, which),
        ));
      return { ...which, before: lowest, pruned: await archive.prune({ ...which, before: lowest, dryRun, signal }) };
    });
    const { removed, storedBytes } = pruned;
    out.result({ place, name, timeline, before, removed, storedBytes, dryRun }, () => {
      const verb = dryRun ? 'would be removed' : 'removed';
      const sum = `${plural(removed.length, 'object')} before commit ${before} of ${name} ${verb}, ${size(storedBytes)}`;
      return [...removed.map((key) => `  ${oneLine(key)} ${verb}`), sum].join('\n');
    });
  });
}

function addEnd(group: Command, shell: Parts['shell'], terminal: Terminal): void {
  addJson(group.command('end'))
    .description('end the archive of a database: its log is removed again when it is not needed')
    .argument('<db>', 'path of the database')
    .option('--yes', 'do not ask')
    .action(async (path: string, options: { readonly json?: boolean; readonly yes?: boolean }) => {
      const out = shell(options.json);
      const ended = await withArchived(path, out, async (db) => {
        if (db.archivedThrough() === Infinity) return false;
        await agreed(path, options.yes ?? false, terminal, out.signals.first);
        db.endArchive();
        return true;
      });
      out.result({ path, ended }, () =>
        ended
          ? `${path} has no archive any more; what is archived stays, and a later archive needs --after-gap and a new backup`
          : `${path} has no archive`,
      );
    });
}

/** @throws StateError SOMBRA_NOT_CONFIRMED; Interrupted */
async function agreed(path: string, yes: boolean, terminal: Terminal, signal: AbortSignal): Promise<void> {
  if (yes) return;
  const what = `commits of ${path} that are not archived could not be restored from an archive later`;
  if (canAsk(terminal)) return await confirm(terminal, signal, `Without an archive, ${what}.`);
  throw new StateError('SOMBRA_NOT_CONFIRMED', `nothing was done: ${what}; add --yes`);
}
