// The newest messages of some persons: IC2 asks it of friends, IC9 of friends of friends as well.
import { byKeys, contentOf, getMessage, getPerson, messagesBy, type Message } from './network.ts';
import type { PersonId, SnbDB } from './schema.ts';

export function newestMessages(
  db: SnbDB,
  persons: readonly PersonId[],
  accept: (message: Message) => boolean,
): unknown[][] {
  return persons
    .flatMap((person) => messagesBy(db, person).map((id) => ({ person, message: getMessage(db, id) })))
    .filter(({ message }) => accept(message))
    .sort(
      byKeys(
        ({ message }) => -message.properties.creationDate.getTime(),
        ({ message }) => message.properties.id,
      ),
    )
    .slice(0, 20)
    .map(({ person, message }) => {
      const { properties: p } = getPerson(db, person);
      const { id, creationDate } = message.properties;
      return [p.id, p.firstName, p.lastName, id, contentOf(db, message), creationDate];
    });
}
