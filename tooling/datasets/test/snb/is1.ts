import { personOf, placeOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** Profile of a person. */
export function is1(db: SnbDB, { personId }: { personId: number }): unknown[][] {
  const { id, properties: p } = personOf(db, personId);
  const city = placeOf(db, id).properties.id;
  return [[p.firstName, p.lastName, p.birthday, p.locationIP, p.browserUsed, city, p.gender, p.creationDate]];
}
