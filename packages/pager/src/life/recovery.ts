/**
 * Recovery (rules O3 to O5), and pairing of main and log (P1). Steps:
 *
 * 1. The newest valid superblock slot is chosen.
 *    A clean file without log and double-write area is as durable as it looks: steps 2 to 4 have nothing to do.
 * 2. A double-write batch that is valid for it is written again and synced, with its name; the slot (same bytes, same place)
 *    and the batch's pages are written to main, main is synced. Until then no checkpoint counts: the page cache of the
 *    operating system may hold what a power loss takes.
 * 3. A batch that holds a whole checkpoint (log in memory) finishes it: the next slot, synced.
 * 4. The log is scanned from the replay position; its kept tail is written again and synced; the directory is synced. Before anything
 *    of this timeline is given up, a slot that says so is written and synced (rule P6, timeline.ts).
 * 5. The catalogue is read.
 *
 * A crash in any step leaves what the step found, or the same bytes again.
 */
import {
  CorruptionError,
  DataError,
  directoryOf,
  PoisonedError,
  preadFully,
  pwriteFully,
  readSafe64,
  readU32,
  syncDirectory,
} from '@sombra/vfs';
import type { SombraError, Vfs, VfsFile } from '@sombra/vfs';
import {
  archiveMarkPath,
  ENTRY_IMAGE,
  inodeNumber,
  livePath,
  recoverLog,
  sealedPath,
  SEGMENT_HEADER_SIZE,
  setAside,
  sparePath,
} from '@sombra/wal';
import type { RecordView, RecoveryOptions, RecoveryResult, Wal } from '@sombra/wal';
import { fileNameOf } from '../base/paths.ts';
import {
  doubleWritePath,
  readDoubleWrite,
  restoreFromDoubleWrite,
  rewriteDoubleWrite,
} from '../format/double-write.ts';
import type { DoubleWriteBatch } from '../format/double-write.ts';
import type { ConnectionParts } from '../connection/connection.ts';
import { indexRecord } from '../pages/index-record.ts';
import { walOptions } from '../files/log-writer.ts';
import type { LockTable } from '../sharing/locks.ts';
import type { PagerWarning, ResolvedOptions } from '../base/options.ts';
import { PageCache } from '../pages/page-cache.ts';
import { CHECKSUM_OFFSET, LSN_OFFSET, PAGE_NUMBER_OFFSET, pageChecksum, verifyPage } from '../format/page-header.ts';
import { PageIndex } from '../pages/page-index.ts';
import { PageSet } from '../pages/page-set.ts';
import { allFree } from '../writing/freelist.ts';
import { isCorruption } from '../base/failure.ts';
import { giveBack, runAll } from '../base/run-all.ts';
import { pageRepair } from '../pages/page-repair.ts';
import { readRootsPage, rootsPage } from '../format/roots-page.ts';
import { saltBytes, saltWords } from '../format/salt.ts';
import type { Catalogue } from '../format/catalogue.ts';
import { newSharedState } from '../format/shared-state.ts';
import type { SharedState } from '../format/shared-state.ts';
import { Shm } from '../sharing/shm.ts';
import { encodeSuperblock, readSuperblocks, slotOffset, SUPERBLOCK_AREA_MIN } from '../format/superblock.ts';
import type { Superblock, SuperblockArea } from '../format/superblock.ts';
import { VersionReader } from '../pages/version-reader.ts';

/** Bytes of main that are scanned at once. */
const SCAN_BYTES = 1024 * 1024;

/**
 * What an inspecting open tolerates where a normal open refuses. It runs on a `CopyOnWriteVfs`.
 */
export interface Tolerance {
  /** Receives the damage that was found. */
  readonly damage: SombraError[];
  /** How much of the log is used: all of it, and damage is refused; the part before damage; none. */
  readonly log: 'all' | 'to-last-good' | 'none';
}

/** How a database is recovered. */
interface RecoverOptions {
  /** undefined: damage is refused. */
  readonly tolerance?: Tolerance;
  /** Others have it open: nothing is given up (rule P6). Default false. */
  readonly refuseLoss?: boolean;
}

