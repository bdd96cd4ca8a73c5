import { friendsOf, messagesBy, one, personOf } from './network.ts';
import type { SnbDB } from './schema.ts';
import { topNames } from './top-names.ts';

/** What else friends and their friends put on posts that have a tag. */
export function ic6(db: SnbDB, { personId, tagName }: { personId: number; tagName: string }): unknown[][] {
  const known = one(db.findNodes({ label: 'Tag', where: { name: tagName }, limit: 1 }), tagName).id;
  const counts = new Map<string, number>();
  for (const friend of friendsOf(db, personOf(db, personId).id, 2)) {
    for (const message of messagesBy(db, friend)) {
      if (!db.hasLabel(message, 'Post')) continue;
      const tags = db.neighbors(message, { type: 'HAS_TAG', distinct: true });
      if (!tags.includes(known)) continue;
      for (const tag of tags) {
        const name = db.getNodeProperty(tag, 'name') ?? '';
        if (tag !== known) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
  }
  return topNames(counts, 10);
}
