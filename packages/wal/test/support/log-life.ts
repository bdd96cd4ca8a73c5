// A log on a simulated disk, beside a history of everything that was attempted: what a crash may leave follows from it.
//
// Attempts are a tree: a record that was taken back, or lost in a crash, has siblings with the same number. What recovery finds
// must be one path of the tree, and include what was promised.
import type { Vfs } from '@sombra/vfs';
import type { Random } from '@sombra/vfs/testing';
import { RecordBuilder, Wal } from '../../src/index.ts';
import type { LogTail, RecoveryStart, WalOptions } from '../../src/index.ts';
import { NO_LOG, recover, walOptions } from './log.ts';
import { build, digestOf } from './records.ts';

/** A record that was handed to the log. */
export interface Attempt {
  readonly lsn: number;
  /** The record before it; null for the beginning of time. */
  readonly parent: Attempt | null;
  readonly digest: number;
  /** Known once it was appended. */
  end: LogTail | undefined;
  salt: Uint8Array | undefined;
  /** Its append failed: it must never be found. */
  failed: boolean;
}

/** What holds at a moment. */
export interface Promised {
  readonly start: RecoveryStart;
  /** The record that `start` lies behind. */
  readonly base: Attempt;
  /** Recovery must find these, and everything before them: after a power loss, and after a kill. */
  readonly durable: Attempt;
  readonly published: Attempt;
  readonly attempts: readonly Attempt[];
  /** As a header in shm would say it. */
  readonly synced: { readonly salt: Uint8Array; readonly offset: number } | undefined;
}

export class LogLife {
  readonly options: WalOptions;
  readonly random: Random;
  wal: Wal | null = null;
  private readonly builder: RecordBuilder;
  private readonly attempts: Attempt[];
  private start: RecoveryStart;
  private base: Attempt;
  private tip: Attempt;
  private publishedTip: Attempt;
  private durableTip: Attempt;

  /** @param before  what a life before this one left; open then */
  constructor(vfs: Vfs, options: Partial<WalOptions>, random: Random, before?: Promised) {
    this.options = walOptions(vfs, options);
    this.random = random;
    this.builder = new RecordBuilder(this.options.identity.pageSize);
    const root: Attempt = before?.base ?? {
      lsn: 0,
      parent: null,
      digest: 0,
      end: undefined,
      salt: undefined,
      failed: false,
    };
    this.attempts = [...(before?.attempts ?? [root])];
    this.start = before?.start ?? NO_LOG;
    this.base = this.tip = this.publishedTip = this.durableTip = root;
  }

  get promised(): Promised {
    const { start, base, attempts, wal, publishedTip } = this;
    this.noteDurable();
    const synced = wal === null ? undefined : { salt: wal.liveSalt, offset: wal.synced };
    return { start, base, durable: this.durableTip, published: publishedTip, attempts: [...attempts], synced };
  }

  /** What the log itself knows to be durable: everything below `synced`, and every sealed segment. */
  private noteDurable(): void {
    const { wal } = this;
    if (wal === null) return;
    for (
      let attempt: Attempt | null = this.publishedTip;
      attempt !== null && attempt.lsn > this.durableTip.lsn;
      attempt = attempt.parent
    ) {
      const { end } = attempt;
      if (end === undefined || (end.seq === wal.tail.seq && end.offset > wal.synced)) continue;
      this.durableTip = attempt;
      return;
    }
  }

  /** Begins the log, or recovers it. */
  open(): void {
    const { start, base } = this;
    if (this.wal !== null) this.close();
    const recovered = recover(this.options, start);
    this.wal =
      recovered.wal ??
      Wal.create(this.options, {
        seq: start.position.seq + 1,
        lsn: start.lsn,
        previous: { salt: start.salt, end: start.position.offset, chain: start.chain },
      });
    this.tip = follow(this.attempts, base, recovered.digests);
    // What recovery keeps is published and durable.
    this.publishedTip = this.durableTip = this.tip;
  }

  close(): void {
    this.noteDurable();
    this.wal!.close();
    this.wal!.files.close();
    this.wal = null;
  }

  /** Appends a record; it is not published. */
  put(size: number): void {
    const { wal, builder, tip } = this;
    build(builder, tip.lsn + 1, this.random, size);
    if (wal!.isFull(builder.length)) this.publish();
    const attempt: Attempt = {
      lsn: builder.lsn,
      parent: tip,
      digest: digestOf(builder),
      end: undefined,
      salt: undefined,
      failed: false,
    };
    this.attempts.push(attempt);
    try {
      wal!.append(builder);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'SOMBRA_DISK_FULL') throw error;
      attempt.failed = true;
      return;
    }
    attempt.end = wal!.tail;
    attempt.salt = wal!.liveSalt;
    this.tip = attempt;
  }

  publish(): void {
    this.wal!.publish();
    this.publishedTip = this.tip;
  }

  /** Takes back what is not published. */
  rewind(): void {
    const { tip, publishedTip, wal } = this;
    if (tip === publishedTip || publishedTip.end === undefined || publishedTip.end.seq !== wal!.tail.seq) return;
    wal!.rewind(publishedTip.end);
    this.tip = publishedTip;
  }

  sync(): void {
    this.wal!.sync();
  }

  /** Replay begins behind a durable record from now on; segments before it are given up. */
  checkpoint(): void {
    this.noteDurable();
    let attempt = this.durableTip;
    for (let back = this.random.below(4); back > 0 && attempt.lsn > this.base.lsn + 1; back -= 1)
      attempt = attempt.parent!;
    const { end, salt, lsn } = attempt;
    if (lsn <= this.base.lsn || end === undefined) return;
    this.start = { position: { seq: end.seq, offset: end.offset }, salt: salt!, chain: end.chain, lsn };
    this.base = attempt;
    this.wal!.release(end.seq);
  }

  /** The process died; another one goes on with the same files. */
  die(): void {
    this.noteDurable();
    this.wal = null;
    this.open();
  }
}

/** The attempt at the end of what was found behind `base`. @throws Error when no path of attempts gives these digests */
export function follow(attempts: readonly Attempt[], base: Attempt, digests: readonly number[]): Attempt {
  let at = base;
  for (const digest of digests) {
    const next = attempts.find((attempt) => attempt.parent === at && attempt.digest === digest && !attempt.failed);
    if (next === undefined) throw new Error(`a record was found behind commit ${at.lsn} that was never written there`);
    at = next;
  }
  return at;
}

/** Is `attempt` on the way to `tip`? */
export function includes(tip: Attempt, attempt: Attempt): boolean {
  let at: Attempt | null = tip;
  while (at !== null && at.lsn > attempt.lsn) at = at.parent;
  return at === attempt;
}
