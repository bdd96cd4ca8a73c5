/** The log record of a commit (rule C6): per changed page an image or a delta, and where each lies in the record. */
import { InvariantError, verifying } from '@sombra/vfs';
import { applyOps, RECORD_COMMIT } from '@sombra/wal';
import type { RecordBuilder } from '@sombra/wal';
import { FLAGS_OFFSET, KIND_OFFSET, PAGE_HEADER_SIZE } from '../format/page-header.ts';
import { MODE_DELTA, MODE_IMAGE } from '../pages/dirty-pages.ts';
import type { DirtyPages } from '../pages/dirty-pages.ts';
import { NO_OP } from '../pages/op-log.ts';
import type { PageCache } from '../pages/page-cache.ts';
import { NO_ENTRY } from '../pages/page-index.ts';
import type { PageIndex } from '../pages/page-index.ts';
import type { VersionReader } from '../pages/version-reader.ts';
import type { Changes } from './transaction-host.ts';

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

/** What a record is built from and into. */
export interface RecordParts {
  readonly dirty: DirtyPages;
  readonly cache: PageCache;
  readonly index: PageIndex;
  readonly reader: VersionReader;
  readonly builder: RecordBuilder;
  readonly entries: RecordEntries;
}

/** Does page `d` stand in the record: was it changed and not freed? */
export function isLogged(dirty: DirtyPages, d: number): boolean {
  const mode = dirty.mode[d];
  return mode === MODE_IMAGE || (mode === MODE_DELTA && dirty.log.operations(d) > 0);
}

/** How many pages stand in the record. */
export function countLogged(dirty: DirtyPages): number {
  let logged = 0;
  for (let d = 0; d < dirty.count; d += 1) if (isLogged(dirty, d)) logged += 1;
  return logged;
}

/**
 * Builds the record of the running transaction.
 * @param logged  pages that stand in it
 * @param before  the newest commit that was appended
 */
export function buildRecord(parts: RecordParts, tx: Changes, time: number, logged: number, before: number): void {
  const { dirty, cache, builder, entries } = parts;
  const { log } = dirty;
  entries.reserve(dirty.count + tx.placed.length);
  builder.begin(RECORD_COMMIT, tx.lsn, time, tx.catalogue.pageCount);
  let built = 0;
  for (let d = 0; d < dirty.count; d += 1) {
    if (!isLogged(dirty, d)) continue;
    const pageNumber = dirty.page[d]!;
    const base = dirty.frame[d]! << cache.shift;
    const start = builder.entryOffset();
    if (dirty.mode[d] === MODE_DELTA && rebuildBytes(parts, d) > cache.pageSize) dirty.mode[d] = MODE_IMAGE;
    if (dirty.mode[d] === MODE_IMAGE) builder.addImage(pageNumber, cache.bytes, base);
    else {
      if (verifying) checkDelta(parts, d, base, before);
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
  entries.count = built + addPlaced(parts, tx);
}

/** K8: pages that stand in main, synced, are named as versions of this very commit. @returns their number */
function addPlaced({ dirty, builder, entries }: RecordParts, tx: Changes): number {
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
function rebuildBytes({ index, dirty }: RecordParts, d: number): number {
  const head = index.head(dirty.page[d]!);
  return (head === NO_ENTRY ? 0 : index.bytesOf(head)) + dirty.log.byteLength(d);
}

/** C7: the delta, applied to the version it names, gives the page. */
export function checkDelta({ dirty, cache, reader }: RecordParts, d: number, base: number, before: number): void {
  const { log } = dirty;
  const page = new Uint8Array(cache.pageSize);
  const lsn = reader.read(dirty.page[d]!, before, page, 0);
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
