import { byKeys, contentOf, creatorOf, friendsOf, getMessage, getPerson, messageOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** Replies to a message, newest first, and whether their authors know the author of the message. */
export function is7(db: SnbDB, { messageId }: { messageId: number }): unknown[][] {
  const message = messageOf(db, messageId).id;
  const friends = new Set(friendsOf(db, creatorOf(db, message)));
  return db
    .neighbors(message, { type: 'REPLY_OF', direction: 'in' })
    .map((id) => {
      const comment = getMessage(db, id as number as typeof message);
      return { comment, author: getPerson(db, creatorOf(db, comment.id)) };
    })
    .sort(
      byKeys(
        ({ comment }) => -comment.properties.creationDate.getTime(),
        ({ author }) => author.properties.id,
      ),
    )
    .map(({ comment, author }) => [
      comment.properties.id,
      contentOf(db, comment),
      comment.properties.creationDate,
      author.properties.id,
      author.properties.firstName,
      author.properties.lastName,
      friends.has(author.id),
    ]);
}
