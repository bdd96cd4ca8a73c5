import { friendsOf, messagesBy, personOf } from './network.ts';
import type { SnbDB } from './schema.ts';
import { topNames } from './top-names.ts';

interface Parameters {
  personId: number;
  startDate: number;
  durationDays: number;
}

/** Tags on posts that friends wrote within some days, and on none that they wrote before. */
export function ic4(db: SnbDB, { personId, startDate, durationDays }: Parameters): unknown[][] {
  const end = startDate + durationDays * 86_400_000;
  const counts = new Map<string, number>();
  const old = new Set<string>();
  for (const friend of friendsOf(db, personOf(db, personId).id)) {
    for (const message of messagesBy(db, friend)) {
      if (!db.hasLabel(message, 'Post')) continue;
      const written = db.getNodeProperty(message, 'creationDate')?.getTime() ?? NaN;
      if (written >= end) continue;
      for (const tag of db.neighbors(message, { type: 'HAS_TAG', distinct: true })) {
        const name = db.getNodeProperty(tag, 'name') ?? '';
        if (written < startDate) old.add(name);
        else counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
  }
  for (const name of old) counts.delete(name);
  return topNames(counts, 10);
}
