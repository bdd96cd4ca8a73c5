/**
 * One run at a time changes a repository, or feeds an archive: an object names who does. Its holder renews it; it is taken over when the holder's process is
 * gone, or has not renewed it for a while. A holder that lost it notices before it publishes or deletes anything. Released, the
 * object stays, and says so: replacing it under a condition leaves nothing to guess, as deleting it would.
 */
import { IoError, StateError, toHex } from '@sombra/vfs';
import type { VfsEnv } from '@sombra/vfs';
import type { CallOptions, ObjectStore, PutOptions } from '../base/object-store.ts';
import { throwIfAborted } from '../base/abort.ts';
import { readObject } from './catalogue.ts';

/** What a lock is for. */
export interface LockKind {
  /** Of its object. */
  readonly key: string;
  /** Of the error when another one holds it. */
  readonly code: string;
  /** What its holder does, for messages: `changing the backups`. */
  readonly doing: string;
}

/** Of a repository of backups. */
export const BACKUP_LOCK: LockKind = Object.freeze({
  key: 'backup.lock',
  code: 'SOMBRA_BACKUP_RUNNING',
  doing: 'changing the backups',
});
const RENEW_MS = 60_000;
/** Not renewed for so long, in either direction of the time of day, it is taken over. */
const STALE_MS = 10 * RENEW_MS;
const LOCK_MAX = 4096;
const TRIES = 5;
const RELEASE_TRIES = 3;

/** Who holds it. */
interface Holder {
  /** 32 hexadecimal digits, of this one hold. */
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  /** Distinguishes the process from a later one with the same number, as `VfsEnv.identify`. */
  readonly process: string;
  /** What it does: `run`, `prune`. */
  readonly what: string;
  /** Times of day, ISO 8601. */
  readonly started: string;
  readonly renewed: string;
  readonly released: boolean;
}

/** The lock, held. */
export class RepositoryLock {
  private readonly store: ObjectStore;
  private readonly env: VfsEnv;
  private readonly kind: LockKind;
  private holder: Holder;
  private etag: string;
  private timer: unknown;
  private renewal: Promise<void> = Promise.resolve();
  private lost: unknown;
  private isOver = false;

  private constructor(store: ObjectStore, env: VfsEnv, kind: LockKind, holder: Holder, etag: string) {
    this.store = store;
    this.env = env;
    this.kind = kind;
    this.holder = holder;
    this.etag = etag;
    this.schedule();
  }

  /**
   * @param what  what it is taken for
   * @param kind  of the lock
   * @throws StateError SOMBRA_BACKUP_RUNNING (details host, pid, started) when another one holds it; SOMBRA_ABORTED; as `ObjectStore.put`, also
   *   SOMBRA_CONDITION_UNENFORCED
   */
  static async take(
    store: ObjectStore,
    env: VfsEnv,
    what: string,
    signal: AbortSignal | undefined,
    kind = BACKUP_LOCK,
  ): Promise<RepositoryLock> {
    const now = new Date(env.wallTimeMs()).toISOString();
    const owner = toHex(env.random(16));
    const { pid, host } = env;
    const holder: Holder = {
      owner,
      host,
      pid,
      process: env.identify(pid) ?? '',
      what,
      started: now,
      renewed: now,
      released: false,
    };
    for (let tries = 1; ; tries += 1) {
      throwIfAborted(signal);
      const found = await store.head(kind.key, { signal });
      const before = found === undefined ? undefined : await readHolder(store, kind, signal);
      if (found !== undefined && before !== undefined && isHeld(before, env))
        throw running(store.location, kind, before);
      const condition: PutOptions = found === undefined ? { ifAbsent: true } : { ifUnchanged: found.etag };
      try {
        const { etag } = await store.put(kind.key, encode(holder), { ...condition, signal });
        return new RepositoryLock(store, env, kind, holder, etag);
      } catch (error) {
        if (!isOutrun(error)) {
          await withdraw(store, kind, holder);
          throw error;
        }
        // Another one was faster: look who.
        if (tries === TRIES) throw error;
      }
    }
  }

  /** Is it still held? To be asked before what cannot be undone. @throws StateError SOMBRA_BACKUP_RUNNING when another one took it over */
  async confirm(signal?: AbortSignal): Promise<void> {
    await this.renewal;
    if (this.lost === undefined) await this.renew({ signal });
    if (this.lost !== undefined) throw this.lost;
  }

  /** Has another one taken it over, as far as the last renewal showed? @throws StateError, as `confirm` */
  throwIfLost(): void {
    if (this.lost !== undefined) throw this.lost;
  }