/** What recovery found. */
export type Recovered = Omit<ConnectionParts, 'options' | 'shm'>;

/** Notes damage during an inspection; a normal open refuses it. */
function refuseOrNote(error: CorruptionError, tolerance: Tolerance | undefined): void {
  if (tolerance === undefined) throw error;
  tolerance.damage.push(error);
}

/**
 * Recovers a database that no other connection has open.
 * @param warnings  gets what was noticed
 * @throws CorruptionError, DataError, IoError, as `Pager.open`; then no file is open but `main`
 */
export function recover(
  options: ResolvedOptions,
  main: VfsFile,
  locks: LockTable,
  warnings: PagerWarning[],
  { tolerance, refuseLoss = false }: RecoverOptions = {},
): Recovered {
  const area = readArea(main, options, warnings, tolerance);
  const settled: Settled = options.readOnly
    ? { superblock: area.newest, bound: 0, unusedArea: false, strayBatch: false, closed: false }
    : settleMain(options, main, area);
  let { superblock } = settled;
  const { index, cache, shared } = prepare(options, superblock);

  let lsn = superblock.checkpointLsn;
  let { pageCount, time } = superblock;
  const filePages = Math.floor(main.stat().size / superblock.pageSize);
  const visit = (record: RecordView): void => {
    checkPageCount(record, pageCount, filePages);
    ({ lsn, pageCount, time } = record);
    indexRecord(index, record, cache);
  };
  const ignoresLog = options.readOnly || tolerance?.log === 'none' || (settled.closed && !options.toLastGood);
  const toLastGood = options.toLastGood || tolerance?.log === 'to-last-good';
  const beforeLoss = (): void => {
    if (tolerance !== undefined) return;
    if (refuseLoss) throw lossBesideOthers(options);
    if (lsn < settled.bound) throw lostCommits(options, lsn, settled.bound);
    if (superblock.forked) return;
    // A batch that was made for a slot which is damaged now must not count for the one that takes its sequence.
    if (!area.bothValid) removeDoubleWrite(options);
    superblock = { ...superblock, sequence: superblock.sequence + 1, forked: true };
    shared.sequence = superblock.sequence;
    writeSlot(main, superblock);
  };
  const how = { toLastGood, beforeLoss, wasClosed: superblock.clean };
  const wal = ignoresLog ? null : openLog(options, superblock, how, warnings, visit);
  try {
    if (refuseLoss && wal === null && !superblock.clean) throw lossBesideOthers(options);
    if (lsn < settled.bound) refuseOrNote(lostCommits(options, lsn, settled.bound), tolerance);
    if (wal === null && (!superblock.clean || !area.bothValid || settled.unusedArea)) {
      // With a slot lost, pages beyond the page count may belong to the checkpoint that it recorded.
      withoutLog(options, main, superblock, area.bothValid ? superblock.pageCount : filePages, tolerance);
      // A batch of the log that is gone must never repair a page of commits to come.
      if (settled.strayBatch) options.vfs.unlink(doubleWritePath(options.path));
    }
    if (wal !== null) {
      shareLog(shared, wal);
    }
    shared.publishedLsn = lsn;
    shared.publishedPages = pageCount;
    shared.publishedTime = time;
    const published = readCatalogue(options, main, { index, superblock, shared, wal });
    return { vfs: options.vfs, main, locks, cache, index, shared, published, superblock, wal };
  } catch (error) {
    closeLog(wal);
    throw error;
  }
}

/** Closes what recovery opened of the log. */
export function closeLog(wal: Wal | null): void {
  runAll([() => wal?.close(), () => wal?.files.close()]);
}

