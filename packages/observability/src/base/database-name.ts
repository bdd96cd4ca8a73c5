import { basename } from 'node:path';
import { hookOwner } from '@sombra/vfs';

/** How a database is called in logs: the name of its file, without the folder. `:memory:` stays. */
export function databaseName(path: string): string {
  return basename(path);
}

/** Name of the database whose hook is running; undefined outside of hooks. One observer may watch several databases. */
export function hookedDatabase(): string | undefined {
  const owner = hookOwner();
  return owner === undefined ? undefined : databaseName(owner);
}
