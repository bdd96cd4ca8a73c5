/** Compact copies of databases: tree by tree in the order of their keys, without free pages and slack. */
import { BTree, BulkBuilder } from '@sombra/btree';
import type { BulkTree } from '@sombra/btree';
import { COUNTERS, createEmptyCopy, Pager, replaceDatabase, writeCopy } from '@sombra/pager';
import type { ReplacedCommit, View } from '@sombra/pager';
import { assert, NodeVfs, StateError } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { throwIfAborted } from '../base/abort.ts';
import { checkCount, checkOptions } from '../base/check-options.ts';
import { nextTurn } from '../base/pause.ts';
import { locateDatabase } from './examination.ts';
import { refuseOwnName, TargetFile } from './target-file.ts';

/** What a vacuum does. */
export type VacuumPhase = 'backup' | 'copying' | 'publish';

/** How far it is. */
export interface VacuumProgress {
  readonly phase: VacuumPhase;
  /** `backup`: bytes; `copying`: entries of trees. */
  readonly done: number;
  readonly total: number;
}

/** Options of `vacuumInto` and `vacuumDatabase`. */
export interface VacuumOptions {
  /** Milliseconds to wait for a process that is opening or closing the database. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** Ends it with SOMBRA_ABORTED; the database stays as it is, and nothing is left of the new file. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VacuumProgress) => void) | undefined;
  /** Default: that of Node. */
  readonly vfs?: Vfs | undefined;
}

/** What a vacuum did. */
export interface VacuumResult {
  readonly path: string;
  /** The compact file. */
  readonly target: string;
  /** The commit that it holds. */
  readonly commit: number;
  /** Bytes of both files. */
  readonly sizeBefore: number;
  readonly sizeAfter: number;
  /** In place: where the database as it was lies; null otherwise. */
  readonly backup: string | null;
}

const BUSY_TIMEOUT_MS = 5000;
const OPTIONS = ['busyTimeoutMs', 'signal', 'onProgress', 'vfs'];
/** Entries that are copied from one turn of the event loop to the next. */
const STEP_ENTRIES = 2048;

/**
 * Writes a compact copy of the newest commit to a new file, beside whatever else uses the database: readers and writers go on. It has
 * the same content, ids, indexes and statistics, the same database id, and a timeline and a salt of its own.
 * @param target  a new file
 * @throws DataError SOMBRA_NOT_FOUND, SOMBRA_FILE_EXISTS, SOMBRA_BACKUP_TARGET, SOMBRA_OPTION; CorruptionError: salvage it instead; IoError SOMBRA_BUSY,
 *   SOMBRA_IO, SOMBRA_DISK_FULL; StateError SOMBRA_ABORTED. Nothing is left of the target then
 */
export async function vacuumInto(path: string, target: string, options: VacuumOptions = {}): Promise<VacuumResult> {
  checkOptions('vacuumInto', options, OPTIONS);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const vfs = options.vfs ?? new NodeVfs();
  const real = locateDatabase(vfs, path);
  refuseOwnName(vfs, real, target);
  const file = new TargetFile(vfs, target);
  try {
    const pager = openSource(vfs, real, 'shared', options);
    let compacted: Compacted;
    try {
      compacted = await compact(pager, vfs, real, file, options);
    } finally {
      pager.close();
    }
    options.onProgress?.({ phase: 'publish', done: 0, total: 0 });
    file.publish();
    return resultOf(path, target, compacted, null);
  } finally {
    file.abandon();
  }
}

/**
 * Compacts a database in place. No other connection may have it open. First a copy of the database as it is goes to `backup`, and stays
 * there. After a crash at any point the database is the old one or the new one, whole.
 * @param backup  a new file
 * @throws as `vacuumInto`; IoError SOMBRA_BUSY when another connection has it open; StateError SOMBRA_ARCHIVE_GAP while its log is
 *   archived, SOMBRA_DATABASE_CHANGED when it was used between copying and replacing: it stays as it is
 */
export async function vacuumDatabase(path: string, backup: string, options: VacuumOptions = {}): Promise<VacuumResult> {
  checkOptions('vacuumDatabase', options, OPTIONS);
  checkCount('busyTimeoutMs', options.busyTimeoutMs, 0);
  const vfs = options.vfs ?? new NodeVfs();
  const real = locateDatabase(vfs, path);
  const file = TargetFile.replacing(vfs, real);
  try {
    const compacted = await compactAlone(path, real, backup, vfs, file, options);
    options.onProgress?.({ phase: 'publish', done: 0, total: 0 });
    replaceDatabase(vfs, real, file.temporary, compacted.source, options.busyTimeoutMs ?? BUSY_TIMEOUT_MS);
    return resultOf(path, path, compacted, backup);
  } finally {
    file.abandon();
  }
}