/** Step 1. @throws DataError SOMBRA_PAGE_SIZE, …; CorruptionError SOMBRA_FILE_TRUNCATED, … */
export function readArea(
  main: VfsFile,
  options: ResolvedOptions,
  warnings: PagerWarning[],
  tolerance?: Tolerance,
): SuperblockArea {
  const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
  const read = preadFully(main, area, 0);
  const found = readSuperblocks(area.subarray(0, read), options.path);
  const { newest, bothValid } = found;
  if (options.pageSize !== undefined && options.pageSize !== newest.pageSize) {
    throw new DataError(
      'SOMBRA_PAGE_SIZE',
      `${options.path} has pages of ${newest.pageSize} bytes, pageSize is ${options.pageSize}: leave pageSize out`,
      {
        details: { found: newest.pageSize, wanted: options.pageSize },
      },
    );
  }
  const { size } = main.stat();
  if (size < newest.pageCount * newest.pageSize) {
    const truncated = new CorruptionError(
      'SOMBRA_FILE_TRUNCATED',
      `${options.path} has ${size} bytes, ${newest.pageCount} pages of ${newest.pageSize} bytes are expected; restore a backup`,
      { details: { size, expected: newest.pageCount * newest.pageSize } },
    );
    refuseOrNote(truncated, tolerance);
  }
  if (!bothValid) {
    warnings.push({
      code: 'SOMBRA_SUPERBLOCK_SLOT',
      message: `${options.path}: one superblock slot is damaged or was torn by a crash; the other one is used`,
    });
  }
  return found;
}

/** The database grows by pages of main that a bulk load wrote, and by pages whose first image stands in the log. */
function checkPageCount(record: RecordView, pagesBefore: number, filePages: number): void {
  const known = Math.max(pagesBefore, filePages);
  let added = 0;
  if (record.pageCount > known) {
    record.forEachEntry((pageNumber, kind) => {
      if (pageNumber >= known && kind === ENTRY_IMAGE) added += 1;
    });
  }
  if (record.pageCount >= pagesBefore && record.pageCount <= known + added) return;
  throw new CorruptionError(
    'SOMBRA_WAL_RECORD',
    `commit ${record.lsn} in the log speaks of ${record.pageCount} pages, and the file and the log have ${known + added}; restore a backup`,
    { details: { lsn: record.lsn, pageCount: record.pageCount, found: known + added } },
  );
}

function lossBesideOthers({ path }: ResolvedOptions): PoisonedError {
  return new PoisonedError(
    'SOMBRA_LOCK_POISONED',
    `a sync of ${path} failed while others have it open, and a part of its log would have to be given up: close all connections, and open it again`,
  );
}

function removeDoubleWrite({ vfs, path }: ResolvedOptions): void {
  if (vfs.stat(doubleWritePath(path)) === null) return;
  vfs.unlink(doubleWritePath(path));
  syncDirectory(vfs, directoryOf(path));
}

/** The pages of an unfinished checkpoint are there, and it synced the log before it wrote them. */
function lostCommits({ path }: ResolvedOptions, lsn: number, bound: number): CorruptionError {
  return new CorruptionError(
    'SOMBRA_WAL_DAMAGED',
    `the log of ${path} ends with commit ${lsn}, and it was synced up to commit ${bound}; restore a backup`,
    {
      details: { lsn, bound },
    },
  );
}

/**
 * A file that should have a log and has none, or whose newest slot or last batch may be lost, stands at its last checkpoint
 * (rule P1): but only if no page is newer. Commits to come would have the numbers of those that are lost, and the two could no longer be
 * told apart.
 * @throws CorruptionError SOMBRA_PAGE_LSN
 */
