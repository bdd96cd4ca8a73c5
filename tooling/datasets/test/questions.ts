// How each kind of question in truth/*.json is put to Sombra's public API. A question is found by the first pattern
// that matches its id; the answer has the shape that the truth has.
import { or, type GraphDB, type NodeQuery } from '@sombra/db';
import { countTriples } from './algorithms.ts';

type Direction = 'out' | 'in' | 'both';
/** One loaded graph: the label and edge type that the questions are about, and how they name a node. */
export interface Subject {
  readonly db: GraphDB;
  readonly label: string;
  readonly type: string;
  /** The property that names a node: `code` or `id`. */
  readonly key: string;
  readonly byKey: ReadonlyMap<string | number, number>;
  readonly keyOf: ReadonlyMap<number, string | number>;
}
export interface Question {
  readonly id: string;
  readonly params: Readonly<Record<string, string | number>>;
}
type Solver = (subject: Subject, question: Question) => unknown;

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
const node = (subject: Subject, key: string | number | undefined): number => {
  const id = key === undefined ? undefined : (subject.byKey.get(key) ?? subject.byKey.get(Number(key)));
  if (id === undefined) throw new Error(`the graph has no ${subject.label} ${String(key)}`);
  return id;
};
const ids = ({ db, label }: Subject): number[] => [...db.nodeIds({ label })];
const near = ({ db, type }: Subject, id: number, direction: Direction = 'out'): number[] =>
  db.neighbors(id, { direction, type });
const degree = ({ db, type }: Subject, id: number, direction: Direction): number => db.degree(id, { direction, type });
const word = (question: Question, index: number): string => question.id.split('/')[index] ?? '';

function levels(subject: Subject, question: Question): number[] {
  const direction = word(question, 0).slice('bfs-'.length) as Direction;
  return subject.db.bfsLevels(node(subject, word(question, 1)), { direction, type: subject.type });
}

/** How many paths of two edges lead from the start to each node. */
function twoHops(subject: Subject, start: number): Map<number, number> {
  const paths = new Map<number, number>();
  for (const b of near(subject, start)) for (const c of near(subject, b)) paths.set(c, (paths.get(c) ?? 0) + 1);
  return paths;
}

function newTwoHops(subject: Subject, start: number): [number, number][] {
  const known = new Set(near(subject, start));
  return [...twoHops(subject, start)].filter(([c]) => c !== start && !known.has(c));
}

function top(rows: readonly (readonly [string | number, number])[], count: number): unknown {
  return [...rows].sort((a, b) => b[1] - a[1] || compare(a[0], b[0])).slice(0, count);
}

function degrees(subject: Subject, direction: Direction): (readonly [string | number, number])[] {
  return ids(subject).map((id) => [subject.keyOf.get(id) ?? '', degree(subject, id, direction)] as const);
}

/** How many nodes have degree 0, 1, 2, … */
function distribution({ db, label, type }: Subject, direction: Direction): Map<number, number> {
  return new Map(db.degreeDistribution({ label, type, direction }).map(({ degree: d, nodes }) => [d, nodes]));
}

function histogram(subject: Subject, direction: Direction): number[] {
  const counts = distribution(subject, direction);
  return Array.from({ length: 10 }, (_, d) => counts.get(d) ?? 0);
}

const sumOfSquares = (subject: Subject, direction: Direction): number =>
  [...distribution(subject, direction)].reduce((sum, [d, nodes]) => sum + d * d * nodes, 0);

/** Number of shortest paths as node sequences. */
function countShortest({ db, type }: Subject, from: number, to: number, direction: 'out' | 'both'): number {
  let count = 0;
  for (const path of db.allShortestPaths(from, to, { direction, type, distinct: true }))
    count += Math.sign(path.length);
  return count;
}

