/**
 * Inspects a database that no connection has open, whatever its state: recovery runs on a file system that keeps writes in memory, so that
 * the files stay as they are. Damage is noted, and as much as possible is read: the whole log, or the part before its damage, or none.
 */
import { InvariantError } from '@sombra/vfs';
import type { SombraError, VfsFile } from '@sombra/vfs';
import { CopyOnWriteVfs } from './copy-on-write-vfs.ts';
import { Connection } from '../connection/connection.ts';
import { isCorruption } from '../base/failure.ts';
import { giveBack } from '../base/run-all.ts';
import type { LockTable } from '../sharing/locks.ts';
import type { PagerWarning, ResolvedOptions } from '../base/options.ts';
import { recover } from './recovery.ts';
import { register } from '../sharing/registry.ts';

/** An open database: its connection, what was noticed. */
export interface OpenDatabase {
  readonly connection: Connection;
  readonly warnings: readonly PagerWarning[];
  /** Damage that the inspection tolerated; empty otherwise. */
  readonly damage: readonly SombraError[];
}

/** States of a log that are not damage, and no reason not to inspect the rest. */
const OTHER_OBSTACLES: ReadonlySet<unknown> = new Set(['SOMBRA_WAL_EXISTS', 'SOMBRA_FORMAT_VERSION']);

/**
 * Recovers in memory.
 * @param locks  keep every other connection from changing the files; closed with the connection, but not when this throws
 * @throws CorruptionError, DataError SOMBRA_NOT_A_DATABASE, … when the file cannot be read as a whole even without its log; IoError
 */
export function openInMemory(options: ResolvedOptions, locks: LockTable): OpenDatabase {
  const damage: SombraError[] = [];
  for (const log of ['all', 'to-last-good', 'none'] as const) {
    const vfs = new CopyOnWriteVfs(options.vfs);
    const warnings: PagerWarning[] = [];
    const met: SombraError[] = [];
    let main: VfsFile | undefined;
    try {
      main = vfs.open(options.path, { write: true });
      const inMemory: ResolvedOptions = { ...options, vfs, readOnly: false, locking: 'exclusive' };
      const parts = recover(inMemory, main, locks, warnings, { tolerance: { damage: met, log } });
      noteLinks(main, options, warnings);
      const connection = new Connection({ ...parts, options: { ...inMemory, readOnly: true }, shm: null });
      register(connection.neighbour);
      // The names of files that were set aside in memory mean nothing to the caller.
      const real = warnings.filter(({ code }) => code !== 'SOMBRA_LOG_GIVEN_UP');
      return { connection, warnings: real, damage: distinct([...damage, ...met]) };
    } catch (error) {
      giveBack([() => main?.close()]);
      if (log === 'none' || !(isCorruption(error) || OTHER_OBSTACLES.has((error as SombraError).code))) throw error;
      damage.push(error as SombraError);
    }
  }
  throw new InvariantError('the last try returns or throws');
}

/** Each once: what one try met, the next one may have met again. */
function distinct(errors: readonly SombraError[]): SombraError[] {
  return errors.filter((error, at) => errors.findIndex(({ message }) => message === error.message) === at);
}

/** P4: one file, one name. */
function noteLinks(main: VfsFile, { path }: ResolvedOptions, warnings: PagerWarning[]): void {
  const { nlink } = main.stat();
  if (nlink === 1) return;
  const message = `${path} has ${nlink} names (hard links): its log belongs to one name, and it cannot be opened for use; remove the others`;
  warnings.push({ code: 'SOMBRA_HARD_LINK', message });
}
