import type { EdgeId, GraphDB, NodeId } from '../../src/index.ts';

/** A small graph in one commit: two connected nodes and one alone. */
export function addSmallGraph(db: GraphDB): { ada: NodeId; alan: NodeId; knows: EdgeId } {
  return db.transaction((tx) => {
    const ada = tx.addNode('Person', { name: 'Ada', born: 1815 });
    const alan = tx.addNode(['Person', 'Mathematician'], { name: 'Alan' });
    tx.addNode([], { alone: true });
    return { ada, alan, knows: tx.addEdge(ada, alan, 'INSPIRED', { since: 1936 }) };
  });
}