function shortest(subject: Subject, { params }: Question): unknown {
  const [a, b] = [node(subject, params['a']), node(subject, params['b'])];
  const length = (direction: 'out' | 'both'): number | null =>
    subject.db.shortestPath(a, b, { direction, type: subject.type })?.length ?? null;
  return {
    forward: length('out'),
    forwardPaths: countShortest(subject, a, b, 'out'),
    undirected: length('both'),
    undirectedPaths: countShortest(subject, a, b, 'both'),
  };
}

function routes(subject: Subject): [string, string, number][] {
  const code = (id: number): string => String(subject.keyOf.get(id));
  return [...subject.db.edges({ type: subject.type })].map(({ source, target, properties }) => [
    code(source),
    code(target),
    Number(properties['dist']),
  ]);
}

function countEdges({ db, type }: Subject, property: string, { params }: Question): number {
  return db.countEdges({ type, where: { [property]: { gte: Number(params['lo']), lt: Number(params['hi']) } } });
}

const count =
  (where: NonNullable<NodeQuery['where']>): Solver =>
  ({ db, label }) =>
    db.countNodes({ label, where });

/** Walks of 1, 2, 3 edges forward that use no edge twice: how many there are, and where they end. */
function trails({ db, type }: Subject, start: number): { count: number; ends: Set<number> }[] {
  const found = Array.from({ length: 3 }, () => ({ count: 0, ends: new Set<number>() }));
  for (const { nodes, length } of db.paths(start, undefined, { type, maxLength: 3, unique: 'edges' })) {
    const level = found[length - 1];
    if (level === undefined) throw new Error(`a path of ${length} edges`);
    level.count += 1;
    level.ends.add(nodes[length] ?? 0);
  }
  return found;
}

/** Airport -> code of the country or continent that contains it. */
function containers({ db }: Subject, label: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const { id, properties } of db.nodes({ label })) {
    for (const airport of db.neighbors(id, { type: 'CONTAINS' })) found.set(airport, String(properties['code']));
  }
  return found;
}

