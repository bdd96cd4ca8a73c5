import { contentOf, messageOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** When a message was written, and what it says. */
export function is4(db: SnbDB, { messageId }: { messageId: number }): unknown[][] {
  const message = messageOf(db, messageId);
  return [[message.properties.creationDate, contentOf(db, message)]];
}
