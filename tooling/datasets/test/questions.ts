// How each kind of question in truth/*.json is put to Sombra's public API. A question is found by the first pattern
// that matches its id; the answer has the shape that the truth has.
import type { GraphDB } from '@sombra/db';
import {
  type Part,
  countTriples,
  strongComponents,
  trails,
  trianglesOfNodes,
  weakComponents,
  weightedDistances,
} from './algorithms.ts';

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
const ids = ({ db, label }: Subject): number[] => [...db.nodes({ label })].map(({ id }) => id);
const part = (subject: Subject): Part => ({ db: subject.db, ids: ids(subject), type: subject.type });
const near = ({ db, type }: Subject, id: number, direction: Direction = 'out'): number[] =>
  db.neighbors(id, { direction, type });
const degree = ({ db, type }: Subject, id: number, direction: Direction): number => db.degree(id, { direction, type });
const word = (question: Question, index: number): string => question.id.split('/')[index] ?? '';

function levels(subject: Subject, question: Question): number[] {
  const direction = word(question, 0).slice('bfs-'.length) as Direction;
  const counts: number[] = [];
  for (const { depth } of subject.db.bfs(node(subject, word(question, 1)), { direction, type: subject.type })) {
    counts[depth] = (counts[depth] ?? 0) + 1;
  }
  return counts;
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

function histogram(subject: Subject, direction: Direction): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const [, d] of degrees(subject, direction)) if (d < 10) counts[d] = (counts[d] ?? 0) + 1;
  return counts;
}

/** Number of shortest paths as node sequences, counted level by level. */
function countShortest(subject: Subject, from: number, to: number, direction: 'out' | 'both'): number {
  let frontier = new Map([[from, 1]]);
  const seen = new Set([from]);
  while (frontier.size > 0) {
    const found = frontier.get(to);
    if (found !== undefined) return found;
    const next = new Map<number, number>();
    for (const [id, ways] of frontier) {
      for (const other of subject.db.neighbors(id, { direction, type: subject.type, distinct: true })) {
        if (!seen.has(other)) next.set(other, (next.get(other) ?? 0) + ways);
      }
    }
    for (const id of next.keys()) seen.add(id);
    frontier = next;
  }
  return 0;
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
  let count = 0;
  for (const { properties } of db.edges({ type })) {
    const value = Number(properties[property]);
    if (Number(params['lo']) <= value && value < Number(params['hi'])) count += 1;
  }
  return count;
}

