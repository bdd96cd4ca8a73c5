import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { installExecutables } from '../files/executable-files.ts';
import type { ExecutableFile, InstalledFile } from '../files/executable-files.ts';
import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { oneLine } from '../values/text.ts';

interface Options {
  readonly json?: boolean;
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

/** `sombra install-scripts`: scripts for cron, systemd and drills, for people to adapt. */
export function addInstallScripts({ program, shell }: Parts): void {
  addJson(program.command('install-scripts'))
    .description('write scripts for backups, the archive of the log and drills into a folder, mode 0755')
    .argument('<dir>', 'folder, made when it is missing; for example /usr/local/bin')
    .option('--force', 'replace scripts that are there and were changed')
    .option('--dry-run', 'only say what would be written')
    .action((folder: string, { json, force = false, dryRun = false }: Options) => {
      const out = shell(json);
      const scripts = installExecutables(folder, shippedScripts(), { force, dryRun });
      out.result({ folder, scripts, dryRun }, () => scripts.map((each) => line(each, dryRun)).join('\n'));
    });
}

function line({ file, state }: InstalledFile, dryRun: boolean): string {
  const what = state === 'unchanged' ? 'is there' : dryRun ? `would be ${state}` : state;
  return `${oneLine(file)} ${what}`;
}

/** The scripts of this package, by name. */
function shippedScripts(): ExecutableFile[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@sombra/cli/package.json')), 'scripts');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sh'))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}
