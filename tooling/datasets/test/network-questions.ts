// How each kind of question about the social networks is put to the public API. A question is found by the first pattern that
// matches its id; the answer has the shape that the truth has.
import type { GraphDB, NodeRecord, PropertyValue } from '@sombra/db';
import { countryOf, LSQB } from './lsqb.ts';
import { edgesByEnds } from './network-files.ts';

export interface NetworkQuestion {
  readonly id: string;
  readonly params: Readonly<Record<string, number>>;
}
type Solver = (db: GraphDB, question: NetworkQuestion) => unknown;

const KNOWS = { type: 'KNOWS', direction: 'both' } as const;
const word = ({ id }: NetworkQuestion, index: number): string => id.split('/')[index] ?? '';

function one(db: GraphDB, label: string, where: Readonly<Record<string, number | string>>): NodeRecord {
  for (const row of db.findNodes({ label, where, limit: 1 })) return row;
  throw new Error(`there is no ${label} with ${JSON.stringify(where)}`);
}
const person = (db: GraphDB, id: number | undefined): number => one(db, 'Person', { id: id ?? NaN }).id;
/** The id that the files give a node. */
const idOf = (db: GraphDB, node: number): number => Number(db.getNodeProperty(node, 'id'));
const texts = (rows: readonly (readonly (PropertyValue | undefined)[])[]): string[] =>
  rows.map((row) => row.map(String).join('|'));

/** Nodes with the greatest value, ties by the id of the files. */
function top(db: GraphDB, label: string, limit: number, value: (node: number) => number): [number, number][] {
  return [...db.findNodes({ label, select: ['id'] })]
    .map(({ id, properties }): [number, number] => [Number(properties['id']), value(id)])
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, limit);
}