const filterAirports =
  (accept: (properties: Readonly<Record<string, unknown>>) => boolean): Solver =>
  ({ db, label }) => {
    let count = 0;
    for (const { properties } of db.nodes({ label })) if (accept(properties)) count += 1;
    return count;
  };

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
  [/^count\/sinks$/, (s) => ids(s).filter((id) => degree(s, id, 'out') === 0).length],
  [/^count\/sources$/, (s) => ids(s).filter((id) => degree(s, id, 'in') === 0).length],
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
  [
    /^degree\/sumsq-(out|in)$/,
    (s, q) => degrees(s, q.id.slice('degree/sumsq-'.length) as Direction).reduce((sum, [, d]) => sum + d * d, 0),
  ],
  [/^degree\/histogram-(out|in)$/, (s, q) => histogram(s, q.id.slice('degree/histogram-'.length) as Direction)],
  [/^degree\/top10-total$/, (s) => top(degrees(s, 'both'), 10)],
  [/^degree\/top10-(out|in)$/, (s, q) => top(degrees(s, q.id.slice('degree/top10-'.length) as Direction), 10)],
  [/^twohop\/out-fork$/, (s) => degrees(s, 'out').reduce((sum, [, d]) => sum + d * (d - 1), 0)],
  [/^twohop\/all$/, (s) => ids(s).reduce((sum, b) => sum + degree(s, b, 'in') * degree(s, b, 'out'), 0)],
  [/^bfs-(out|in|both)\//, levels],
  [/^twohop-from\/.*\/paths$/, (s, q) => [...twoHops(s, node(s, q.params['k'])).values()].reduce((a, b) => a + b, 0)],
  [/^twohop-from\/.*\/distinct$/, (s, q) => twoHops(s, node(s, q.params['k'])).size],
  [/^twohop-from\/.*\/new$/, (s, q) => newTwoHops(s, node(s, q.params['k'])).length],
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
    ({ db, type }) => {
      const times = [...db.edges({ type })].map(({ properties }) => Number(properties['time'])).sort((a, b) => a - b);
      return [times[0], times.at(-1)];
    },
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
  [/^filter\/city-starts$/, filterAirports(({ city }) => String(city).startsWith('San '))],
  [/^filter\/desc-contains$/, filterAirports(({ desc }) => String(desc).includes('International'))],
  [/^filter\/desc-ends$/, filterAirports(({ desc }) => String(desc).endsWith('Airport'))],
  [/^filter\/icao-in$/, filterAirports(({ icao }) => ['E', 'L'].includes(String(icao).slice(0, 1)))],
  [/^filter\/tropics$/, filterAirports(({ lat }) => Number(lat) >= -23.5 && Number(lat) <= 23.5)],
  [/^filter\/sort-cities-last$/, lastCities],
  [
    /^components\/wcc-sizes$/,
    (s) => {
      const sizes = weakComponents(part(s));
      return [sizes.slice(0, 5), sizes.filter((size) => size === 1).length];
    },
  ],
  [/^components\/scc-sizes$/, (s) => strongComponents(part(s)).slice(0, 5)],
  [/^components\/wcc-count$/, (s) => weakComponents(part(s)).length],
  [/^components\/scc-count$/, (s) => strongComponents(part(s)).length],
  [
    /^triangles\/top5-nodes$/,
    (s) =>
      top(
        [...trianglesOfNodes(part(s))].map(([id, n]) => [s.keyOf.get(id) ?? '', n] as const),
        5,
      ),
  ],
  [/^triangles\/(cyclic|transitive)$/, (s, q) => countTriples(part(s), word(q, 1) as 'cyclic' | 'transitive')],
  [/^trail\/.*\/counts$/, (s, q) => trails(part(s), node(s, q.params['k']), 3).map(({ count }) => count)],
  [/^trail\/.*\/ends$/, (s, q) => trails(part(s), node(s, q.params['k']), 3).map(({ ends }) => ends.size)],
];

function mutual(s: Subject, a: number): number {
  const back = new Set(near(s, a, 'in'));
  return near(s, a).filter((b) => back.has(b)).length;
}

/** Every distance by hand, and the engine's own weighted path to every 100th airport, which must agree. */
function farthest(s: Subject, q: Question): unknown {
  const start = node(s, word(q, 1));
  const distances = weightedDistances(part(s), start, 'dist');
  for (const [index, id] of ids(s).entries()) {
    if (index % 100 !== 0) continue;
    const weight = s.db.shortestPath(start, id, { type: s.type, weight: 'dist' })?.weight;
    if (weight !== distances.get(id))
      throw new Error(`to ${String(s.keyOf.get(id))}: ${weight}, not ${distances.get(id)}`);
  }
  distances.delete(start);
  const far = [...distances].map(([id, distance]) => [s.keyOf.get(id) ?? '', distance] as const);
  const within = far.filter(([, distance]) => distance <= 5000).length;
  return [...(far.sort((x, y) => y[1] - x[1] || compare(x[0], y[0]))[0] ?? []), within];
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

function lastCities({ db, label }: Subject): unknown {
  const codePoints = (a: string, b: string): number => {
    const [x, y] = [[...a], [...b]];
    for (let i = 0; i < Math.min(x.length, y.length); i += 1) {
      const order = (x[i]?.codePointAt(0) ?? 0) - (y[i]?.codePointAt(0) ?? 0);
      if (order !== 0) return order;
    }
    return x.length - y.length;
  };
  const cities = new Set<string>();
  for (const { properties } of db.nodes({ label })) cities.add(String(properties['city']));
  return [...cities].sort(codePoints).reverse().slice(0, 10);
}
