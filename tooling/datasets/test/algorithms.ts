// What the engine does not compute by itself yet, on top of its public API: components, triangles, trails,
// every distance from a node.
import type { GraphDB } from '@sombra/db';

/** Part of a graph: some nodes, and the edges of one type among them. */
export interface Part {
  readonly db: GraphDB;
  readonly ids: readonly number[];
  readonly type: string;
}

/** Sizes of the components that hang together when directions do not count, largest first. */
export function weakComponents({ db, ids, type }: Part): number[] {
  const seen = new Set<number>();
  const sizes: number[] = [];
  for (const start of ids) {
    if (seen.has(start)) continue;
    const found = db.bfs(start, { direction: 'both', type });
    for (const { id } of found) seen.add(id);
    sizes.push(found.length);
  }
  return sizes.sort((a, b) => b - a);
}

/** Sizes of the sets in which every node reaches every other one, largest first. Kosaraju: two searches in depth. */
export function strongComponents({ db, ids, type }: Part): number[] {
  const finished: number[] = [];
  const seen = new Set<number>();
  for (const id of ids) inDepth(id, seen, (next) => db.neighbors(next, { type }), finished);
  const assigned = new Set<number>();
  const sizes: number[] = [];
  for (const id of finished.reverse()) {
    const component: number[] = [];
    inDepth(id, assigned, (next) => db.neighbors(next, { type, direction: 'in' }), component);
    if (component.length > 0) sizes.push(component.length);
  }
  return sizes.sort((a, b) => b - a);
}

/** Visits what was not seen before; `finished` gets each node after everything that it leads to. */
function inDepth(start: number, seen: Set<number>, next: (id: number) => number[], finished: number[]): void {
  if (seen.has(start)) return;
  seen.add(start);
  const stack = [{ id: start, others: next(start), at: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const other = top.others[top.at];
    top.at += 1;
    if (other === undefined) {
      finished.push(top.id);
      stack.pop();
    } else if (!seen.has(other)) {
      seen.add(other);
      stack.push({ id: other, others: next(other), at: 0 });
    }
  }
}

/** How many triangles each node is in, when directions and parallel edges do not count. */
export function trianglesOfNodes({ db, ids, type }: Part): Map<number, number> {
  const later = new Map<number, Set<number>>();
  for (const id of ids) {
    const others = db.neighbors(id, { direction: 'both', type, distinct: true });
    later.set(id, new Set(others.filter((other) => other > id)));
  }
  const counts = new Map<number, number>();
  const add = (id: number): void => void counts.set(id, (counts.get(id) ?? 0) + 1);
  for (const [a, afterA] of later) {
    for (const b of afterA) {
      for (const c of later.get(b) ?? []) if (afterA.has(c)) [a, b, c].forEach(add);
    }
  }
  return counts;
}

/** Ordered triples of different nodes with a->b, b->c and a third edge: c->a (`cyclic`) or a->c (`transitive`). */
export function countTriples({ db, ids, type }: Part, third: 'cyclic' | 'transitive'): number {
  const out = new Map(ids.map((id) => [id, db.neighbors(id, { type })]));
  let count = 0;
  for (const a of ids) {
    const closing = new Set(db.neighbors(a, { type, direction: third === 'cyclic' ? 'in' : 'out' }));
    for (const b of out.get(a) ?? []) {
      if (b === a) continue;
      for (const c of out.get(b) ?? []) if (c !== a && c !== b && closing.has(c)) count += 1;
    }
  }
  return count;
}

/** Walks of 1, 2, … edges forward that use no edge twice: how many there are, and where they end. */
export function trails({ db, type }: Part, start: number, length: number): { count: number; ends: Set<number> }[] {
  const levels = Array.from({ length }, () => ({ count: 0, ends: new Set<number>() }));
  const used: number[] = [];
  const follow = (from: number): void => {
    const level = levels[used.length];
    if (level === undefined) return;
    for (const { id, target } of db.edgesOf(from, { type })) {
      if (used.includes(id)) continue;
      level.count += 1;
      level.ends.add(target);
      used.push(id);
      follow(target);
      used.pop();
    }
  };
  follow(start);
  return levels;
}

/** Least sum of an edge property from a node to every node that it reaches. Dijkstra, with buckets: the sums are integers. */
export function weightedDistances({ db, type }: Part, start: number, key: string): Map<number, number> {
  const best = new Map([[start, 0]]);
  const buckets: number[][] = [[start]];
  for (let distance = 0; distance < buckets.length; distance += 1) {
    for (const id of buckets[distance] ?? []) {
      if (best.get(id) !== distance) continue;
      for (const { target, properties } of db.edgesOf(id, { type })) {
        const sum = distance + Number(properties[key]);
        if (sum >= (best.get(target) ?? Infinity)) continue;
        best.set(target, sum);
        (buckets[sum] ??= []).push(target);
      }
    }
  }
  return best;
}