  /** Gives it back. What goes wrong is a warning: what was done under the lock is done. */
  async release(): Promise<void> {
    this.isOver = true;
    this.env.clearTimer(this.timer);
    await this.renewal;
    if (this.lost !== undefined) return;
    this.holder = { ...this.holder, released: true };
    for (let tries = 1; ; tries += 1) {
      try {
        await this.renew({});
        return;
      } catch (cause) {
        if (!(cause instanceof IoError)) throw cause;
        if (tries < RELEASE_TRIES) continue;
        this.env.warn({
          code: 'SOMBRA_BACKUP_LOCK_LEFT',
          message: `${this.kind.key} in ${this.store.location} could not be given back (${cause.message}): the next run takes it over when this process has ended, or after ${STALE_MS / RENEW_MS} minutes`,
          cause,
        });
        return;
      }
    }
  }

  private schedule(): void {
    this.timer = this.env.setTimer(() => {
      if (this.isOver) return;
      // A renewal that fails otherwise than by another holder is repeated by the next one; in the end `confirm` tells it.
      this.renewal = this.renew({}).catch(() => undefined);
      void this.renewal.then(() => {
        if (!this.isOver && this.lost === undefined) this.schedule();
      });
    }, RENEW_MS);
  }

  private async renew(options: CallOptions): Promise<void> {
    this.holder = { ...this.holder, renewed: new Date(this.env.wallTimeMs()).toISOString() };
    try {
      const { etag } = await this.store.put(this.kind.key, encode(this.holder), { ...options, ifUnchanged: this.etag });
      this.etag = etag;
    } catch (error) {
      if (!isOutrun(error)) throw error;
      await this.recognize(options);
    }
  }

  /** The lock is not as it was left: by another holder, or by an own renewal whose answer got lost. */
  private async recognize({ signal }: CallOptions): Promise<void> {
    const { store, kind, holder } = this;
    const found = await store.head(kind.key, { signal });
    const other = await readHolder(store, kind, signal);
    if (found !== undefined && other?.owner === holder.owner) this.etag = found.etag;
    else this.lost = running(store.location, kind, other ?? holder);
  }
}

/** A lock whose writing failed may be there all the same. What goes wrong here is what went wrong before, which is told. */
async function withdraw(store: ObjectStore, kind: LockKind, holder: Holder): Promise<void> {
  try {
    const found = await store.head(kind.key);
    if (found === undefined || (await readHolder(store, kind, undefined))?.owner !== holder.owner) return;
    await store.put(kind.key, encode({ ...holder, released: true }), { ifUnchanged: found.etag });
  } catch (error) {
    if (!(error instanceof IoError || isOutrun(error))) throw error;
  }
}

function encode(holder: Holder): Uint8Array {
  return Buffer.from(`${JSON.stringify({ format: 1, ...holder }, undefined, 2)}\n`);
}

/** @returns undefined when there is none that can be read: whoever writes one writes it whole, so this is no holder's */
async function readHolder(
  store: ObjectStore,
  { key }: LockKind,
  signal: AbortSignal | undefined,
): Promise<Holder | undefined> {
  const bytes = await readObject(store, key, LOCK_MAX, signal);
  if (bytes === undefined) return undefined;
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Holder> | null;
    const isHolder =
      typeof found?.owner === 'string' &&
      typeof found.host === 'string' &&
      Number.isSafeInteger(found.pid) &&
      typeof found.process === 'string' &&
      typeof found.started === 'string' &&
      typeof found.renewed === 'string' &&
      typeof found.released === 'boolean';
    return isHolder ? (found as Holder) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isHeld({ released, host, pid, process, renewed }: Holder, env: VfsEnv): boolean {
  if (released) return false;
  if (host === env.host && pid > 0 && env.identify(pid) !== process) return false;
  // No duration, which this process could take: the other one's clock is another one.
  const now = env.wallTimeMs();
  return Math.abs(Date.parse(renewed) - now) < STALE_MS;
}

function isOutrun(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === 'SOMBRA_OBJECT_EXISTS' || code === 'SOMBRA_OBJECT_CHANGED';
}

function running(location: string, kind: LockKind, { host, pid, started, what }: Holder): StateError {
  return new StateError(
    kind.code,
    `process ${pid} on ${String(host).slice(0, 100)} has been ${kind.doing} in ${location} since ${String(started).slice(0, 40)}: wait until it has ended`,
    { details: { location, host, pid, started, what } },
  );
}
