/**
 * Commit (rules C1, C2, C6, E1, E2). Steps, and what a crash after each leaves:
 *
 * 1. The catalogue's changes become operations on the roots page.        Nothing on disk has changed.
 * 2. The record is built: per page an image or a delta.                   -
 * 3. The log gets ready if this is the first commit since a clean open.   An empty log that joins; the clean flag is off.
 * 4. The record is appended in one write.                                 A torn record, or a whole one nobody acknowledged:
 *                                                                         recovery drops the first and keeps the second.
 * 5. Mode full: the log is synced, now or with a group of others.         The commit is durable.
 * 6. The commit is published: index, cache, catalogue, view move on.      -
 *
 * A failing write in 3 or 4 rejects the transaction, the log's tail goes back, and the database stays writable. A failing
 * sync poisons it: whether the commit is there is known after the next open.
 */
import { InvariantError, verifying } from '@sombra/vfs';
import type { TransactionError } from '@sombra/vfs';
import { applyOps, ENTRY_DELTA, ENTRY_IMAGE, RECORD_COMMIT } from '@sombra/wal';
import type { LogPosition, LogTail, RecordBuilder, Wal } from '@sombra/wal';
import { MODE_DELTA, MODE_IMAGE } from '../pages/dirty-pages.ts';
import type { Engine } from '../connection/engine.ts';
import { commitInDoubt } from '../base/failure.ts';
import { NO_OP } from '../pages/op-log.ts';
import { PAGE_HEADER_SIZE, FLAGS_OFFSET, KIND_OFFSET } from '../format/page-header.ts';
import { ENTRY_IN_MAIN, NO_ENTRY } from '../pages/page-index.ts';
import { appendRecord, publishCommit } from './publish.ts';
import { writeRootsPage } from '../format/roots-page.ts';
import type { WriteTransaction } from './transaction.ts';

/** What an appended transaction needs to be published. */
interface Appended {
  readonly wal: Wal;
  readonly entries: RecordEntries;
  readonly position: LogPosition;
}

/**
 * Commits the running transaction.
 * @returns lsn of the commit, or of the one before when nothing changed
 */
export function commitTransaction(engine: Engine, tx: WriteTransaction): number {
  const appended = append(engine, tx);
  if (appended === null) {
    // What this transaction saw may still wait for its sync.
    engine.group.settleNow();
    return engine.tail.lsn;
  }
  const { wal, entries, position } = appended;
  try {
    if (engine.syncsCommits) engine.sync(wal);
    const { tail } = wal;
    publishPages(engine, tx, entries, position, tail);
    engine.appended(tx);
    publishCommit(engine, tx.catalogue, tail);
  } catch (error) {
    throw inDoubt(engine, tx, error);
  }
  engine.group.acknowledge();
  return tx.lsn;
}

/** The record stands in the log, and cannot be taken back: whether the commit is there, only the next open tells (rule E1). */
function inDoubt(engine: Engine, tx: WriteTransaction, cause: unknown): TransactionError {
  engine.health.poison(cause);
  engine.group.fail(cause);
  return commitInDoubt(tx.lsn, cause);
}

/**
 * Appends the running transaction; it is published when a sync covers it.
 * @returns fulfilled with the lsn when it is durable and published
 */
export function commitInGroup(engine: Engine, tx: WriteTransaction): Promise<number> {
  if (!engine.syncsCommits) return Promise.resolve(commitTransaction(engine, tx));
  const appended = append(engine, tx);
  if (appended === null) return engine.group.last(engine.tail.lsn);
  const { tail } = appended.wal;
  try {
    publishPages(engine, tx, appended.entries, appended.position, tail);
    engine.appended(tx);
  } catch (error) {
    throw inDoubt(engine, tx, error);
  }
  return engine.group.add(tx.catalogue, tail);
}

/** Steps 1 to 4. null when nothing changed. */
function append(engine: Engine, tx: WriteTransaction): Appended | null {
  engine.health.checkWritable();
  const { dirty, tail } = engine;
  if (tx.catalogue.differsFrom(tail)) writeRootsPage(tx, tx.editRoots(), tail, tx.catalogue);
  let logged = 0;
  for (let d = 0; d < dirty.count; d += 1) if (isLogged(engine, d)) logged += 1;
  if (logged === 0 && tx.catalogue.pageCount === tail.pageCount) {
    dirty.rewind(0, 0);
    engine.committedNothing(tx);
    return null;
  }
  const wal = engine.ensureLog();
  const entries = buildRecord(engine, tx, logged);
  return { wal, entries, position: appendRecord(engine, wal) };
}

/** Does page `d` stand in the record: was it changed and not freed? */
function isLogged(engine: Engine, d: number): boolean {
  const mode = engine.dirty.mode[d];
  return mode === MODE_IMAGE || (mode === MODE_DELTA && engine.dirty.log.operations(d) > 0);
}

/** Where in the record the entry of each dirty page lies. Reused from commit to commit. */
export class RecordEntries {
  offset = new Float64Array(64);
  length = new Uint32Array(64);
  checksum = new Uint32Array(64);
  /** Entries of the record that was built last. */
  count = 0;

  /** Notes the entry that begins at `start` and is the last one of the record so far. */
  note(index: number, builder: RecordBuilder, start: number, pageNumber: number): void {
    this.offset[index] = start;
    this.length[index] = builder.entryOffset() - start;
    this.checksum[index] = builder.entryChecksum(start, pageNumber);
  }