/** Copies and compacts while no other connection has the database, and closes it cleanly. */
async function compactAlone(
  path: string,
  real: string,
  backup: string,
  vfs: Vfs,
  file: TargetFile,
  options: VacuumOptions,
): Promise<Compacted> {
  const pager = openSource(vfs, real, 'exclusive', options);
  try {
    if (pager.archivedThrough() !== Infinity) {
      throw new StateError(
        'SOMBRA_ARCHIVE_GAP',
        `the log of ${path} is archived, and a vacuum in place does not go through it: end the archive, vacuum, and begin it again with a new backup`,
      );
    }
    TargetFile.removeLeftovers(vfs, real);
    pager.checkpoint();
    await writeBackup(pager, vfs, backup, options);
    return await compact(pager, vfs, real, file, options);
  } finally {
    pager.close();
  }
}

interface Compacted {
  readonly source: ReplacedCommit;
  readonly commit: number;
  readonly sizeBefore: number;
  readonly sizeAfter: number;
}

function resultOf(path: string, target: string, compacted: Compacted, backup: string | null): VacuumResult {
  const { commit, sizeBefore, sizeAfter } = compacted;
  return { path, target, commit, sizeBefore, sizeAfter, backup };
}

function openSource(vfs: Vfs, path: string, locking: 'shared' | 'exclusive', { busyTimeoutMs }: VacuumOptions): Pager {
  return Pager.open({
    vfs,
    path,
    locking,
    createIfMissing: false,
    busyTimeoutMs: busyTimeoutMs ?? BUSY_TIMEOUT_MS,
  });
}

async function writeBackup(pager: Pager, vfs: Vfs, path: string, { signal, onProgress }: VacuumOptions): Promise<void> {
  const copy = pager.copy();
  try {
    const steps = writeCopy(copy, vfs, path, ({ doneBytes, totalBytes }) =>
      onProgress?.({ phase: 'backup', done: doneBytes, total: totalBytes }),
    );
    try {
      for (let step = steps.next(); step.done !== true; step = steps.next()) {
        await (step.value ?? nextTurn(pager.env));
        throwIfAborted(signal);
      }
    } finally {
      steps.return();
    }
  } finally {
    copy.release();
  }
}

/** Writes the trees of the newest commit to the file, under its temporary name, and closes it. */
async function compact(
  pager: Pager,
  vfs: Vfs,
  path: string,
  file: TargetFile,
  options: VacuumOptions,
): Promise<Compacted> {
  const view = pager.snapshot({ exempt: true });
  try {
    const source = createEmptyCopy(vfs, file.temporary, path);
    const fresh = Pager.open({ vfs, path: file.temporary, createIfMissing: false });
    let pages: number;
    try {
      await copyTrees(pager, view, fresh, options);
      pages = fresh.view.pageCount;
    } finally {
      fresh.close();
    }
    const { pageSize } = pager;
    return {
      commit: view.lsn,
      source: { ...source, lsn: view.lsn },
      sizeBefore: view.pageCount * pageSize,
      sizeAfter: pages * pageSize,
    };
  } finally {
    view.release();
  }
}

async function copyTrees(pager: Pager, view: View, fresh: Pager, { signal, onProgress }: VacuumOptions): Promise<void> {
  const trees = view.trees();
  const total = trees.reduce((sum, { count }) => sum + count, 0);
  const writer = fresh.bulk();
  try {
    let done = 0;
    const built: BulkTree[] = [];
    for (const [slot, { name }] of trees.entries()) {
      const builder = new BulkBuilder(writer, slot + 1, fresh.pageSize);
      const cursor = BTree.open(view, name)!.cursor(view);
      try {
        for (let more = cursor.first(); more; more = cursor.next()) {
          const [key, value] = [cursor.key(), cursor.value()];
          builder.add(key, key.length, value, 0, value.length);
          done += 1;
          if (done % STEP_ENTRIES !== 0) continue;
          onProgress?.({ phase: 'copying', done, total });
          await nextTurn(pager.env);
          throwIfAborted(signal);
        }
      } finally {
        cursor.close();
      }
      built.push(builder.finish());
    }
    await writer.syncAhead();
    writer.finish((tx) => {
      for (const [at, { name }] of trees.entries()) {
        const slot = tx.createTree(name);
        assert(slot === at, 'the trees of a new file get its slots in order');
        tx.setTreeRoot(slot, built[at]!.root);
        tx.addTreeCount(slot, built[at]!.count);
      }
      for (let counter = 0; counter < COUNTERS; counter += 1) tx.setCounter(counter, view.counter(counter));
    });
  } finally {
    writer.abort();
  }
}
