/** Deleting a node with its edges: its least cost, computed before anything is changed. */
import type { BTree } from '@sombra/btree';
import type { WriteTransaction } from '@sombra/pager';
import { TransactionError } from '@sombra/vfs';
import type { EdgeColumns } from '../adjacency/edge-columns.ts';
import type { GraphStore } from '../store/store.ts';

/** An edge takes the page of its record and that of its other end. */
const PAGES_PER_EDGE = 2;

/**
 * Refuses a deletion that cannot succeed: it changes every page that holds a record of the edges, or the first block of a node at
 * their other ends.
 * @param incident  edges of the node; the first `outgoing` leave it
 * @throws TransactionError SOMBRA_TRANSACTION_PAGES; nothing was changed, and the transaction goes on
 */
export function refuseTooManyEdges(
  store: GraphStore,
  tx: WriteTransaction,
  node: number,
  incident: EdgeColumns,
  outgoing: number,
): void {
  const { length, edges, neighbours } = incident;
  const left = tx.pagesLeft;
  if (length * PAGES_PER_EDGE <= left) return;
  const pages =
    pagesOf(store.edges.tree, tx, edges.slice(0, length)) +
    pagesOf(store.in.tree, tx, neighbours.slice(0, outgoing)) +
    pagesOf(store.out.tree, tx, neighbours.slice(outgoing, length));
  if (pages <= left) return;
  throw new TransactionError(
    'SOMBRA_TRANSACTION_PAGES',
    `node ${node} has ${length} edges: deleting them changes at least ${pages} pages, and the transaction may change ${left} more; delete the edges in several transactions first (deleteEdges with edgeIdsOf and its limit), or raise maxTransactionPages`,
    { details: { node, edges: length, pages, left } },
  );
}

/** Number of pages with entries of these ids that the transaction has not changed yet. */
function pagesOf(tree: BTree, tx: WriteTransaction, ids: Float64Array): number {
  ids.sort();
  let pages = 0;
  let lastId = -1;
  let lastPage = 0;
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i]!;
    if (id === lastId) continue;
    lastId = id;
    if (tree.findU48(tx.view, id) < 0 || tree.foundPage === lastPage) continue;
    lastPage = tree.foundPage;
    if (!tx.hasChanged(lastPage)) pages += 1;
  }
  return pages;
}
