import { byKeys, getPerson, personOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** Friends of a person, the newest friendship first. */
export function is3(db: SnbDB, { personId }: { personId: number }): unknown[][] {
  const start = personOf(db, personId).id;
  return db
    .edgesOf(start, { type: 'KNOWS', direction: 'both' })
    .map(({ source, target, properties }) => ({
      since: properties.creationDate,
      friend: getPerson(db, source === start ? target : source).properties,
    }))
    .sort(
      byKeys(
        ({ since }) => -since.getTime(),
        ({ friend }) => friend.id,
      ),
    )
    .map(({ since, friend }) => [friend.id, friend.firstName, friend.lastName, since]);
}
