/**
 * A timeline ends where commits of it are lost for this file (rule P6): commits to come would have the numbers of those, and a backup or an
 * archive that has the lost ones could not tell the two apart. Steps, and what a crash after each leaves:
 * 1. Recovery writes a slot that is `forked`, and syncs it, before it gives up anything.       The damage, or the other history, as found.
 * 2. It gives up what it cannot read, or sets the other history aside.                         A forked file with the log that is left.
 * 3. What is left of the log is brought to main, and the log goes, as in a close.             A forked, clean file without a log.
 * 4. A slot with another timeline, not forked; synced.                                                       The new timeline.
 * Whoever opens a forked file alone goes on with step 3. A file whose log is missing may get it back, so it keeps its timeline until
 * the first commit (log-writer.ts).
 */
import { directoryOf, syncDirectory } from '@sombra/vfs';
import type { VfsFile } from '@sombra/vfs';
import type { ResolvedOptions } from '../base/options.ts';
import { runCheckpoint } from '../checkpoint/checkpoint.ts';
import { Connection } from '../connection/connection.ts';
import { freshTimeline } from '../format/timeline.ts';
import { readArea, writeSlot } from './recovery.ts';
import type { Recovered } from './recovery.ts';

/** Brings what a log holds to main, and removes the log for good. What recovery opened is closed. */
export function leaveLog(options: ResolvedOptions, found: Recovered): void {
  const withLog: ResolvedOptions = { ...options, enableWal: true };
  const connection = new Connection({ ...found, options: withLog, shm: null });
  try {
    if (!connection.hasWritten()) return;
    connection.tenure.acquire();
    runCheckpoint(connection.checkpoint, true);
    connection.logWriter.removeAll();
    syncDirectory(connection.vfs, directoryOf(options.path));
  } finally {
    connection.closeFiles();
  }
}

/** Step 4, for a file that was closed. */
export function beginTimeline(options: ResolvedOptions, main: VfsFile): void {
  const { newest } = readArea(main, options, []);
  const timeline = freshTimeline(options.vfs.env, newest.timeline);
  writeSlot(main, { ...newest, sequence: newest.sequence + 1, timeline, forked: false });
}