  /** Makes room for `count` pages. */
  reserve(count: number): void {
    if (count <= this.offset.length) return;
    this.offset = new Float64Array(count * 2);
    this.length = new Uint32Array(count * 2);
    this.checksum = new Uint32Array(count * 2);
  }
}

function buildRecord(engine: Engine, tx: WriteTransaction, logged: number): RecordEntries {
  const { dirty, cache, builder, entries } = engine;
  const { log } = dirty;
  entries.reserve(dirty.count + tx.placed.length);
  builder.begin(RECORD_COMMIT, tx.lsn, engine.commitTime(), tx.catalogue.pageCount);
  let built = 0;
  for (let d = 0; d < dirty.count; d += 1) {
    if (!isLogged(engine, d)) continue;
    const pageNumber = dirty.page[d]!;
    const base = dirty.frame[d]! << cache.shift;
    const start = builder.entryOffset();
    if (dirty.mode[d] === MODE_DELTA && rebuildBytes(engine, d) > cache.pageSize) dirty.mode[d] = MODE_IMAGE;
    if (dirty.mode[d] === MODE_IMAGE) builder.addImage(pageNumber, cache.bytes, base);
    else {
      if (verifying) checkDelta(engine, d, base);
      builder.beginDelta(pageNumber, dirty.baseLsn[d]!);
      for (let chunk = log.firstChunk(d); chunk !== NO_OP; chunk = log.nextChunk(chunk)) {
        builder.addOps(log.bytes, log.chunkFrom(chunk), log.chunkTo(chunk), log.chunkOperations(chunk));
      }
      builder.endDelta();
    }
    entries.note(d, builder, start, pageNumber);
    built += 1;
  }
  if (built !== logged) throw new InvariantError('every changed page has an entry');
  entries.count = built + addPlaced(engine, tx, entries);
  return entries;
}

/** K8: pages that stand in main, synced, are named as versions of this very commit. @returns their number */
function addPlaced(engine: Engine, tx: WriteTransaction, entries: RecordEntries): number {
  const { dirty, builder } = engine;
  let added = 0;
  for (let i = 0; i < tx.placed.length; i += 1) {
    const pageNumber = tx.placed[i]!;
    entries.length[dirty.count + i] = 0;
    if (dirty.indexOf(pageNumber) >= 0) continue; // changed again since, and logged whole, or free
    const start = builder.entryOffset();
    builder.beginDelta(pageNumber, tx.lsn);
    builder.endDelta();
    entries.note(dirty.count + i, builder, start, pageNumber);
    added += 1;
  }
  return added;
}

/** Log bytes from the page's last image or from main to what this commit would add: the cost of rebuilding the page. */
function rebuildBytes(engine: Engine, d: number): number {
  const head = engine.index.head(engine.dirty.page[d]!);
  return (head === NO_ENTRY ? 0 : engine.index.bytesOf(head)) + engine.dirty.log.byteLength(d);
}

/** C7: the delta, applied to the version it names, gives the page. */
function checkDelta(engine: Engine, d: number, base: number): void {
  const { dirty, cache, reader } = engine;
  const { log } = dirty;
  const page = new Uint8Array(cache.pageSize);
  const lsn = reader.read(dirty.page[d]!, engine.tail.lsn, page, 0);
  if (lsn !== dirty.baseLsn[d]) throw new InvariantError('a delta applies to the newest committed version');
  for (let chunk = log.firstChunk(d); chunk !== NO_OP; chunk = log.nextChunk(chunk)) {
    applyOps(page, 0, cache.pageSize, log.bytes, log.chunkFrom(chunk), log.chunkTo(chunk));
  }
  for (let at = KIND_OFFSET; at < cache.pageSize; at += 1) {
    if (page[at] === cache.bytes[base + at]) continue;
    const where = at < PAGE_HEADER_SIZE ? `header byte ${at} (flags at ${FLAGS_OFFSET})` : `byte ${at}`;
    throw new InvariantError(`page ${dirty.page[d]} changed without a page operation at ${where}`);
  }
}

/** The transaction's copies become the newest versions of their pages, and its record is indexed. */
function publishPages(
  engine: Engine,
  tx: WriteTransaction,
  entries: RecordEntries,
  { seq, offset }: LogPosition,
  end: LogTail,
): void {
  const { dirty, cache, index } = engine;
  for (let d = 0; d < dirty.count; d += 1) {
    const frame = dirty.frame[d]!;
    if (!isLogged(engine, d)) {
      cache.dropDirty(frame);
      continue;
    }
    const kind = dirty.mode[d] === MODE_IMAGE ? ENTRY_IMAGE : ENTRY_DELTA;
    index.add(dirty.page[d]!, tx.lsn, seq, offset + entries.offset[d]!, entries.length[d]!, kind, entries.checksum[d]!);
    cache.commitDirty(frame);
  }
  for (let i = 0, at = dirty.count; i < tx.placed.length; i += 1, at += 1) {
    if (entries.length[at] === 0) continue;
    const [start, length, checksum] = [offset + entries.offset[at]!, entries.length[at]!, entries.checksum[at]!];
    index.add(tx.placed[i]!, tx.lsn, seq, start, length, ENTRY_IN_MAIN, checksum);
  }
  index.addCommit(tx.lsn, end.seq, end.offset, end.chain, tx.catalogue.pageCount);
  engine.stats.pagesLogged += entries.count;
  dirty.count = 0;
}