function withoutLog(
  options: ResolvedOptions,
  main: VfsFile,
  superblock: Superblock,
  pageCount: number,
  tolerance: Tolerance | undefined,
): void {
  const { pageSize, checkpointLsn, salt } = superblock;
  const perPart = Math.max(1, SCAN_BYTES / pageSize);
  const part = new Uint8Array(perPart * pageSize);
  let free: PageSet | undefined;
  for (let first = rootsPage(pageSize); first < pageCount; first += perPart) {
    const pages = Math.floor(preadFully(main, part, first * pageSize) / pageSize);
    for (let i = 0; i < Math.min(pages, pageCount - first); i += 1) {
      const base = i * pageSize;
      const pageNumber = first + i;
      const lsn = readSafe64(part, base + LSN_OFFSET);
      if (lsn <= checkpointLsn || readU32(part, base + PAGE_NUMBER_OFFSET) !== pageNumber) continue;
      if (pageChecksum(part, base, pageSize, pageNumber, salt) !== readU32(part, base + CHECKSUM_OFFSET)) continue;
      free ??= freePages(main, superblock);
      if (free.has(pageNumber)) continue; // a bulk load that died, or whose commit went with the log, wrote there
      const newer = new CorruptionError(
        'SOMBRA_PAGE_LSN',
        `${options.path} stands at commit ${checkpointLsn} and has no log, but page ${pageNumber} is of commit ${lsn}: its log was removed, its newest superblock slot was damaged, or it was copied while it was written; restore a backup`,
        { details: { pageNumber, found: lsn, limit: checkpointLsn } },
      );
      refuseOrNote(newer, tolerance);
      return;
    }
  }
}

/** The free pages of the checkpoint, as far as main has them. */
function freePages(main: VfsFile, { pageSize, salt, checkpointLsn, pageCount }: Superblock): PageSet {
  const page = new Uint8Array(pageSize);
  const read = (pageNumber: number): Uint8Array => {
    page.fill(0); // where the file is too short
    preadFully(main, page, pageNumber * pageSize);
    verifyPage(page, 0, pageSize, pageNumber, salt, checkpointLsn);
    return page;
  };
  try {
    const roots = readRootsPage(read(rootsPage(pageSize)), 0, pageSize, checkpointLsn, pageCount);
    return allFree(roots.freelistHead, roots.freeCount, pageSize, read);
  } catch (error) {
    if (isCorruption(error)) return new PageSet();
    throw error;
  }
}

/** The log as it was found is what the connections agree on. */
function shareLog(shared: SharedState, wal: Wal): void {
  const { seq, offset, chain } = wal.tail;
  shared.logSeq = seq;
  shared.logOffset = shared.synced = offset;
  shared.logChain = chain;
  shared.logInode = inodeNumber(wal.liveId());
  [shared.logSaltLow, shared.logSaltHigh] = saltWords(wal.liveSalt);
  // The segment of the replay position may be gone: then replay begins with the next one (rule O3).
  const first = wal.files.numbers()[0]!;
  if (first <= shared.replaySeq) return;
  shared.replaySeq = first;
  shared.replayOffset = SEGMENT_HEADER_SIZE;
  shared.replayChain = wal.files.startChain(first);
  [shared.replaySaltLow, shared.replaySaltHigh] = saltWords(wal.files.get(first).salt);
}

/** Step 4. */
function openLog(
  options: ResolvedOptions,
  superblock: Superblock,
  how: Pick<RecoveryOptions, 'toLastGood' | 'beforeLoss' | 'wasClosed'>,
  warnings: PagerWarning[],
  visit: (record: RecordView) => void,
): Wal | null {
  const where = walOptions(options, superblock, options.vfs);
  const position = { seq: superblock.replaySeq, offset: superblock.replayOffset };
  const start = { position, salt: superblock.logSalt, chain: superblock.chain, lsn: superblock.checkpointLsn };
  const before = Shm.lastHeader(options.vfs, options.path);
  const synced = before && { salt: saltBytes(before.logSaltLow, before.logSaltHigh), offset: before.synced };
  const from = synced === undefined ? start : { ...start, synced };
  const found = recoverLog(where, from, { ...how, keepDropped: true }, visit);
  if (found.kept.length > 0) {
    warnings.push({
      code: 'SOMBRA_LOG_GIVEN_UP',
      message: `${options.path}: the log could not be read to its end, and what lay behind the damage was given up; it is kept as ${found.kept.join(', ')}`,
    });
  }
  try {
    return settleLog(options, superblock, found, warnings);
  } catch (error) {
    giveBack([() => closeLog(found.wal)]);
    throw error;
  }
}

