/** `index`: drops property indexes and builds them again from the records. */
import { rebuildIndexes } from '@sombra/ops';
import type { RebuiltIndex } from '@sombra/ops';
import { refuseOwnStreams } from '../files/refuse-streams.ts';
import { PhaseProgress } from '../shell/phase-progress.ts';
import type { Parts } from '../shell/program.ts';
import { EXIT } from '../shell/shell.ts';
import { oneLine } from '../values/text.ts';
import { addVerbOptions } from '../inspect/verb-options.ts';
import type { VerbOptions } from '../inspect/verb-options.ts';

interface Options extends VerbOptions {
  readonly name?: string;
  readonly dryRun?: boolean;
}

/** Adds the verb. */
export function addRebuildIndex({ program, shell, exit }: Parts): void {
  addVerbOptions(program.command('index'))
    .description('drop property indexes and build them again from the records')
    .option('--name <label>', 'only those of this label or edge type')
    .option('--dry-run', 'only say which ones')
    .action(async (path: string, options: Options) => {
      const out = shell(options.json);
      refuseOwnStreams(path);
      const progress = new PhaseProgress(out);
      let indexes: RebuiltIndex[];
      try {
        indexes = await rebuildIndexes(path, {
          name: options.name,
          dryRun: options.dryRun ?? false,
          busyTimeoutMs: options.busyTimeout,
          signal: out.signals.first,
          onProgress: ({ index }) => progress.at(`index on ${oneLine(index.name)}`),
        });
      } finally {
        progress.stop();
      }
      out.result({ path, dryRun: options.dryRun ?? false, indexes }, () =>
        indexes.length === 0 ? `${path} has no property index` : indexes.map(lineOf).join('\n'),
      );
      if (indexes.some(({ outcome }) => outcome === 'lost')) exit(EXIT.error);
    });
}

function lineOf({ on, name, keys, unique, outcome, why, leftPages }: RebuiltIndex): string {
  const what = `${unique ? 'unique ' : ''}index on ${on}s ${oneLine(name)} (${oneLine(keys.join(', '))})`;
  if (outcome === 'kept') return `${what} would be built again`;
  if (outcome === 'lost') return `${what} is lost: ${oneLine(why ?? '')}; mend the values, then sombra index create`;
  return `${what} is built again${leftPages ? '; the damaged pages of the old one go with the next vacuum' : ''}`;
}
