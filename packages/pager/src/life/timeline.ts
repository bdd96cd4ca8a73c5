/**
 * A timeline ends where commits of it are lost for this file (rule P6): commits to come would have the numbers of those, and a backup or an
 * archive that has the lost ones could not tell the two apart. Steps, and what a crash after each leaves:
 * 1. Recovery writes a slot that is `forked`, and syncs it, before it gives up anything.       The damage, or the other history, as found.
 * 2. It gives up what it cannot read, or sets the other history aside.                         A forked file with the log that is left.
 * 3. What is left of the log is brought to main, and the log goes, as in a close.              A forked, clean file without a log.
 * 4. The first commit begins another timeline (log-writer.ts).
 * Whoever opens a forked file alone goes on with step 3; until then it has a log of its old timeline. A file whose log is missing keeps its
 * timeline, too, until the first commit; when it is closed without one it becomes forked (checkpoint.ts).
 */
import { directoryOf, syncDirectory } from '@sombra/vfs';
import { archivedThrough, setAsideSealed } from '@sombra/wal';
import type { PagerWarning, ResolvedOptions } from '../base/options.ts';
import { runCheckpoint } from '../checkpoint/checkpoint.ts';
import { Connection } from '../connection/connection.ts';
import { walOptions } from '../files/log-writer.ts';
import type { Recovered } from './recovery.ts';

/** Step 3, and what comes before the log goes to memory. What recovery opened is closed. @param warnings  gets what was set aside */
export function leaveLog(options: ResolvedOptions, found: Recovered, warnings: PagerWarning[]): void {
  const { vfs, path } = options;
  const withLog: ResolvedOptions = { ...options, enableWal: true };
  const connection = new Connection({ ...found, options: withLog, shm: null });
  try {
    if (connection.hasWritten()) {
      connection.tenure.acquire();
      runCheckpoint(connection.checkpoint, true);
      connection.logWriter.removeAll();
      syncDirectory(vfs, directoryOf(path));
    }
    const { superblock } = connection.main;
    if (!superblock.forked || archivedThrough(vfs, path) === Infinity) return;
    const kept = setAsideSealed(walOptions(options, superblock, vfs));
    if (kept.length === 0) return;
    warnings.push({
      code: 'SOMBRA_WAL_SET_ASIDE',
      message: `${path}: segments that the archive does not have are of a history that has ended here, as commits behind it were lost; they are kept as ${kept.join(', ')}`,
    });
  } finally {
    connection.closeFiles();
  }
}
