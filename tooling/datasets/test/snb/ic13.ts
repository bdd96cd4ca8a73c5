import { personOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** How many friendships lie between two persons; -1 when they are not connected. */
export function ic13(db: SnbDB, { person1Id, person2Id }: { person1Id: number; person2Id: number }): unknown[][] {
  const [a, b] = [personOf(db, person1Id).id, personOf(db, person2Id).id];
  return [[db.shortestPath(a, b, { type: 'KNOWS', direction: 'both' })?.length ?? -1]];
}
