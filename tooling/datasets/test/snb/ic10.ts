import { byKeys, getPerson, messagesBy, personOf, placeOf, type Person } from './network.ts';
import type { PersonId, SnbDB } from './schema.ts';

/** Friends of friends, born under one sign, by how much of what they post is about the person's interests. */
export function ic10(db: SnbDB, { personId, month }: { personId: number; month: number }): unknown[][] {
  const start = personOf(db, personId).id;
  const interests = new Set(db.neighbors(start, { type: 'HAS_INTEREST' }));
  const score = (friend: PersonId): number => {
    let common = 0;
    const posts = messagesBy(db, friend).filter((message) => db.hasLabel(message, 'Post'));
    for (const post of posts)
      if (db.neighbors(post, { type: 'HAS_TAG' }).some((tag) => interests.has(tag))) common += 1;
    return common - (posts.length - common);
  };
  return (db.kHop(start, 2, { mode: 'exact', type: 'KNOWS', direction: 'both' }) as PersonId[])
    .map((id) => getPerson(db, id))
    .filter((person) => isBornIn(person, month))
    .map((person) => ({ person, score: score(person.id) }))
    .sort(
      byKeys(
        (row) => -row.score,
        ({ person }) => person.properties.id,
      ),
    )
    .slice(0, 10)
    .map(({ person: { id, properties: p }, score: common }) => [
      p.id,
      p.firstName,
      p.lastName,
      common,
      p.gender,
      placeOf(db, id).properties.name,
    ]);
}

/** From the 21st of a month to the 21st of the next. */
function isBornIn({ properties }: Person, month: number): boolean {
  const [bornMonth, day] = [properties.birthday.getUTCMonth() + 1, properties.birthday.getUTCDate()];
  return (bornMonth === month && day >= 21) || (bornMonth === (month % 12) + 1 && day < 22);
}
