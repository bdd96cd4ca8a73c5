import { byKeys, friendsOf, getPerson, messagesBy, one, personOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** Friends by their replies to posts about a class of tags, whatever lies below it included. */
export function ic12(db: SnbDB, { personId, tagClassName }: { personId: number; tagClassName: string }): unknown[][] {
  const top = one(db.findNodes({ label: 'TagClass', where: { name: tagClassName }, limit: 1 }), tagClassName).id;
  const classes = db.bfs(top, { type: 'IS_SUBCLASS_OF', direction: 'in' });
  const wanted = new Set(classes.flatMap(({ id }) => db.neighbors(id, { type: 'HAS_TYPE', direction: 'in' })));
  return friendsOf(db, personOf(db, personId).id)
    .map((friend) => {
      const names = new Set<string>();
      let replies = 0;
      for (const message of messagesBy(db, friend)) {
        const [parent] = db.neighbors(message, { type: 'REPLY_OF' });
        if (parent === undefined || !db.hasLabel(parent, 'Post')) continue;
        const tags = db.neighbors(parent, { type: 'HAS_TAG' }).filter((tag) => wanted.has(tag));
        if (tags.length > 0) replies += 1;
        for (const tag of tags) names.add(db.getNodeProperty(tag, 'name') ?? '');
      }
      return { person: getPerson(db, friend).properties, names, replies };
    })
    .filter(({ replies }) => replies > 0)
    .sort(
      byKeys(
        ({ replies }) => -replies,
        ({ person }) => person.id,
      ),
    )
    .slice(0, 20)
    .map(({ person, names, replies }) => [person.id, person.firstName, person.lastName, [...names], replies]);
}
