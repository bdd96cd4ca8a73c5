// What the engine does not compute by itself, on top of its public API.
import type { GraphDB } from '@sombra/db';

/** Part of a graph: the nodes with a label, and the edges of one type among them. */
export interface Part {
  readonly db: GraphDB;
  readonly label: string;
  readonly type: string;
}

/** Ordered triples of different nodes with a->b, b->c and a third edge: c->a (`cyclic`) or a->c (`transitive`). */
export function countTriples({ db, label, type }: Part, third: 'cyclic' | 'transitive'): number {
  const ids = [...db.nodeIds({ label })];
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
