/**
 * Where the reads and writes of a key-value store go: to the newest commit, to a snapshot, into a transaction. The
 * readers and trees that callers hold refer to one of these.
 */
import type { Pager, View, WriteTransaction } from '@sombra/pager';
import { StateError } from '@sombra/vfs';
import type { TreeHandles } from './tree-handles.ts';

/** A walk that has to be closed when what it reads ends. */
export interface Walk {
  /** Releases pages and view. Harmless when repeated. */
  close(): void;
}

export abstract class KeyValueContext {
  readonly handles: TreeHandles;
  readonly pager: Pager;
  protected readonly walks = new Set<Walk>();

  constructor(pager: Pager, handles: TreeHandles) {
    this.pager = pager;
    this.handles = handles;
  }

  /** The view to read now. @throws StateError SOMBRA_CLOSED, SOMBRA_TX_DONE */
  abstract view(): View;

  /** The view of a walk that goes on after this call. @throws as `view` */
  beginWalk(walk: Walk): View {
    const view = this.view();
    this.walks.add(walk);
    return view;
  }

  /** A walk releases its view. */
  endWalk(walk: Walk, _view: View): void {
    this.walks.delete(walk);
  }

  /** Closes the walks that are under way: the pages that they pin are given back. */
  protected closeWalks(): void {
    for (const walk of [...this.walks]) walk.close();
  }

  protected checkOpen(): void {
    if (this.pager.closed) throw new StateError('SOMBRA_CLOSED', `${this.pager.path} is closed: open it again`);
  }
}

/** A context that can be written in. */
export abstract class WritableContext extends KeyValueContext {
  /** Runs a write. @throws what it throws, and what beginning and committing it may throw */
  abstract write<T>(change: (tx: WriteTransaction) => T): T;
}

/** The newest commit; each write is a transaction of its own. */
export class StoreContext extends WritableContext {
  /** The transaction that runs. */
  running: TransactionContext | undefined;

  override view(): View {
    this.checkOpen();
    return this.pager.view;
  }

  override beginWalk(walk: Walk): View {
    this.checkOpen();
    const view = this.pager.snapshot();
    this.walks.add(walk);
    return view;
  }

  override endWalk(walk: Walk, view: View): void {
    super.endWalk(walk, view);
    view.release();
  }

  /** Refuses a write that is not the running transaction's. @throws StateError SOMBRA_CLOSED, SOMBRA_TRANSACTION_ACTIVE */
  refuseInside(): void {
    this.checkOpen();
    if (this.running === undefined) return;
    throw new StateError(
      'SOMBRA_TRANSACTION_ACTIVE',
      'a transaction is running: write with its methods (tx.put and so on), or after it has returned',
    );
  }

  override write<T>(change: (tx: WriteTransaction) => T): T {
    this.refuseInside();
    const tx = this.pager.begin();
    try {
      const result = change(tx);
      tx.commit();
      return result;
    } catch (error) {
      tx.rollback();
      throw error;
    }
  }

  close(): void {
    this.closeWalks();
  }
}

/** One commit, as long as its view is held. */
export class SnapshotContext extends KeyValueContext {
  readonly held: View;
  private released = false;

  constructor(pager: Pager, handles: TreeHandles) {
    super(pager, handles);
    this.held = pager.snapshot();
  }

  override view(): View {
    this.checkOpen();
    if (this.released) throw new StateError('SOMBRA_CLOSED', 'this snapshot was released: take a new one');
    return this.held;
  }

  release(): void {
    this.released = true;
    this.closeWalks();
    this.held.release();
  }
}

/** The running transaction: reads see its own writes. */
export class TransactionContext extends WritableContext {
  readonly inner: WriteTransaction;
  private over = false;

  constructor(pager: Pager, handles: TreeHandles, inner: WriteTransaction) {
    super(pager, handles);
    this.inner = inner;
  }

  override view(): View {
    this.checkRunning();
    return this.inner.view;
  }

  override write<T>(change: (tx: WriteTransaction) => T): T {
    this.checkRunning();
    return change(this.inner);
  }

  /** @throws StateError SOMBRA_CLOSED, SOMBRA_TX_DONE */
  checkRunning(): void {
    this.checkOpen();
    if (this.over) throw new StateError('SOMBRA_TX_DONE', 'this transaction has ended: begin a new one');
    if (this.inner.state !== 'active')
      throw new StateError(
        'SOMBRA_TX_DONE',
        'an error has rolled this transaction back: let it out of the callback, and begin a new one',
      );
  }

  /** Its callback has returned or thrown. */
  end(): void {
    this.over = true;
    this.closeWalks();
  }
}
