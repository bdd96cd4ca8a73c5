// Sombra through its public API, with as much cache as SQLite is given.
import { readFileSync } from 'node:fs';
import { GraphDB } from '@sombra/db';

const CACHE_PAGES = 32_768;
const { version } = JSON.parse(readFileSync(new URL('../../../apps/library/package.json', import.meta.url), 'utf8'));

/** For the line of parameters. */
export const about = `@sombra/db ${version} (cache 256 MiB, pages of 8 KiB)`;

/** @param durability  durable: a commit is synced before it returns; relaxed: at the next checkpoint */
export function open(path, durability = 'relaxed') {
  const db = GraphDB.open(path, {
    cacheSize: CACHE_PAGES,
    syncMode: durability === 'durable' ? 'full' : 'normal',
    onWarning: ({ message }) => {
      throw new Error(message);
    },
  });
  const addAll = (tx, names, targets) => {
    for (let i = 0; i < targets.length; i += 1) {
      tx.addEdge(tx.addNode('Person', { name: names[i], age: 30, score: 0 }), targets[i], 'KNOWS', { weight: 1 });
    }
  };
  return {
    load: (graph) => void db.bulkLoad({ nodes: nodeRows(graph), edges: edgeRows(graph) }),
    counts: () => ({ nodes: db.nodeCount(), edges: db.edgeCount() }),
    readNode: (id) => db.getNode(id).properties,
    neighbours: (id) => db.neighbors(id),
    edgesOf: (id) => db.edgesOf(id),
    weightOf: (edge) => edge.properties.weight,
    twoHops: (id) => db.kHop(id, 2, { mode: 'walk' }),
    bfsLevels: (start) => db.bfsLevels(start),
    pathLength: (from, to) => db.shortestPath(from, to)?.length ?? -1,
    addPairs: (names, targets) => db.transaction((tx) => addAll(tx, names, targets)),
    addPairsAsync: (names, targets) => db.transactionAsync((tx) => addAll(tx, names, targets)),
    isIntact: () => db.verifyIntegrity().isClean,
    close: () => db.close(),
  };
}

export function* nodeRows({ nodes, names, age, score }) {
  for (let i = 0; i < nodes; i += 1)
    yield { labels: 'Person', properties: { name: names[i], age: age[i], score: score[i] } };
}

export function* edgeRows({ edges, source, target, weight }) {
  for (let i = 0; i < edges; i += 1) {
    yield { source: source[i], target: target[i], type: 'KNOWS', properties: { weight: weight[i] } };
  }
}
