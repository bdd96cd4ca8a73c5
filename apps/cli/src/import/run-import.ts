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
import { lineOfRecord, readBatches } from '../csv/records.ts';
import { Converter } from './convert.ts';
import { IdTable } from './id-table.ts';
import { placedError } from './import-error.ts';
import { Loader, RefusedRow } from './loader.ts';
import type { LoaderEvents } from './loader.ts';
import type { LoadResult } from './messages.ts';
import type { ImportPlan } from './plan.ts';

/** Files of a database beside the main file, by what follows its name. */
const COMPANION = /^(?:-(?:wal|wal-spare|dw|bulk|shm|lock|\d{10}-wal)|\.tmp-[0-9a-f]{32})?$/;

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
  readonly files: readonly { readonly file: string; readonly kind: 'nodes' | 'edges'; readonly rows: number }[];
}

/**
 * Imports.
 * @returns undefined when it was given up
 * @throws DataError SOMBRA_CSV_…, and what the database throws
 */
export async function runImport(
  plan: ImportPlan,
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
    const files = await feed(plan, loader, run);
    const result = await loader.result;
    finished = result !== undefined;
    return result === undefined ? undefined : { ...result, files };
  } catch (error) {
    loader.giveUp();
    await loader.result.catch(() => undefined);
    throw error instanceof RefusedRow ? await placeRow(plan, error) : error;
  } finally {
    run.signal.removeEventListener('abort', giveUp);
    run.kill.removeEventListener('abort', kill);
    if (!finished && !existed && loader.openedEmpty) removeDatabase(database);
  }
}

/** Sends every file, nodes first. Stops early when the other side wants no more. */
async function feed(plan: ImportPlan, loader: Loader, run: ImportRun): Promise<ImportSummary['files']> {
  const ids = new IdTable();
  const files: { file: string; kind: 'nodes' | 'edges'; rows: number }[] = [];
  const csv = { delimiter: plan.delimiter, onBytes: (bytes: number) => run.read(bytes) };
  let position = 0;
  for (const kind of ['nodes', 'edges'] as const) {
    for (const [at, filePlan] of plan.files.entries()) {
      if (filePlan.kind !== kind) continue;
      const converter = new Converter(plan, at, ids);
      let rows = 0;
      for await (const batch of readBatches(filePlan.file, csv)) {
        const converted = kind === 'nodes' ? await converter.nodes(batch, position) : await converter.edges(batch);
        rows += converted.rows.length;
        if (kind === 'nodes') position += converted.rows.length;
        if (!(await loader.send(converted))) return files;
      }
      files.push({ file: filePlan.file.path, kind, rows });
    }
    if (!(await loader.send({ kind: `${kind}-end` }))) return files;
  }
  return files;
}

/** Says where the row stands that the engine refuses. */
async function placeRow(plan: ImportPlan, { row, error }: RefusedRow): Promise<Error> {
  const { file } = plan.files[row.file]!;
  return placedError(error.code, { file: file.path, line: await lineOfRecord(file, row.record) }, error.message, error);
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
