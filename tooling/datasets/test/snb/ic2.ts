import { friendsOf, personOf } from './network.ts';
import { newestMessages } from './newest.ts';
import type { SnbDB } from './schema.ts';

/** The 20 newest messages of friends up to a date. */
export function ic2(db: SnbDB, { personId, maxDate }: { personId: number; maxDate: number }): unknown[][] {
  const friends = friendsOf(db, personOf(db, personId).id);
  return newestMessages(db, friends, ({ properties }) => properties.creationDate.getTime() <= maxDate);
}
