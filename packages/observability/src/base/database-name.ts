import { basename } from 'node:path';

/** How a database is called in logs: the name of its file, without the folder. `:memory:` stays. */
export function databaseName(path: string): string {
  return basename(path);
}
