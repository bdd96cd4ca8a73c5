import { byKeys, contentOf, creatorOf, getMessage, getPerson, messagesBy, personOf } from './network.ts';
import type { MessageId, SnbDB } from './schema.ts';

/** The 20 newest replies to messages of a person. */
export function ic8(db: SnbDB, { personId }: { personId: number }): unknown[][] {
  return messagesBy(db, personOf(db, personId).id)
    .flatMap((message) => db.neighbors(message, { type: 'REPLY_OF', direction: 'in' }))
    .map((comment) => getMessage(db, comment as number as MessageId))
    .sort(
      byKeys(
        ({ properties }) => -properties.creationDate.getTime(),
        ({ properties }) => properties.id,
      ),
    )
    .slice(0, 20)
    .map((comment) => {
      const { properties: p } = getPerson(db, creatorOf(db, comment.id));
      const { id, creationDate } = comment.properties;
      return [p.id, p.firstName, p.lastName, creationDate, id, contentOf(db, comment)];
    });
}
