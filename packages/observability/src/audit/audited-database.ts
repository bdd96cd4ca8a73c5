/**
 * Records every committed write of a connection in an audit trail.
 *
 * Invariants:
 * - An entry is made only of what the database tells after the commit, so that a transaction that was rolled back, or the part of one,
 *   leaves none, and a crash leaves at most less than was committed.
 * - What could not be recorded is kept, in order, and comes before everything later. Beyond a limit it is dropped and counted, and an
 *   entry says so.
 */
import { DataError, NodeEnv, StateError } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import type { DatabaseObserver, ObservedMutation, ObservedWarning, WatchedDatabase } from '../base/observed.ts';
import type { AuditRecord } from './audit-entry.ts';
import type { AuditSink } from './audit-file.ts';
import { auditedWrites } from './audited-writes.ts';
import type { AttributableDatabase, Attribution, AuditedWrites } from './audited-writes.ts';

/** Who writes: a name, or a function that tells who it is at the moment. */
export type AuditUser = string | (() => string);

/** Options of `withAudit`. */
export interface AuditOptions {
  /** Whoever writes without `as`. */
  readonly user: AuditUser;
  /**
   * When an entry cannot be written, because the disk is full, for example. 'warn' (default): writes go on, and the entry is kept in memory
   * until it can be written. 'refuse': the same, and no method of the audited database writes until then. The
   * write whose entry it is has been committed already in both cases.
   */
  readonly onFailure?: 'warn' | 'refuse' | undefined;
  /** Told SOMBRA_AUDIT_FAILED when entries cannot be written. Default: a warning of the process. */
  readonly onWarning?: ((warning: ObservedWarning) => void) | undefined;
}

/** A database that can be audited. */
export type AuditableDatabase = WatchedDatabase & AttributableDatabase;

/** What `withAudit` gives: the methods of the database that write, and these. */
export interface AuditControl<D> {
  /** The methods that write, on behalf of a user. */
  as(user: AuditUser): AuditedWrites<D>;
  /** Entries that could not be written yet. */
  readonly pending: number;
  /** Ends the recording and closes the sink. Harmless when repeated. @throws what the sink throws, when entries could not be written */
  close(): void;
}

/** A database whose writes are recorded. */
export type AuditedDatabase<D> = AuditedWrites<D> & AuditControl<D>;

/** Entries that are kept while they cannot be written. */
const PENDING_MAX = 10_000;
/** Entries that are handed to the sink at once. */
const PART = 1000;
/** Action of the entry that stands for entries that were dropped. */
const DROPPED = 'audit.dropped';

/**
 * Records every write that this connection commits from now on, whatever method of the database made it. Write with the methods of what
 * this returns: they know the user at the moment of the call, also for asynchronous transactions.
 * @throws DataError SOMBRA_OPTION
 */
export function withAudit<D extends AuditableDatabase>(
  db: D,
  sink: AuditSink,
  options: AuditOptions,
): AuditedDatabase<D> {
  checkOptions('withAudit', options, ['user', 'onFailure', 'onWarning']);
  const { user, onFailure = 'warn', onWarning } = options;
  if (onFailure !== 'warn' && onFailure !== 'refuse')
    throw new DataError('SOMBRA_OPTION', `onFailure is ${String(onFailure)}; it takes 'warn' or 'refuse'`);
  checkUser(user);
  const recorder = new AuditRecorder(sink, { user, refuses: onFailure === 'refuse', onWarning });
  const end = db.observe(recorder.observer);
  const control: AuditControl<D> = {
    as: (other) => auditedWrites(db, recorder.attribution(checkUser(other))),
    get pending() {
      return recorder.pending;
    },
    close: () => {
      end();
      recorder.close();
    },
  };
  return Object.freeze(
    Object.defineProperties(
      {},
      {
        ...Object.getOwnPropertyDescriptors(auditedWrites(db, recorder.attribution(user))),
        ...Object.getOwnPropertyDescriptors(control),
      },
    ),
  ) as AuditedDatabase<D>;
}

interface RecorderOptions {
  readonly user: AuditUser;
  readonly refuses: boolean;
  readonly onWarning: ((warning: ObservedWarning) => void) | undefined;
}

class AuditRecorder {
  readonly observer: DatabaseObserver;
  private readonly sink: AuditSink;
  private readonly options: RecorderOptions;
  /** Users of transactions that are open. */
  private readonly users = new Map<number, string>();
  /** Calls under way that commit without a transaction of their caller. */
  private readonly calls: { readonly action: string; readonly user: string }[] = [];
  private kept: AuditRecord[] = [];
  private dropped = 0;
  private failing = false;

  constructor(sink: AuditSink, options: RecorderOptions) {
    this.sink = sink;
    this.options = options;
    this.observer = {
      rolledBack: ({ transaction }) => void this.users.delete(transaction),
      committed: ({ transaction, lsn }) => void (lsn === null && this.users.delete(transaction)),
      mutated: ({ transaction, lsn, time, mutations }) => {
        const user = this.takeUser(transaction, mutations);
        const timestamp = new Date(time).toISOString();
        this.keep(mutations.map((mutation) => ({ timestamp, user, ...facts(mutation), lsn, transaction })));
        this.write();
      },
    };
  }

