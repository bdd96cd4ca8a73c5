import { byKeys, contentOf, friendsOf, getMessage, getPerson, messagesBy, personOf, type Message } from './network.ts';
import type { PersonId, SnbDB } from './schema.ts';

/** The 20 newest likes of a person's messages, one of each liker; how long they took; whether the liker is no friend. */
export function ic7(db: SnbDB, { personId }: { personId: number }): unknown[][] {
  const start = personOf(db, personId).id;
  const friends = new Set(friendsOf(db, start));
  const latest = new Map<PersonId, { time: number; message: Message }>();
  for (const id of messagesBy(db, start)) {
    for (const { source, properties } of db.incoming(id, { type: 'LIKES' })) {
      const like = { time: properties.creationDate.getTime(), message: getMessage(db, id) };
      const other = latest.get(source);
      const newer = byKeys<typeof like>(
        ({ time }) => -time,
        ({ message }) => message.properties.id,
      );
      if (other === undefined || newer(like, other) < 0) latest.set(source, like);
    }
  }
  return [...latest]
    .map(([liker, like]) => ({ liker: getPerson(db, liker), ...like }))
    .sort(
      byKeys(
        ({ time }) => -time,
        ({ liker }) => liker.properties.id,
      ),
    )
    .slice(0, 20)
    .map(({ liker: { id, properties: p }, time, message }) => [
      p.id,
      p.firstName,
      p.lastName,
      time,
      message.properties.id,
      contentOf(db, message),
      Math.floor((time - message.properties.creationDate.getTime()) / 60_000),
      !friends.has(id),
    ]);
}
