import { Graph } from '@sombra/graph';
import { Pager } from '@sombra/pager';
import { MemoryVfs } from '@sombra/vfs';

const pager = Pager.open({ vfs: new MemoryVfs(), path: 'rail.db' });
const graph = Graph.open(pager);
const tx = graph.begin();
const [basel, bern, chur, davos] = ['Basel', 'Bern', 'Chur', 'Davos'].map((name) => tx.addNode('Town', { name }));
tx.addEdge(basel, bern, 'RAIL', { minutes: 60 });
tx.addEdge(bern, chur, 'RAIL', { minutes: 150 });
tx.addEdge(basel, chur, 'RAIL', { minutes: 140 });
tx.addEdge(chur, davos, 'RAIL', { minutes: 90 });
tx.addEdge(chur, davos, 'BUS', { minutes: 75 });
tx.commit();

const { reader } = graph;

// Around a node: levels, depth first, only what a predicate lets through.
expect(reader.levels(basel), [[basel], [bern, chur], [davos]]);
expect(
  reader.dfs(basel, { order: 'post' }).map(({ id }) => id),
  [davos, chur, bern, basel],
);
const quick = { edgeFilter: (edge) => edge.properties.minutes < 145 };
expect(reader.bfs(bern, quick), [{ id: bern, depth: 0 }]);
const [first] = reader.expand(chur, { type: 'BUS' });
expect([first.edge.properties.minutes, first.node.properties.name], [75, 'Davos']);

// Paths: the cheapest, the best three, a stream of all.
const byTime = { weight: 'minutes' };
expect(reader.shortestPath(basel, davos, byTime).weight, 215);
expect(
  reader.kShortestPaths(basel, davos, 3, byTime).map(({ weight }) => weight),
  [215, 230, 285],
);
let ways = 0;
for (const path of reader.paths(basel, davos, { maxLength: 3, unique: 'nodes' })) ways += path.nodes.length > 0 ? 1 : 0;
expect(ways, 4);

// The whole graph, synchronously or with turns of the event loop in between.
expect(reader.topologicalOrder(), [basel, bern, chur, davos]);
expect(reader.triangles().total, 1);
const ranks = await reader.pageRankAsync({ type: 'RAIL', signal: new AbortController().signal });
expect(ranks.perNode.top(1)[0].id, davos);
const parts = await reader.componentsAsync({ kind: 'strong', maxMemoryMb: 256 });
expect([parts.count, parts.members(parts.of.get(davos))], [4, [davos]]);

pager.close();
console.log('From Basel to Davos in 215 minutes');

function expect(found, expected) {
  const text = JSON.stringify(found);
  if (text !== JSON.stringify(expected)) throw new Error(`found ${text}, expected ${JSON.stringify(expected)}`);
}
