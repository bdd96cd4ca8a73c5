/**
 * The methods of a database that write, so that each call of them is attributed to a user.
 *
 * A transaction belongs to the user that began it. The user is asked for when the method is called, and not when the work is
 * done, which may be much later and on behalf of somebody else's turn of the event loop.
 */

/** Writes that are transactions of their own. */
const SINGLE = [
  'addNode',
  'addEdge',
  'setNodeProperty',
  'removeNodeProperty',
  'replaceNodeProperties',
  'updateNodeProperties',
  'setEdgeProperty',
  'removeEdgeProperty',
  'replaceEdgeProperties',
  'updateEdgeProperties',
  'addLabel',
  'removeLabel',
  'deleteNode',
  'deleteEdge',
  'addMany',
  'upsertNode',
  'upsertEdge',
  'deleteNodes',
  'deleteEdges',
] as const;

/** Commits that are made without a transaction of the caller, each recorded as the action behind it. */
const WHOLE = {
  bulkLoad: 'bulkLoad',
  bulkLoadAsync: 'bulkLoad',
  createPropertyIndex: 'createPropertyIndex',
  createPropertyIndexAsync: 'createPropertyIndex',
  createEdgePropertyIndex: 'createEdgePropertyIndex',
  createEdgePropertyIndexAsync: 'createEdgePropertyIndex',
  dropPropertyIndex: 'dropPropertyIndex',
  dropEdgePropertyIndex: 'dropEdgePropertyIndex',
} as const;

/** Names of methods of a database that write. */
export type WriteMethod =
  | (typeof SINGLE)[number]
  | keyof typeof WHOLE
  | 'transaction'
  | 'transactionAsync'
  | 'beginTransaction';

/** The methods of a database that write, with the types that the database gives them. */
export type AuditedWrites<D> = Pick<D, Extract<keyof D, WriteMethod>>;

/** A write transaction, as far as attribution needs it. */
interface NumberedTransaction {
  readonly id: number;
}

/** A database whose writes can be attributed. */
export interface AttributableDatabase {
  readonly inTransaction: boolean;
  transaction<T>(fn: (tx: NumberedTransaction) => T): T;
}

/** Whom writes are attributed to. */
export interface Attribution {
  /** Asked for each write, before it is done. @throws to refuse the write */
  user(): string;
  /** A transaction belongs to a user from now on, unless it belongs to one already. */
  begin(transaction: number, user: string): void;
  /** Runs what makes a commit of an action without a transaction of the caller. */
  whole<T>(action: string, user: string, work: () => T): T;
}

type Method = (...args: unknown[]) => unknown;

/** Makes the methods. One that the database does not have is left out. */
export function auditedWrites<D extends AttributableDatabase>(db: D, attribution: Attribution): AuditedWrites<D> {
  const methods = db as unknown as Readonly<Record<string, Method | undefined>>;
  const call = (name: string, args: unknown[]): unknown => methods[name]!.apply(db, args);
  const own = (fn: unknown, user: string): unknown =>
    typeof fn !== 'function'
      ? fn // the database says what is wrong with it
      : (tx: NumberedTransaction, ...more: unknown[]) => {
          attribution.begin(tx.id, user);
          return (fn as Method)(tx, ...more);
        };
  const made: Record<string, Method> = {
    transaction: (fn, ...more) => call('transaction', [own(fn, attribution.user()), ...more]),
    transactionAsync: (fn, ...more) => call('transactionAsync', [own(fn, attribution.user()), ...more]),
    beginTransaction: (...args) => {
      const user = attribution.user();
      const tx = call('beginTransaction', args) as NumberedTransaction;
      attribution.begin(tx.id, user);
      return tx;
    },
  };
  for (const name of SINGLE) {
    made[name] = (...args) => {
      const user = attribution.user();
      if (db.inTransaction) return call(name, args); // which refuses it
      return db.transaction((tx) => {
        attribution.begin(tx.id, user);
        return (tx as unknown as Readonly<Record<string, Method>>)[name]!(...args);
      });
    };
  }
  for (const [name, action] of Object.entries(WHOLE))
    made[name] = (...args) => attribution.whole(action, attribution.user(), () => call(name, args));
  const present = Object.entries(made).filter(([name]) => typeof methods[name] === 'function');
  return Object.freeze(Object.fromEntries(present)) as AuditedWrites<D>;
}
