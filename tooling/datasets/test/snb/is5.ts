import { creatorOf, getPerson, messageOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** Who wrote a message. */
export function is5(db: SnbDB, { messageId }: { messageId: number }): unknown[][] {
  const { properties: p } = getPerson(db, creatorOf(db, messageOf(db, messageId).id));
  return [[p.id, p.firstName, p.lastName]];
}