interface Settled {
  /** The slot that counts. */
  readonly superblock: Superblock;
  /** Commit up to which the log was synced, as far as an unfinished checkpoint shows; 0 without one. */
  readonly bound: number;
  /** There is a double-write area that does not count: torn, or damaged and perhaps all that could have repaired main. */
  readonly unusedArea: boolean;
  /** It holds a batch that would count, but belongs to a log that is gone. */
  readonly strayBatch: boolean;
  /** The file was closed properly, and has nothing beside it. */
  readonly closed: boolean;
}

/** Steps 2 and 3: main becomes as durable as it looks. */
function settleMain(options: ResolvedOptions, main: VfsFile, { newest, bothValid }: SuperblockArea): Settled {
  const { vfs, path } = options;
  const superblock = newest;
  // A file that was closed has been synced before its log went; what a copy left in the page cache is synced by the first commit (O2).
  if (isClosed(options, superblock, bothValid)) {
    // The creator of a file without a commit may have died before its name was durable; an open that returns promises that it is there.
    if (superblock.checkpointLsn === 0) syncDirectory(vfs, directoryOf(path));
    return { superblock, bound: 0, unusedArea: false, strayBatch: false, closed: true };
  }
  const area = vfs.stat(doubleWritePath(path)) === null ? undefined : vfs.open(doubleWritePath(path), { write: true });
  try {
    const batch = area === undefined ? undefined : readDoubleWrite(area, superblock, superblock.sequence);
    // Without the log nothing leads on from these pages, and the ones before them may still be whole.
    const usable = batch !== undefined && (batch.whole || hasLog(vfs, path));
    if (area === undefined || batch === undefined || !usable) {
      writeSlot(main, superblock);
      return { superblock, bound: 0, unusedArea: area !== undefined, strayBatch: batch !== undefined, closed: false };
    }
    rewriteDoubleWrite(area, batch, superblock);
    area.sync('data');
    syncDirectory(vfs, directoryOf(path)); // main is about to depend on its name
    pwriteFully(main, encodeSuperblock(superblock), slotOffset(superblock.sequence));
    const size = batch.pageCount * superblock.pageSize;
    if (main.stat().size < size) main.truncate(size);
    restoreFromDoubleWrite(area, batch, superblock.pageSize, main);
    main.sync('data');
    const settled = batch.whole
      ? { superblock: finishWhole(main, superblock, batch), bound: 0 }
      : { superblock, bound: batch.bound };
    return { ...settled, unusedArea: false, strayBatch: false, closed: false };
  } finally {
    area?.close();
  }
}

/**
 * Was the file closed properly? Then its log was removed, the live segment after the sealed ones, or waits for an archive. Names are
 * probed, as the folder may hold very many files; beside anything that a crash, an archive or a copy may have left it is listed.
 */
function isClosed({ vfs, path }: ResolvedOptions, { clean, replaySeq }: Superblock, bothValid: boolean): boolean {
  const sealed = [sealedPath(path, replaySeq), sealedPath(path, replaySeq + 1)];
  const names = [doubleWritePath(path), livePath(path), sparePath(path), archiveMarkPath(path), ...sealed];
  return clean && bothValid && names.every((name) => vfs.stat(name) === null);
}

/** Is there any file with the name of a segment? */
function hasLog(vfs: Vfs, path: string): boolean {
  if (vfs.stat(livePath(path)) !== null) return true;
  const prefix = `${fileNameOf(path)}-`;
  return vfs
    .list(directoryOf(path))
    .some((name) => name.startsWith(prefix) && /^[0-9]+-wal$/.test(name.slice(prefix.length)));
}

/** Step 3: the log was in memory and is gone; the batch is the whole checkpoint, so the checkpoint counts. */
function finishWhole(main: VfsFile, superblock: Superblock, batch: DoubleWriteBatch): Superblock {
  const slot: Superblock = {
    ...superblock,
    sequence: superblock.sequence + 1,
    checkpointLsn: batch.bound,
    pageCount: batch.pageCount,
  };
  writeSlot(main, slot);
  return slot;
}

