// lmdb-js as its best users would use it: values in MessagePack, one row per edge end in sorted duplicates. Only the workloads that
// a key-value store answers without code of its own; relaxed is `noSync`, which promises less than the others do.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const { open: openEnvironment } = require('lmdb');
const manifest = new URL('../peers/node_modules/lmdb/package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));

/** For the line of parameters. */
export const about = `lmdb-js ${version} (sorted duplicates)`;

/** @param durability  durable: a commit is synced before it returns or its promise is fulfilled; relaxed: never */
export function open(path, durability = 'relaxed') {
  const root = openEnvironment({
    path,
    mapSize: 4 * 2 ** 30,
    noSync: durability !== 'durable',
    overlappingSync: false,
    maxDbs: 4,
  });
  const nodes = root.openDB('nodes', { keyEncoding: 'uint32' });
  const edges = root.openDB('edges', { keyEncoding: 'uint32' });
  const ends = { dupSort: true, keyEncoding: 'uint32', encoding: 'ordered-binary' };
  const [out, incoming] = [root.openDB('out', ends), root.openDB('in', ends)];
  const last = (db) => db.getKeys({ reverse: true, limit: 1 }).asArray[0] ?? 0;
  let [node, edge] = [last(nodes), last(edges)];

  const addNode = (name, age, score) => {
    node += 1;
    nodes.putSync(node, { name, age, score });
    return node;
  };
  const addEdge = (source, target, weight) => {
    edge += 1;
    edges.putSync(edge, { source, target, type: 1, weight });
    out.putSync(source, [target, edge]);
    incoming.putSync(target, [source, edge]);
  };
  const addAll = (names, targets) => {
    for (let i = 0; i < targets.length; i += 1) addEdge(addNode(names[i], 30, 0), targets[i], 1);
  };
  return {
    load(graph) {
      root.transactionSync(() => {
        for (let i = 0; i < graph.nodes; i += 1) addNode(graph.names[i], graph.age[i], graph.score[i]);
        for (let i = 0; i < graph.edges; i += 1) addEdge(graph.source[i] + 1, graph.target[i] + 1, graph.weight[i]);
      });
    },
    counts: () => ({ nodes: nodes.getCount(), edges: edges.getCount() }),
    readNode: (id) => nodes.get(id),
    neighbours: (id) => out.getValues(id).map(([target]) => target).asArray,
    addPairs: (names, targets) => root.transactionSync(() => addAll(names, targets)),
    addPairsAsync: (names, targets) => root.transaction(() => addAll(names, targets)),
    close: () => root.close(),
  };
}
