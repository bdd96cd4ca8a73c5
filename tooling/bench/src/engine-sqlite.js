// better-sqlite3 as its best users would use it: WAL, prepared statements, integer keys, a covering index per direction.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const Database = require('better-sqlite3');

export const name = 'better-sqlite3';

export function open(path) {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma('cache_size = -262144');
  db.pragma('mmap_size = 1073741824');
  db.exec(`
    CREATE TABLE node (id INTEGER PRIMARY KEY, label INTEGER NOT NULL, name TEXT NOT NULL, age INTEGER NOT NULL, score REAL NOT NULL);
    CREATE TABLE edge (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, target INTEGER NOT NULL, type INTEGER NOT NULL, weight INTEGER NOT NULL);
  `);
  let s;
  const prepare = () => {
    s = {
      node: db.prepare('INSERT INTO node VALUES (?, 1, ?, ?, ?)'),
      edge: db.prepare('INSERT INTO edge (source, target, type, weight) VALUES (?, ?, 1, ?)'),
      newNode: db.prepare('INSERT INTO node (label, name, age, score) VALUES (1, ?, ?, 0)'),
      read: db.prepare('SELECT name, age, score FROM node WHERE id = ?'),
      out: db.prepare('SELECT target FROM edge WHERE source = ?').pluck(),
      // one query a level: the frontier goes in as JSON, which beat a recursive CTE and a query per node
      level: db.prepare(
        'SELECT DISTINCT e.target FROM json_each(?) f CROSS JOIN edge e ON e.source = f.value',
      ).pluck(),
      nodes: db.prepare('SELECT count(*) FROM node').pluck(),
      edges: db.prepare('SELECT count(*) FROM edge').pluck(),
    };
  };
  prepare();
  const small = db.transaction((text, age, to) => {
    const id = s.newNode.run(text, age).lastInsertRowid;
    s.edge.run(id, to, 1);
  });
  const engine = {
    loaded: null,
    load(graph) {
      db.transaction(() => {
        for (let i = 0; i < graph.nodes; i += 1) s.node.run(i, graph.names[i], graph.age[i], graph.score[i]);
        for (let i = 0; i < graph.edges; i += 1) s.edge.run(graph.source[i], graph.target[i], graph.weight[i]);
        db.exec('CREATE INDEX edge_out ON edge (source, target)');
        db.exec('CREATE INDEX edge_in ON edge (target, source)');
      })();
      prepare();
      engine.loaded = engine.counts();
    },
    counts: () => ({ nodes: s.nodes.get(), edges: s.edges.get() }),
    readNode: (id) => s.read.get(id),
    neighbours: (id) => s.out.all(id),
    bfsLevels(start) {
      const seen = new Uint8Array(engine.loaded.nodes);
      seen[start] = 1;
      let frontier = [start];
      const levels = [];
      while (frontier.length > 0) {
        levels.push(frontier.length);
        const next = [];
        for (const id of s.level.all(JSON.stringify(frontier))) {
          if (seen[id] === 0) {
            seen[id] = 1;
            next.push(id);
          }
        }
        frontier = next;
      }
      return levels;
    },
    setDurability: (mode) => db.pragma(`synchronous = ${mode === 'durable' ? 'FULL' : 'NORMAL'}`),
    smallTransaction: (text, age, to) => small(text, age, to),
    close: () => db.close(),
  };
  return engine;
}