/** Writes a slot, and syncs it. */
export function writeSlot(main: VfsFile, slot: Superblock): void {
  pwriteFully(main, encodeSuperblock(slot), slotOffset(slot.sequence));
  main.sync('data');
}

/** Step 5. */
function readCatalogue(
  { vfs, path }: ResolvedOptions,
  main: VfsFile,
  found: Pick<Recovered, 'index' | 'superblock' | 'shared' | 'wal'>,
): Catalogue {
  const { index, superblock, shared, wal } = found;
  const { pageSize, salt } = superblock;
  const sequence = (): number => shared.sequence;
  const repair = pageRepair({ vfs, path, identity: superblock, write: null, sequence });
  const reader = new VersionReader(index, pageSize, main, salt, repair);
  if (wal !== null) reader.attach(wal.files);
  const scratch = new Uint8Array(pageSize);
  reader.read(rootsPage(pageSize), shared.publishedLsn, scratch, 0);
  return readRootsPage(scratch, 0, pageSize, shared.publishedLsn, shared.publishedPages);
}

/** What a connection is made of before it knows the log. */
export interface Prepared {
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly shared: SharedState;
}

/** Cache, index and shared state for a superblock. */
export function prepare(options: ResolvedOptions, superblock: Superblock): Prepared {
  const shared = newSharedState();
  shared.checkpointLsn = shared.bound = shared.intendedBound = superblock.checkpointLsn;
  shared.checkpointPages = superblock.pageCount;
  shared.replaySeq = shared.logSeq = superblock.replaySeq;
  shared.replayOffset = shared.logOffset = shared.synced = superblock.replayOffset;
  shared.replayChain = shared.logChain = superblock.chain;
  [shared.replaySaltLow, shared.replaySaltHigh] = [shared.logSaltLow, shared.logSaltHigh] = saltWords(
    superblock.logSalt,
  );
  shared.sequence = superblock.sequence;
  shared.clean = superblock.clean ? 1 : 0;
  shared.epoch = superblock.sequence;
  const index = new PageIndex();
  index.reset(superblock.checkpointLsn);
  const reserve = options.readOnly ? 0 : options.maxTransactionPages;
  return { cache: new PageCache(superblock.pageSize, options.cacheSize, reserve), index, shared };
}

/** P1, P2: what to do with the log that was found, or with none. */
function settleLog(
  options: ResolvedOptions,
  superblock: Superblock,
  found: RecoveryResult,
  warnings: PagerWarning[],
): Wal | null {
  const { vfs, path } = options;
  if (found.strangers.length > 0) {
    const names = setAside(walOptions(options, superblock, vfs), found);
    warnings.push({
      code: 'SOMBRA_WAL_SET_ASIDE',
      message: `${path}: the log beside it belongs to another database or an older copy; it was not replayed and is kept as ${names.join(', ')}`,
    });
  }
  if (found.wal !== null) return found.wal;
  if (found.strangers.length === 0 && found.kept.length === 0 && !superblock.clean) {
    warnings.push({
      code: 'SOMBRA_WAL_MISSING',
      message: `${path} was not closed and has no log: it is opened as of its last checkpoint, commit ${superblock.checkpointLsn}`,
    });
  }
  // A clean file has nothing to lose before its first commit, and the log that this begins syncs the directory (O2).
  if (found.strangers.length > 0 || !superblock.clean) syncDirectory(vfs, directoryOf(path));
  return null;
}

/** Does a double-write batch wait to be written to main? */
export function hasUnfinishedBatch(vfs: Vfs, path: string, superblock: Superblock): boolean {
  if (vfs.stat(doubleWritePath(path)) === null) return false;
  const area = vfs.open(doubleWritePath(path), { write: false });
  try {
    return readDoubleWrite(area, superblock, superblock.sequence) !== undefined;
  } finally {
    area.close();
  }
}
