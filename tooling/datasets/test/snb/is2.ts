import { byKeys, contentOf, creatorOf, getMessage, getPerson, messagesBy, personOf, postOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** The ten newest messages of a person, each with the post that began its thread, and who wrote that. */
export function is2(db: SnbDB, { personId }: { personId: number }): unknown[][] {
  return messagesBy(db, personOf(db, personId).id)
    .map((id) => getMessage(db, id))
    .sort(
      byKeys(
        ({ properties }) => -properties.creationDate.getTime(),
        ({ properties }) => properties.id,
      ),
    )
    .slice(0, 10)
    .map((message) => {
      const post = postOf(db, message.id);
      const { properties: author } = getPerson(db, creatorOf(db, post));
      const { id, creationDate } = message.properties;
      const postId = db.getNodeProperty(post, 'id');
      return [id, contentOf(db, message), creationDate, postId, author.id, author.firstName, author.lastName];
    });
}
