import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBash } from './bash.ts';
import type { RunningScript } from './bash.ts';

/** Where a script of the guide finds what it names. */
export interface GuidePlaces {
  /** Has the folders data, backups and tmp. */
  readonly folder: string;
  /** The commands, as in /usr/local/bin. */
  readonly bin: string;
  /** Instead of its bucket. */
  readonly bucket?: string;
}

/** A script of the guide (fixtures/guide), word for word but for its paths. */
export function guideScript(name: string, { folder, bin, bucket = 's3://none' }: GuidePlaces): string {
  const backups = join(folder, 'backups');
  const newest = readdirSync(backups)
    .filter((each) => each.endsWith('.gz'))
    .sort()
    .at(-1);
  return readFileSync(new URL(`../fixtures/guide/${name}`, import.meta.url), 'utf8')
    .replaceAll('/usr/local/bin', bin)
    .replaceAll('/data/sombra', join(folder, 'data'))
    .replaceAll('/backups/sombra', backups)
    .replaceAll('graph-20251020.db.gz', newest ?? 'none')
    .replaceAll('/tmp/sombra-backup-test', join(folder, 'tmp/test'))
    .replaceAll('s3://my-company-backups', bucket);
}

/** Starts it. @param strict  with `bash -e`: it stops at the first command that fails @param path  the only folder of PATH */
export function startGuide(
  name: string,
  places: GuidePlaces,
  { strict = false, path, env = {} }: { strict?: boolean; path?: string; env?: Record<string, string> } = {},
): RunningScript {
  return startBash([...(strict ? ['-e'] : []), '-c', guideScript(name, places)], {
    cwd: places.folder,
    path: [path ?? places.bin],
    alone: path !== undefined,
    env,
  });
}