  get pending(): number {
    return this.kept.length + this.dropped;
  }

  /** Attributes writes to a user, and refuses them when their entries could not be written. */
  attribution(user: AuditUser): Attribution {
    return {
      user: () => {
        this.checkWritable();
        return nameOf(user);
      },
      begin: (transaction, name) => {
        if (!this.users.has(transaction)) this.users.set(transaction, name);
      },
      whole: (action, name, work) => this.during({ action, user: name }, work),
    };
  }

  close(): void {
    try {
      this.flush();
    } finally {
      this.sink.close();
    }
  }

  private during<T>(call: { action: string; user: string }, work: () => T): T {
    const over = (): void => {
      const at = this.calls.indexOf(call);
      if (at >= 0) this.calls.splice(at, 1);
    };
    this.calls.push(call);
    let result: T;
    try {
      result = work();
    } catch (error) {
      over();
      throw error;
    }
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function')
      (result as unknown as PromiseLike<unknown>).then(over, over);
    else over();
    return result;
  }

  private takeUser(transaction: number | null, mutations: readonly ObservedMutation[]): string | null {
    const own = transaction === null ? undefined : this.users.get(transaction);
    if (transaction !== null) this.users.delete(transaction);
    if (own !== undefined) return own;
    const call = this.calls.find(({ action }) => action === mutations[0]?.action);
    if (call !== undefined) return call.user;
    try {
      return nameOf(this.options.user);
    } catch (cause) {
      this.tell(
        'a write was recorded without its user, because the function that names the user failed: see the cause',
        cause,
      );
      return null;
    }
  }

  private keep(records: readonly AuditRecord[]): void {
    const room = Math.max(0, PENDING_MAX - this.kept.length);
    // Once some were dropped all later ones are, so that the gap is one gap.
    const fitting = this.dropped > 0 ? 0 : this.kept.length === 0 ? records.length : room;
    this.kept.push(...records.slice(0, fitting));
    this.dropped += Math.max(0, records.length - fitting);
  }

  /** Writes what is kept. A failure is told once, until it works again. */
  private write(): void {
    try {
      this.flush();
      this.failing = false;
    } catch (cause) {
      if (!this.failing) {
        const next = this.options.refuses ? 'the audited database refuses writes until they can' : 'writes go on';
        this.tell(
          `entries of the audit trail cannot be written, see the cause; they are kept in memory, and ${next}`,
          cause,
        );
      }
      this.failing = true;
    }
  }

  private flush(): void {
    // In parts, so that a try that fails is a small one.
    while (this.kept.length > 0) {
      this.sink.append(this.kept.slice(0, PART));
      this.kept = this.kept.slice(PART);
    }
    if (this.dropped === 0) return;
    this.sink.append([droppedRecord(this.dropped)]);
    this.dropped = 0;
  }

  /** @throws StateError SOMBRA_AUDIT_FAILED */
  private checkWritable(): void {
    if (!this.options.refuses || this.pending === 0) return;
    try {
      this.flush();
      this.failing = false;
    } catch (cause) {
      throw new StateError(
        'SOMBRA_AUDIT_FAILED',
        `nothing was written: ${this.pending} entries of the audit trail wait to be written, see the cause; make that possible, then try again`,
        { cause, details: { pending: this.pending } },
      );
    }
  }

  private tell(message: string, cause: unknown): void {
    warn(this.options.onWarning, { code: 'SOMBRA_AUDIT_FAILED', message, cause });
  }
}

const env = new NodeEnv();

function warn(onWarning: ((warning: ObservedWarning) => void) | undefined, warning: ObservedWarning): void {
  if (onWarning === undefined) env.warn(warning);
  else onWarning(warning);
}

function facts({
  action,
  nodes = [],
  edges = [],
  ...rest
}: ObservedMutation): Omit<AuditRecord, 'timestamp' | 'user' | 'lsn' | 'transaction'> {
  const details = Object.keys(rest).length === 0 ? {} : { details: rest };
  return { action, node_id: nodes.length === 1 ? nodes[0]! : null, nodes, edges, ...details };
}

function droppedRecord(count: number): AuditRecord {
  const timestamp = new Date(env.wallTimeMs()).toISOString();
  const about = { node_id: null, nodes: [], edges: [], details: { entries: count } };
  return { timestamp, user: null, action: DROPPED, ...about, lsn: 0, transaction: 0 };
}

function checkUser(user: AuditUser): AuditUser {
  if (typeof user !== 'function') nameOf(user);
  return user;
}

/** @throws DataError SOMBRA_OPTION, and what the function throws */
function nameOf(user: AuditUser): string {
  const name: unknown = typeof user === 'function' ? user() : user;
  if (typeof name === 'string' && name !== '') return name;
  const what = typeof name === 'string' ? 'empty' : `of type ${typeof name}`;
  throw new DataError(
    'SOMBRA_OPTION',
    `the user of an audit trail is ${what}; it takes a name, or a function that returns one`,
  );
}
