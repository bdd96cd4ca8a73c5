/** What a command prints must not go into the database that it is about. */
import { DatabaseFiles } from './database-files.ts';

const STDOUT = 1;
const STDERR = 2;

/** @throws DataError SOMBRA_SAME_FILE when stdout or stderr is a file of the database */
export function refuseOwnStreams(path: string): void {
  const files = new DatabaseFiles(path);
  files.refuseStream(STDOUT, 'stdout', 'write');
  files.refuseStream(STDERR, 'stderr', 'write');
}
