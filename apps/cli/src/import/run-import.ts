/**
 * An import from beginning to end.
 *
 * 1. Files and headers are looked at; nothing is written yet.
 * 2. The loading thread opens the database; this thread reads the files and feeds it.
 * 3. The loading thread commits once, closes, and ends.
 * When anything fails before that, or on a signal, the loading thread takes everything back, and a database file that the
 * import has created is removed.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { placedError } from '../errors/import-error.ts';
import type { FileSummary, ImportSource } from './import-source.ts';
import { Loader, RefusedRow } from './loader.ts';
import type { LoaderEvents } from './loader.ts';
import type { LoadResult } from './messages.ts';

/** Files of a database beside the main file, by what follows its name. */
const COMPANION = /^(?:-(?:wal|wal\.spare|dw|bulk|shm|lock|\d{10}-wal)|\.tmp-[0-9a-f]{32})?$/;

/** How an import is run. */
export interface ImportRun extends LoaderEvents {
  readonly maxTransactionPages: number | undefined;
  /** Told how many bytes of the files have been read. */
  read(bytes: number): void;
  /** Gives the import up; a second abort, by `kill`, does not wait for it. */
  readonly signal: AbortSignal;
  readonly kill: AbortSignal;
}

/** What was imported. */
export interface ImportSummary extends LoadResult {
  readonly files: readonly FileSummary[];
}

/**
 * Imports.
 * @returns undefined when it was given up
 * @throws DataError SOMBRA_IMPORT_…, SOMBRA_CSV_…, SOMBRA_JSONL_…, and what the database throws
 */
export async function runImport(
  source: ImportSource,
  database: string,
  run: ImportRun,
): Promise<ImportSummary | undefined> {
  const existed = existsSync(database);
  const loader = new Loader(database, run.maxTransactionPages, run);
  const giveUp = (): void => loader.giveUp();
  const kill = (): void => void loader.kill();
  run.signal.addEventListener('abort', giveUp);
  run.kill.addEventListener('abort', kill);
  let finished = false;
  try {
    const files = await source.feed(
      (feed) => loader.send(feed),
      (bytes) => run.read(bytes),
    );
    const result = await loader.result;
    finished = result !== undefined;
    return result === undefined ? undefined : { ...result, files };
  } catch (error) {
    loader.giveUp();
    await loader.result.catch(() => undefined);
    throw error instanceof RefusedRow ? await placeRow(source, error) : error;
  } finally {
    run.signal.removeEventListener('abort', giveUp);
    run.kill.removeEventListener('abort', kill);
    if (!finished && !existed && loader.openedEmpty) removeDatabase(database);
  }
}

/** Says where the row stands that the engine refuses. */
async function placeRow(source: ImportSource, { row, error }: RefusedRow): Promise<Error> {
  return placedError(error.code, await source.place(row), error.message, error);
}

/** Removes a database that this import has created. */
function removeDatabase(path: string): void {
  const folder = dirname(path);
  const name = basename(path);
  for (const entry of readdirSync(folder)) {
    if (entry.startsWith(name) && COMPANION.test(entry.slice(name.length)))
      rmSync(join(folder, entry), { force: true });
  }
}
