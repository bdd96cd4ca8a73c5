import { byKeys, creatorOf, friendsOf, personOf } from './network.ts';
import type { NodeIdOf } from '@sombra/db';
import type { MessageId, PersonId, SnbDB } from './schema.ts';

/** Forums that friends and their friends joined after a date, by the posts of those who did. */
export function ic5(db: SnbDB, { personId, minDate }: { personId: number; minDate: number }): unknown[][] {
  const joined = new Map<NodeIdOf<'Forum'>, Set<PersonId>>();
  for (const friend of friendsOf(db, personOf(db, personId).id, 2)) {
    for (const { source, properties } of db.incoming(friend, { type: 'HAS_MEMBER' })) {
      if (properties.joinDate.getTime() <= minDate) continue;
      const members = joined.get(source);
      if (members === undefined) joined.set(source, new Set([friend]));
      else members.add(friend);
    }
  }
  return [...joined]
    .map(([forum, members]) => ({
      id: db.getNodeProperty(forum, 'id') ?? 0,
      title: db.getNodeProperty(forum, 'title'),
      posts: db
        .neighbors(forum, { type: 'CONTAINER_OF' })
        .filter((post) => members.has(creatorOf(db, post as number as MessageId))).length,
    }))
    .sort(
      byKeys(
        ({ posts }) => -posts,
        ({ id }) => id,
      ),
    )
    .slice(0, 20)
    .map(({ title, posts }) => [title, posts]);
}
