import { getPerson, messageOf, postOf } from './network.ts';
import type { SnbDB } from './schema.ts';

/** The forum of a message's thread, and its moderator. */
export function is6(db: SnbDB, { messageId }: { messageId: number }): unknown[][] {
  const rows: unknown[][] = [];
  for (const forum of db.neighbors(postOf(db, messageOf(db, messageId).id), {
    type: 'CONTAINER_OF',
    direction: 'in',
  })) {
    const [id, title] = [db.getNodeProperty(forum, 'id'), db.getNodeProperty(forum, 'title')];
    for (const moderator of db.neighbors(forum, { type: 'HAS_MODERATOR' })) {
      const { properties: p } = getPerson(db, moderator);
      rows.push([id, title, p.id, p.firstName, p.lastName]);
    }
  }
  return rows;
}
