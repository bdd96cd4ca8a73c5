/** What an observer of a database is told. */
import type { PagerHooks } from '@sombra/pager';

/** One write of a transaction: what was done, and to which nodes and edges. No property value is ever in it. */
export interface Mutation {
  /** The method of a transaction that wrote it, such as `addNode`, or of the database, such as `bulkLoad`. */
  readonly action: string;
  /** Ids of the nodes that were written. */
  readonly nodes?: readonly number[] | undefined;
  /** Ids of the edges that were written; for `deleteNode` those that went with the node. */
  readonly edges?: readonly number[] | undefined;
  /** How many of each, where there are too many to be named: `bulkLoad`. */
  readonly counts?: { readonly nodes: number; readonly edges: number } | undefined;
  /** What a property index is on. */
  readonly index?: { readonly of: string; readonly keys: readonly string[] } | undefined;
}

/**
 * Why a transaction was rolled back. `leaked`: its handle was dropped without commit or rollback. `unknown`: the sync of its commit failed
 * (SOMBRA_COMMIT_UNKNOWN), and only the next open shows whether it is there; what it wrote is not told.
 */
export type RollbackReason = 'error' | 'rollback' | 'timeout' | 'closed' | 'leaked' | 'unknown';

/**
 * Events of a database. Every function may be left out. They are called synchronously, must return quickly and must not call the
 * database. What they throw, or reject with, disturbs nothing: it is reported as SOMBRA_HOOK_FAILED, a warning of the process.
 * Transactions are numbered from 1 for each open database.
 */
export interface DatabaseHooks extends PagerHooks {
  /** The database is open. */
  opened?(event: { readonly path: string; readonly lsn: number; readonly readOnly: boolean }): void;
  /** It has been closed. */
  closed?(event: { readonly path: string }): void;
  begun?(event: { readonly transaction: number }): void;
  /**
   * A commit is durable (as `syncMode` says) and visible. Commits are told in their order.
   * @param event  lsn: null when nothing was changed, which makes no commit. ms: since the transaction began
   */
  committed?(event: { readonly transaction: number; readonly lsn: number | null; readonly ms: number }): void;
  /** @param event  error: what the callback or the commit threw. Its message may quote values that it was given */
  rolledBack?(event: {
    readonly transaction: number;
    readonly reason: RollbackReason;
    readonly ms: number;
    readonly error: unknown;
  }): void;
  /**
   * What a commit changed, in the order of commits, after `committed`. Only while an observer has this function are writes recorded, which costs memory per write.
   * @param event  transaction: null for a bulk load and for indexes, which are none. time: of day, ms since 1970
   */
  mutated?(event: {
    readonly transaction: number | null;
    readonly lsn: number;
    readonly time: number;
    readonly mutations: readonly Mutation[];
  }): void;
  /** An operation of this connection took `slowOperationMs` or longer. @param event  operation: the method, or `transaction` */
  slow?(event: { readonly operation: string; readonly ms: number; readonly transaction: number | null }): void;
  cacheResized?(event: { readonly pages: number }): void;
}
