/**
 * What databases with a schema and without one have in common: a function that takes one of these takes both. Where a schema
 * narrows what a call takes, only the compiler is less strict here; writes are held to the schema as ever.
 */
import type { Connection } from '../connection/connection.ts';
import type { SingleWrites } from '../connection/single-writes.ts';
import type { ReadMethods } from '../reading/read-methods.ts';
import type { Snapshot } from '../reading/snapshot.ts';
import type { SnapshotOptions } from '../reading/snapshot-keeper.ts';
import type { Transaction } from '../writing/transaction.ts';

/** Reads: of any database, snapshot or transaction. */
export type GraphReads = Pick<ReadMethods, keyof ReadMethods>;

/** Writes: of any database, where each is a transaction of its own, and of any transaction. */
export type GraphWrites = Pick<SingleWrites, Exclude<keyof SingleWrites, keyof ReadMethods>>;

/** A transaction of a database with a schema or without one. */
export interface AnyTransaction extends Omit<Transaction, 'transaction'> {
  /** As `Transaction.transaction`. */
  transaction<T>(fn: (tx: AnyTransaction) => T): T;
}

/** A snapshot of a database with a schema or without one. */
export type AnySnapshot = Pick<Snapshot, keyof Snapshot>;

/** A database with a schema or without one. */
export interface AnyGraphDB
  extends Omit<Connection, 'transaction' | 'transactionAsync' | 'beginTransaction' | 'snapshot' | 'read'> {
  /** As `GraphDB.transaction`. */
  transaction<T>(fn: (tx: AnyTransaction) => T): T;
  /** As `GraphDB.transactionAsync`. */
  transactionAsync<T>(fn: (tx: AnyTransaction) => T): Promise<T>;
  /** As `GraphDB.beginTransaction`. */
  beginTransaction(): AnyTransaction;
  /** As `GraphDB.snapshot`. */
  snapshot(options?: SnapshotOptions): AnySnapshot;
  /** As `GraphDB.read`. */
  read<T>(fn: (view: AnySnapshot) => T): T;
}
