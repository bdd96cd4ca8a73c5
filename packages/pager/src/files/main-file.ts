/**
 * The main file of one connection: its descriptors, its newest superblock slot, and whether it is still the file that was opened
 * (rules C3, K3, P4).
 *
 * Invariants:
 * 1. `superblock` is the newest slot that is known to be durable.
 * 2. Before anything is written to main within a tenure, `check` has compared it with the header.
 */
import { preadFully, pwriteFully, sameFile, StateError } from '@sombra/vfs';
import type { FileId, Vfs, VfsFile } from '@sombra/vfs';
import type { Health } from '../base/health.ts';
import { readSteadily } from '../base/steady.ts';
import type { ResolvedOptions } from '../base/options.ts';
import type { DoubleWriteIdentity } from '../format/double-write.ts';
import { encodeSuperblock, readSuperblocks, slotOffset, SUPERBLOCK_AREA_MIN } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';
import type { Header } from '../sharing/header.ts';

/** What a main file is made of. */
export interface MainFileParts {
  readonly vfs: Vfs;
  readonly options: ResolvedOptions;
  readonly health: Health;
  readonly header: Header;
}

/** See the top of the file. */
export class MainFile {
  readonly id: FileId;

  private readonly parts: MainFileParts;
  private descriptor: VfsFile;
  /** Second descriptor, while there is one: the system reports a failed write to both (C3). */
  private twin: VfsFile | undefined;
  /** The asynchronous sync that was asked for last, until it has ended. */
  private syncing: Promise<void> | undefined;
  private newest: Superblock;

  constructor(parts: MainFileParts, file: VfsFile, superblock: Superblock) {
    this.parts = parts;
    this.descriptor = file;
    this.id = file.stat();
    this.newest = superblock;
  }

  /** For reading, writing and synchronous syncs. Another one after a cure (rule E1). */
  get file(): VfsFile {
    return this.descriptor;
  }

  get superblock(): Superblock {
    return this.newest;
  }

  /** What double-write batches must belong to. */
  get identity(): DoubleWriteIdentity {
    return this.newest;
  }

  /**
   * Syncs asynchronously, on the descriptor for that, behind the sync that is in flight there: the system tells of a failure once, and of
   * two at a time the one that does not depend on it may be told (C3).
   */
  syncAsync(): Promise<void> {
    const { syncing } = this;
    const sync = syncing === undefined ? this.startSync() : syncing.then(() => this.startSync());
    this.syncing = sync;
    const ended = (): void => {
      if (this.syncing === sync) this.syncing = undefined;
    };
    sync.then(ended, ended);
    return sync;
  }

  private startSync(): Promise<void> {
    this.twin ??= this.openSame(true);
    return this.twin.syncAsync('data');
  }

  /** The timeline as of the newest published commit: another connection may have begun it (rule P6). @throws CorruptionError, IoError */
  readTimeline(): number {
    const { vfs, header } = this.parts;
    if (header.sequence() === this.newest.sequence) return this.newest.timeline;
    return readSteadily(vfs.env, () => this.readNewest().timeline);
  }

  /** Makes the file at least as long as so many pages. */
  extend(pageCount: number): void {
    const size = pageCount * this.newest.pageSize;
    if (this.descriptor.stat().size < size) this.descriptor.truncate(size);
  }

  /** Writes a slot; it counts once it is synced and adopted. */
  writeSlot(slot: Superblock): void {
    pwriteFully(this.descriptor, encodeSuperblock(slot), slotOffset(slot.sequence));
  }

  /** This slot is durable, and the newest. */
  adopt(slot: Superblock): void {
    this.newest = slot;
  }

  /**
   * P4: the file under the name is this one, and its superblock is what the header says. `superblock` is the newest slot then.
   * @param died  the last holder of WRITE died, and may have left a newer slot
   * @returns the newest slot; after a write that was reported as failed perhaps the one after `superblock`
   * @throws StateError SOMBRA_DATABASE_MOVED; nothing is written any more
   */
  check(died: boolean): Superblock {
    const { vfs, options, header } = this.parts;
    const named = vfs.stat(options.path);
    const newest = this.readNewest();
    const { sequence, checkpointLsn, checkpointPages } = header.state;
    const same =
      newest.sequence === sequence && newest.checkpointLsn === checkpointLsn && newest.pageCount === checkpointPages;
    // One more: a slot whose write was reported as failed, or whose writer died.
    const next = (died || header.isUnsettled) && newest.sequence === sequence + 1;
    const known = this.newest;
    const ours = newest.salt === known.salt && newest.databaseId.every((byte, at) => byte === known.databaseId[at]);
    if (named === null || !this.isSame(named) || !ours || !(same || next)) return this.refuseMoved();
    if (named.size < checkpointPages * newest.pageSize) return this.refuseMoved();
    if (same || died) this.newest = newest;
    return newest;
  }

  private readNewest(): Superblock {
    const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
    const read = preadFully(this.descriptor, area, 0);
    return readSuperblocks(area.subarray(0, read), this.parts.options.path).newest;
  }

  /** P4: what was written from now on might be written to another file. Reads go on. */
  private refuseMoved(): never {
    const error = new StateError(
      'SOMBRA_DATABASE_MOVED',
      `${this.parts.options.path} was replaced, moved or written by another program while it was open: close it, and open the right file again`,
    );
    this.parts.health.poison(error, 'own');
    throw error;
  }

  /** E1: the database was cured. The system may still report failures of earlier writes, once per descriptor. */
  reopen(): void {
    const file = this.openSame(!this.parts.options.readOnly);
    this.close();
    this.descriptor = file;
    this.twin = this.syncing = undefined;
  }

  private openSame(write: boolean): VfsFile {
    const { vfs, options } = this.parts;
    const file = vfs.open(options.path, { write });
    let isSame = false;
    try {
      isSame = this.isSame(file.stat());
    } finally {
      if (!isSame) file.close();
    }
    return isSame ? file : this.refuseMoved();
  }

  private isSame(id: FileId): boolean {
    return sameFile(id, this.id);
  }

  /** Closes the descriptors. */
  close(): void {
    try {
      this.twin?.close();
    } finally {
      this.descriptor.close();
    }
  }
}
