// better-sqlite3 as its best users would use it: WAL, prepared statements, integer keys, a covering index per direction.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const Database = require('better-sqlite3');

/** For the line of parameters. */
export const about = `better-sqlite3 ${require('better-sqlite3/package.json').version} (WAL, cache 256 MiB, mmap 1 GiB)`;

const TABLES = `
  CREATE TABLE IF NOT EXISTS node (id INTEGER PRIMARY KEY, label INTEGER NOT NULL, name TEXT NOT NULL, age INTEGER NOT NULL, score REAL NOT NULL);
  CREATE TABLE IF NOT EXISTS edge (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, target INTEGER NOT NULL, type INTEGER NOT NULL, weight INTEGER NOT NULL);
`;
const INDEXES = `
  CREATE INDEX edge_out ON edge (source, target);
  CREATE INDEX edge_in ON edge (target, source);
`;

/** @param durability  durable: a commit is synced before it returns; relaxed: at the next checkpoint */
export function open(path, durability = 'relaxed') {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${durability === 'durable' ? 'FULL' : 'NORMAL'}`);
  db.pragma('cache_size = -262144');
  db.pragma('mmap_size = 1073741824');
  db.exec(TABLES);
  // Prepared when first used: opening a database must not pay for all of them.
  const lazily = (sql, pluck = false) => {
    let statement;
    return () => (statement ??= pluck ? db.prepare(sql).pluck() : db.prepare(sql));
  };
  const insertNode = lazily('INSERT INTO node (label, name, age, score) VALUES (1, ?, ?, ?)');
  const insertEdge = lazily('INSERT INTO edge (source, target, type, weight) VALUES (?, ?, 1, ?)');
  const nodeCount = lazily('SELECT count(*) FROM node', true);
  const edgeCount = lazily('SELECT count(*) FROM edge', true);
  const nodeMax = lazily('SELECT max(id) FROM node', true);
  const nodeById = lazily('SELECT name, age, score FROM node WHERE id = ?');
  const targets = lazily('SELECT target FROM edge WHERE source = ?', true);
  const edges = lazily('SELECT id, source, target, type, weight FROM edge WHERE source = ?');
  const twoHops = lazily(
    'SELECT DISTINCT b.target FROM edge a CROSS JOIN edge b ON b.source = a.target WHERE a.source = ?',
    true,
  );
  // One query a level: the frontier goes in as JSON, which beat a recursive CTE and a query per node.
  const level = lazily('SELECT DISTINCT e.target FROM json_each(?) f CROSS JOIN edge e ON e.source = f.value', true);

  const nextLevel = (frontier, seen) => {
    const next = [];
    for (const id of level().all(JSON.stringify(frontier))) {
      if (seen[id] === 0) {
        seen[id] = 1;
        next.push(id);
      }
    }
    return next;
  };
  const marks = (start) => {
    const seen = new Uint8Array(nodeMax().get() + 1);
    seen[start] = 1;
    return seen;
  };
  const addPairs = db.transaction((names, ends) => {
    const [node, edge] = [insertNode(), insertEdge()];
    for (let i = 0; i < ends.length; i += 1) edge.run(node.run(names[i], 30, 0).lastInsertRowid, ends[i], 1);
  });

  return {
    load(graph) {
      db.transaction(() => {
        const [node, edge] = [insertNode(), insertEdge()];
        for (let i = 0; i < graph.nodes; i += 1) node.run(graph.names[i], graph.age[i], graph.score[i]);
        for (let i = 0; i < graph.edges; i += 1) edge.run(graph.source[i] + 1, graph.target[i] + 1, graph.weight[i]);
        db.exec(INDEXES);
      })();
    },
    counts: () => ({ nodes: nodeCount().get(), edges: edgeCount().get() }),
    readNode: (id) => nodeById().get(id),
    neighbours: (id) => targets().all(id),
    edgesOf: (id) => edges().all(id),
    weightOf: (edge) => edge.weight,
    twoHops: (id) => twoHops().all(id),
    bfsLevels(start) {
      const seen = marks(start);
      const levels = [];
      for (let frontier = [start]; frontier.length > 0; frontier = nextLevel(frontier, seen))
        levels.push(frontier.length);
      return levels;
    },
    pathLength(from, to) {
      const seen = marks(from);
      let length = 0;
      for (let frontier = [from]; frontier.length > 0; frontier = nextLevel(frontier, seen)) {
        if (seen[to] === 1) return length;
        length += 1;
      }
      return -1;
    },
    addPairs,
    isIntact: () => db.pragma('integrity_check', { simple: true }) === 'ok',
    close: () => db.close(),
  };
}
