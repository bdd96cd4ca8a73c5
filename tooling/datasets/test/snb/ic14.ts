import { byKeys, creatorOf, messagesBy, personOf } from './network.ts';
import type { PersonId, SnbDB } from './schema.ts';

/** All shortest paths between two persons, by how much neighbours on them reply to each other. */
export function ic14(db: SnbDB, { person1Id, person2Id }: { person1Id: number; person2Id: number }): unknown[][] {
  const [a, b] = [personOf(db, person1Id).id, personOf(db, person2Id).id];
  return [...db.allShortestPaths(a, b, { type: 'KNOWS', direction: 'both' })]
    .map(({ nodes }) => nodes as PersonId[])
    .map((nodes) => ({
      ids: nodes.map((id) => db.getNodeProperty(id, 'id')),
      weight: nodes.slice(1).reduce((sum, id, i) => sum + talk(db, nodes[i] ?? a, id) + talk(db, id, nodes[i] ?? a), 0),
    }))
    .sort(byKeys(({ weight }) => -weight))
    .map(({ ids, weight }) => [ids, weight]);
}

/** Replies of one person to another: 1 for each to a post, 0.5 for each to a comment. */
function talk(db: SnbDB, from: PersonId, to: PersonId): number {
  let weight = 0;
  for (const message of messagesBy(db, from)) {
    const [parent] = db.neighbors(message, { type: 'REPLY_OF' });
    if (parent !== undefined && creatorOf(db, parent) === to) weight += db.hasLabel(parent, 'Post') ? 1 : 0.5;
  }
  return weight;
}