function countPairs(subject: Subject, label: string): [string, string, number][] {
  const of = containers(subject, label);
  const counts = new Map<string, number>();
  for (const { source, target } of subject.db.edges({ type: subject.type })) {
    const pair = `${of.get(source) ?? ''} ${of.get(target) ?? ''}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return [...counts].map(([pair, count]) => [pair.split(' ')[0] ?? '', pair.split(' ')[1] ?? '', count]);
}

export const SOLVERS: readonly (readonly [RegExp, Solver])[] = [
  [/^count\/nodes$/, ({ db, label }) => db.nodeCount(label)],
  [/^count\/edges$/, ({ db, type }) => db.edgeCount(type)],
  [/^count\/sinks$/, (s) => distribution(s, 'out').get(0) ?? 0],
  [/^count\/sources$/, (s) => distribution(s, 'in').get(0) ?? 0],
  [
    /^count\/distinct-undirected-pairs$/,
    (s) =>
      ids(s).reduce(
        (sum, a) =>
          sum + s.db.neighbors(a, { direction: 'both', type: s.type, distinct: true }).filter((b) => b > a).length,
        0,
      ),
  ],
  [/^count\/mutual$/, (s) => ids(s).reduce((sum, a) => sum + mutual(s, a), 0)],
  [/^count\/one-way$/, (s) => ids(s).reduce((sum, a) => sum + near(s, a).length - mutual(s, a), 0)],
  [/^degree\/sumsq-(out|in)$/, (s, q) => sumOfSquares(s, q.id.slice('degree/sumsq-'.length) as Direction)],
  [/^degree\/histogram-(out|in)$/, (s, q) => histogram(s, q.id.slice('degree/histogram-'.length) as Direction)],
  [/^degree\/top10-total$/, (s) => top(degrees(s, 'both'), 10)],
  [/^degree\/top10-(out|in)$/, (s, q) => top(degrees(s, q.id.slice('degree/top10-'.length) as Direction), 10)],
  [/^twohop\/out-fork$/, (s) => degrees(s, 'out').reduce((sum, [, d]) => sum + d * (d - 1), 0)],
  [/^twohop\/all$/, (s) => ids(s).reduce((sum, b) => sum + degree(s, b, 'in') * degree(s, b, 'out'), 0)],
  [/^bfs-(out|in|both)\//, levels],
  [/^twohop-from\/.*\/paths$/, (s, q) => [...twoHops(s, node(s, q.params['k'])).values()].reduce((a, b) => a + b, 0)],
  [
    /^twohop-from\/.*\/distinct$/,
    (s, q) => s.db.kHop(node(s, q.params['k']), 2, { type: s.type, mode: 'walk' }).length,
  ],
  [/^twohop-from\/.*\/new$/, (s, q) => s.db.kHop(node(s, q.params['k']), 2, { type: s.type, mode: 'exact' }).length],
  [
    /^recommend\//,
    (s, q) =>
      top(
        newTwoHops(s, node(s, q.params['k'])).map(([id, n]) => [s.keyOf.get(id) ?? '', n] as const),
        5,
      ),
  ],
  [/^shortest\//, shortest],
  [
    /^weighted\//,
    (s, { params }) =>
      s.db.shortestPath(node(s, params['a']), node(s, params['b']), { type: s.type, weight: 'dist' })?.weight ?? null,
  ],
  [/^weighted-ecc\//, farthest],
  [
    /^prop\/longest10$/,
    (s) =>
      routes(s)
        .sort((a, b) => b[2] - a[2] || compare(a[0], b[0]) || compare(a[1], b[1]))
        .slice(0, 10),
  ],
  // "ten shortest routes": the truth breaks ties by from, then to
  [
    /^prop\/shortest10$/,
    (s) =>
      routes(s)
        .sort((a, b) => a[2] - b[2] || compare(a[0], b[0]) || compare(a[1], b[1]))
        .slice(0, 10),
  ],
  [/^range\/dist-/, (s, q) => countEdges(s, 'dist', q)],
  [/^prop\/in-20\d\d$/, (s, q) => countEdges(s, 'time', q)],
  [
    /^prop\/sum-rating$/,
    ({ db, type }) => [...db.edges({ type })].reduce((sum, { properties }) => sum + Number(properties['rating']), 0),
  ],
  [
    /^prop\/min-max-time$/,
    ({ db, type }) =>
      [false, true].map((descending) => {
        const [row] = db.findEdges({ type, orderBy: { key: 'time', descending }, limit: 1, select: ['time'] });
        return row?.properties['time'];
      }),
  ],
  [/^prop\/enemy-of-friend$/, enemies],
  [
    /^group\/countries-top10$/,
    ({ db }) =>
      top(
        [...db.nodes({ label: 'Country' })].map(
          ({ id, properties }) => [String(properties['code']), db.degree(id, { type: 'CONTAINS' })] as const,
        ),
        10,
      ),
  ],
  [
    /^group\/empty-countries$/,
    ({ db }) =>
      [...db.nodes({ label: 'Country' })]
        .filter(({ id }) => db.degree(id) === 0)
        .map(({ properties }) => properties['code'])
        .sort(),
  ],
  [/^group\/regions-top10$/, regions],
  [
    /^join\/continent-matrix$/,
    (s) => countPairs(s, 'Continent').sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1])),
  ],
  [
    /^join\/country-pairs-top10$/,
    (s) =>
      countPairs(s, 'Country')
        .filter(([a, b]) => a !== b)
        .sort((a, b) => b[2] - a[2] || compare(a[0], b[0]) || compare(a[1], b[1]))
        .slice(0, 10),
  ],
  [/^join\/aus-uk-in$/, throughUk],
  [/^filter\/city-starts$/, count({ city: { startsWith: 'San ' } })],
  [/^filter\/desc-contains$/, count({ desc: { contains: 'International' } })],
  [/^filter\/desc-ends$/, count(({ properties }) => String(properties['desc']).endsWith('Airport'))],
  [/^filter\/icao-in$/, count(or({ icao: { startsWith: 'E' } }, { icao: { startsWith: 'L' } }))],
  [/^filter\/tropics$/, count({ lat: { between: [-23.5, 23.5] } })],
  [/^filter\/sort-cities-last$/, lastCities],
  [
    /^components\/wcc-sizes$/,
    ({ db, label, type }) => {
      const sizes = [...db.components({ label, type }).sizes];
      return [sizes.slice(0, 5), sizes.filter((size) => size === 1).length];
    },
  ],
  [
    /^components\/scc-sizes$/,
    ({ db, label, type }) => [...db.components({ label, type, kind: 'strong' }).sizes.subarray(0, 5)],
  ],
  [/^components\/wcc-count$/, ({ db, label, type }) => db.components({ label, type }).count],
  [/^components\/scc-count$/, ({ db, label, type }) => db.components({ label, type, kind: 'strong' }).count],
  [
    /^triangles\/top5-nodes$/,
    ({ db, label, type, keyOf }) =>
      top(
        [...db.triangles({ label, type }).perNode].map(({ id, value }) => [keyOf.get(id) ?? '', value] as const),
        5,
      ),
  ],
  [/^triangles\/(cyclic|transitive)$/, (s, q) => countTriples(s, word(q, 1) as 'cyclic' | 'transitive')],
  [/^trail\/.*\/counts$/, (s, q) => trails(s, node(s, q.params['k'])).map((level) => level.count)],
  [/^trail\/.*\/ends$/, (s, q) => trails(s, node(s, q.params['k'])).map(({ ends }) => ends.size)],
];

function mutual(s: Subject, a: number): number {
  const back = new Set(near(s, a, 'in'));
  return near(s, a).filter((b) => back.has(b)).length;
}

/** The airport farthest away, and how many are near; the shortest path to every 100th airport must agree. */
function farthest(s: Subject, q: Question): unknown {
  const start = node(s, word(q, 1));
  const far = s.db.distances(start, { type: s.type, weight: 'dist' }).filter(({ id }) => id !== start);
  for (const [index, { id, distance }] of far.entries()) {
    if (index % 100 !== 0) continue;
    const weight = s.db.shortestPath(start, id, { type: s.type, weight: 'dist' })?.weight;
    if (weight !== distance) throw new Error(`to ${String(s.keyOf.get(id))}: ${String(weight)}, not ${distance}`);
  }
  const within = far.filter(({ distance }) => distance <= 5000).length;
  const rows = far.map(({ id, distance }) => [s.keyOf.get(id) ?? '', distance] as const);
  return [...(rows.sort((x, y) => y[1] - x[1] || compare(x[0], y[0]))[0] ?? []), within];
}

function enemies(s: Subject): number {
  const rated = (id: number): { target: number; rating: number }[] =>
    s.db
      .edgesOf(id, { type: s.type })
      .map(({ target, properties }) => ({ target, rating: Number(properties['rating']) }));
  let count = 0;
  for (const a of ids(s)) {
    for (const x of rated(a)) {
      if (x.rating >= 5) count += rated(x.target).filter((y) => y.rating <= -8 && y.target !== a).length;
    }
  }
  return count;
}

function regions({ db, label }: Subject): unknown {
  const counts = new Map<string, number>();
  for (const { properties } of db.nodes({ label })) {
    const region = String(properties['region']);
    counts.set(region, (counts.get(region) ?? 0) + 1);
  }
  return top([...counts], 10);
}

function throughUk(s: Subject): unknown {
  const country = containers(s, 'Country');
  const found = new Set<string>();
  for (const uk of near(s, node(s, 'AUS'))) {
    if (country.get(uk) !== 'UK') continue;
    for (const c of near(s, uk)) if (country.get(c) === 'IN') found.add(String(s.keyOf.get(c)));
  }
  return [...found].sort();
}

/** Text is in the order of its code points. */
function lastCities({ db, label }: Subject): unknown {
  const cities = new Set<string>();
  for (const { properties } of db.findNodes({ label, orderBy: { key: 'city', descending: true }, select: ['city'] })) {
    cities.add(String(properties['city']));
    if (cities.size === 10) break;
  }
  return [...cities];
}