function countryPairs(db: GraphDB): number[][] {
  const country = new Map<number, number>();
  for (const id of db.nodeIds({ label: 'Person' })) country.set(id, idOf(db, countryOf(db, id) ?? 0));
  const counts = new Map<string, number>();
  for (const { source, target } of db.edges({ type: 'KNOWS' })) {
    const pair = [country.get(source) ?? NaN, country.get(target) ?? NaN].sort((a, b) => a - b).join();
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return [...counts]
    .map(([pair, count]) => [...pair.split(',').map(Number), count])
    .sort(([a = 0, b = 0, n = 0], [c = 0, d = 0, m = 0]) => m - n || a - c || b - d)
    .slice(0, 10);
}

/** How many comments lie 1, 2, … steps below a post. */
function depths(db: GraphDB): number[] {
  const counts: number[] = [];
  for (const post of db.nodeIds({ label: 'Post' })) {
    if (db.degree(post, { type: 'REPLY_OF', direction: 'in' }) === 0) continue;
    for (const [depth, comments] of db.bfsLevels(post, { type: 'REPLY_OF', direction: 'in' }).entries())
      if (depth > 0) counts[depth - 1] = (counts[depth - 1] ?? 0) + comments;
  }
  return counts;
}

const below = (db: GraphDB, node: number, type: string): number[] =>
  db.bfs(node, { type, direction: 'in' }).map(({ id }) => id);

/** Friends by their replies to posts about a class of tags. */
function ic12(db: GraphDB): string[] {
  const classes = below(db, one(db, 'TagClass', { name: 'Monarch' }).id, 'IS_SUBCLASS_OF');
  const wanted = new Set(classes.flatMap((id) => db.neighbors(id, { type: 'HAS_TYPE', direction: 'in' })));
  const rows: { id: number; count: number; text: string }[] = [];
  for (const friend of db.neighbors(person(db, 6597069767300), KNOWS)) {
    const names = new Set<string>();
    let count = 0;
    for (const comment of db.neighbors(friend, { type: 'HAS_CREATOR', direction: 'in' })) {
      const posts = db.neighbors(comment, { type: 'REPLY_OF' }).filter((id) => db.hasLabel(id, 'Post'));
      const tags = posts.flatMap((post) => db.neighbors(post, { type: 'HAS_TAG' })).filter((tag) => wanted.has(tag));
      if (tags.length > 0) count += 1;
      for (const tag of tags) names.add(String(db.getNodeProperty(tag, 'name')));
    }
    if (count === 0) continue;
    const id = idOf(db, friend);
    const name = ['firstName', 'lastName'].map((key) => String(db.getNodeProperty(friend, key)));
    rows.push({ id, count, text: [id, ...name, `[${[...names].sort().join()}]`, count].join('|') });
  }
  return rows
    .sort((a, b) => b.count - a.count || a.id - b.id)
    .slice(0, 20)
    .map(({ text }) => text);
}

/** Other tags on posts about somebody, by friends and their friends. */
function ic6(db: GraphDB): string[] {
  const known = one(db, 'Tag', { name: 'Carl_Gustaf_Emil_Mannerheim' }).id;
  const friends = new Set(db.kHop(person(db, 28587302322524), 2, KNOWS));
  const counts = new Map<string, number>();
  for (const post of db.neighbors(known, { type: 'HAS_TAG', direction: 'in' })) {
    if (!db.hasLabel(post, 'Post')) continue;
    if (!db.neighbors(post, { type: 'HAS_CREATOR' }).some((author) => friends.has(author))) continue;
    for (const tag of db.neighbors(post, { type: 'HAS_TAG' })) {
      const name = String(db.getNodeProperty(tag, 'name'));
      if (tag !== known) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return texts([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 10));
}

/** Friends, the newest friendship first. Its date has 17 digits, more than a double holds. */
function is3(db: GraphDB): string[] {
  const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
  return texts(
    db
      .expand(person(db, 1129), KNOWS)
      .map(({ edge, node: { properties: p } }) => ({ since: BigInt(String(edge.properties['creationDate'])), p }))
      .sort((a, b) => order(b.since, a.since) || Number(a.p['id']) - Number(b.p['id']))
      .map(({ since, p }) => [p['id'], p['firstName'], p['lastName'], since]),
  );
}

function is5(db: GraphDB): string[] {
  const comment = one(db, 'Comment', { id: 1030792151050 }).id;
  return texts(
    db
      .expand(comment, { type: 'HAS_CREATOR' })
      .map(({ node: { properties: p } }) => [p['id'], p['firstName'], p['lastName']]),
  );
}

export const NETWORK_SOLVERS: readonly (readonly [RegExp, Solver])[] = [
  [/^lsqb\/q\d$/, (db, q) => LSQB[word(q, 1)]?.(db)],
  [/^count\/nodes$/, (db) => db.nodeCount()],
  [/^count\/by-label$/, (db) => Object.fromEntries(db.labelCounts().map(({ label, count }) => [label, count]))],
  [/^count\/by-type$/, (db) => edgesByEnds(db, db.labels())],
  [/^knows\/triangles$/, (db) => db.triangles({ label: 'Person', type: 'KNOWS' }).total],
  [
    /^knows\/components$/,
    (db) => {
      const { count, sizes } = db.components({ label: 'Person', type: 'KNOWS' });
      return [count, sizes[0]];
    },
  ],
  [/^knows\/top10$/, (db) => top(db, 'Person', 10, (id) => db.degree(id, KNOWS))],
  [/^bfs-knows\//, (db, { params }) => db.bfsLevels(person(db, params['id']), KNOWS)],
  [/^knows-2hop\//, (db, { params }) => db.kHop(person(db, params['id']), 2, { ...KNOWS, mode: 'exact' }).length],
  [
    /^knows-shortest\//,
    (db, { params }) => {
      const paths = [...db.allShortestPaths(person(db, params['a']), person(db, params['b']), KNOWS)];
      return [paths[0]?.length ?? null, paths.length];
    },
  ],
  [/^reply\/depths$/, depths],
  [/^reply\/biggest-threads$/, (db) => top(db, 'Post', 5, (post) => below(db, post, 'REPLY_OF').length - 1)],
  [
    /^tree\/tags-below-class$/,
    (db) =>
      top(db, 'TagClass', 10, (id) =>
        below(db, id, 'IS_SUBCLASS_OF').reduce(
          (n, one) => n + db.degree(one, { type: 'HAS_TYPE', direction: 'in' }),
          0,
        ),
      ),
  ],
  [
    /^group\/top-interests$/,
    (db) => top(db, 'Tag', 10, (id) => db.degree(id, { type: 'HAS_INTEREST', direction: 'in' })),
  ],
  [/^group\/friendships-by-country-pair$/, countryPairs],
  [/^published\/IC12$/, ic12],
  [/^published\/IC6$/, ic6],
  [/^published\/IS3$/, is3],
  [/^published\/IS5$/, is5],
];
