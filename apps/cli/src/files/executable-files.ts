/**
 * Executable files that a command installs into a folder. Each is written under a temporary name beside its own, and renamed when all
 * are written: an error before that leaves nothing behind, and replaces nothing.
 */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { DataError, IoError } from '@sombra/vfs';

/** Everybody may run it, its owner may change it. */
const MODE = 0o755;

/** A file as it is to be. */
export interface ExecutableFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What became of it, or would: `unchanged` files may have got their mode back. */
export interface InstalledFile {
  readonly file: string;
  readonly state: 'created' | 'replaced' | 'unchanged';
}

/**
 * Installs files, mode 0755. The folder is made when it is missing.
 * @param force   also replace files that differ
 * @param dryRun  change nothing
 * @throws DataError SOMBRA_SCRIPT_EXISTS: some differ, nothing was written; IoError SOMBRA_SCRIPT_FILE
 */
export function installExecutables(
  folder: string,
  files: readonly ExecutableFile[],
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
): InstalledFile[] {
  const planned = files.map((file) => ({ ...file, path: join(folder, file.name), state: stateOf(folder, file) }));
  const differ = planned.filter(({ state }) => state === 'replaced').map(({ path }) => path);
  if (differ.length > 0 && !force) {
    throw new DataError(
      'SOMBRA_SCRIPT_EXISTS',
      `${differ.join(', ')} ${differ.length === 1 ? 'is' : 'are'} there and different; nothing was written: name another folder, or pass --force to replace what is there`,
      { details: { files: differ } },
    );
  }
  if (!dryRun) {
    attempt(folder, () => mkdirSync(folder, { recursive: true }));
    for (const { path, state } of planned) if (state === 'unchanged') attempt(path, () => chmodSync(path, MODE));
    replaceAll(planned.filter(({ state }) => state !== 'unchanged'));
  }
  return planned.map(({ path, state }) => ({ file: path, state }));
}

function stateOf(folder: string, { name, bytes }: ExecutableFile): InstalledFile['state'] {
  const path = join(folder, name);
  return attempt(path, () => {
    const there = lstatSync(path, { throwIfNoEntry: false });
    if (there === undefined) return 'created';
    // A link, or something that is no file, is not what was installed.
    return there.isFile() && readFileSync(path).equals(bytes) ? 'unchanged' : 'replaced';
  });
}

function replaceAll(files: readonly { readonly path: string; readonly bytes: Uint8Array }[]): void {
  const suffix = `.tmp-${randomBytes(8).toString('hex')}`;
  const written: string[] = [];
  try {
    for (const { path, bytes } of files) {
      attempt(path, () => {
        const handle = openSync(path + suffix, 'wx', MODE);
        written.push(path + suffix);
        try {
          for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
          // What the umask has taken away.
          fchmodSync(handle, MODE);
          fsyncSync(handle);
        } finally {
          closeSync(handle);
        }
      });
    }
    for (const { path } of files) attempt(path, () => renameSync(path + suffix, path));
  } finally {
    for (const path of written) rmSync(path, { force: true });
  }
}

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new IoError(
      'SOMBRA_SCRIPT_FILE',
      `${path} cannot be written (${(error as Error).message}): check path, permission and free space`,
      { details: { file: path }, cause: error },
    );
  }
}
