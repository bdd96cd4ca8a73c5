import { friendsOf, personOf } from './network.ts';
import { newestMessages } from './newest.ts';
import type { SnbDB } from './schema.ts';

/** The 20 newest messages of friends and their friends before a date. */
export function ic9(db: SnbDB, { personId, maxDate }: { personId: number; maxDate: number }): unknown[][] {
  const friends = friendsOf(db, personOf(db, personId).id, 2);
  return newestMessages(db, friends, ({ properties }) => properties.creationDate.getTime() < maxDate);
}
