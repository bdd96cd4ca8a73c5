// A log in a test: records are appended with a number for content, and recovered as numbers.
import type { Vfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { RecordBuilder, recoverLog, Wal } from '../../src/index.ts';
import type {
  LogIdentity,
  LogPosition,
  LogTail,
  RecoveryOptions,
  RecoveryResult,
  RecoveryStart,
  WalOptions,
} from '../../src/index.ts';
import { build, digestOf, digestOfView, PAGE_SIZE } from './records.ts';

export const PATH = 't.db';
export const IDENTITY: LogIdentity = { pageSize: PAGE_SIZE, databaseId: new Random(7).bytes(16), timeline: 1 };

/** A database that never had a log. */
export const NO_LOG: RecoveryStart = { position: { seq: 0, offset: 0 }, salt: new Uint8Array(8), chain: 0, lsn: 0 };

export function walOptions(vfs: Vfs, more: Partial<WalOptions> = {}): WalOptions {
  return { vfs, path: PATH, identity: IDENTITY, segmentSize: 4096, syncMode: 'normal', ...more };
}

/** Where a record is. */
export interface Placed extends LogPosition {
  readonly end: LogTail;
  /** of its segment */
  readonly salt: Uint8Array;
  readonly digest: number;
}

/** A log that is written. */
export class TestLog {
  readonly options: WalOptions;
  readonly builder: RecordBuilder;
  readonly random: Random;
  wal: Wal;
  /** By lsn - 1. */
  readonly records: Placed[] = [];

  /** Begins a log. */
  constructor(vfs: Vfs, more: Partial<WalOptions> = {}) {
    this.options = walOptions(vfs, more);
    this.builder = new RecordBuilder(this.options.identity.pageSize);
    this.random = new Random(3);
    const { position, salt, chain } = NO_LOG;
    this.wal = Wal.create(this.options, { seq: 1, lsn: 0, previous: { salt, end: position.offset, chain } });
  }

  get lsn(): number {
    return this.records.length;
  }

  get digests(): number[] {
    return this.records.map(({ digest }) => digest);
  }

  /** Appends a record of about `size` bytes, without publishing it. */
  put(size = 200): Placed {
    build(this.builder, this.lsn + 1, this.random, size);
    const { seq, offset } = this.wal.append(this.builder);
    const placed = { seq, offset, end: this.wal.tail, salt: this.wal.liveSalt, digest: digestOf(this.builder) };
    this.records.push(placed);
    return placed;
  }

  /** Appends and publishes. */
  commit(size = 200): Placed {
    const placed = this.put(size);
    this.wal.publish();
    return placed;
  }

  /** Appends, syncs and publishes. */
  commitSynced(size = 200): Placed {
    const placed = this.put(size);
    this.wal.sync();
    this.wal.publish();
    return placed;
  }

  /** Commits until the live segment has this number. */
  fillTo(seq: number, size = 200): void {
    while (this.wal.tail.seq < seq) this.commit(size);
  }

  /** Replay would begin behind record `lsn`. */
  startBehind(lsn: number): RecoveryStart {
    if (lsn === 0) return NO_LOG;
    const { end, salt } = this.records[lsn - 1]!;
    return { position: { seq: end.seq, offset: end.offset }, salt, chain: end.chain, lsn };
  }

  close(): void {
    this.wal.close();
    this.wal.files.close();
  }
}

/** What a recovery gave. */
export interface Recovered extends RecoveryResult {
  readonly digests: number[];
  readonly lsns: number[];
}

/** Recovers; the log that it opens has to be closed. */
export function recover(options: WalOptions, start: RecoveryStart = NO_LOG, how: RecoveryOptions = {}): Recovered {
  const digests: number[] = [];
  const lsns: number[] = [];
  const result = recoverLog(options, start, how, (record) => {
    digests.push(digestOfView(record));
    lsns.push(record.lsn);
  });
  return { ...result, digests, lsns };
}

/** Recovers, and closes again. */
export function recoverAndClose(
  options: WalOptions,
  start: RecoveryStart = NO_LOG,
  how: RecoveryOptions = {},
): Recovered {
  const recovered = recover(options, start, how);
  recovered.wal?.close();
  recovered.wal?.files.close();
  return recovered;
}
