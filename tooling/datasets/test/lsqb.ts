// The subgraph counts of LSQB, as loops over neighbours. Where a pattern branches, the branches multiply, so that degrees are
// enough and no row has to be built.
import type { GraphDB } from '@sombra/db';

const MESSAGES = ['Comment', 'Post'] as const;

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
const ids = (db: GraphDB, label: string): number[] => [...db.nodeIds({ label })];
const messages = (db: GraphDB): number[] => MESSAGES.flatMap((label) => ids(db, label));
const knows = (db: GraphDB, id: number): number[] => db.neighbors(id, { type: 'KNOWS', direction: 'both' });
const tags = (db: GraphDB, id: number): number[] => db.neighbors(id, { type: 'HAS_TAG' });
const arriving = (db: GraphDB, id: number, type: string): number => db.degree(id, { type, direction: 'in' });

/** Country of a person, by way of the city. */
export function countryOf(db: GraphDB, person: number): number | undefined {
  const [city] = db.neighbors(person, { type: 'IS_LOCATED_IN' });
  return city === undefined ? undefined : db.neighbors(city, { type: 'IS_PART_OF' })[0];
}

/** Country, city, person, forum, post, comment, tag, class of tag: members of a forum times tags on replies to its posts. */
function q1(db: GraphDB): number {
  return sum(
    ids(db, 'Forum').map((forum) => {
      const members = db.neighbors(forum, { type: 'HAS_MEMBER' }).filter((id) => countryOf(db, id) !== undefined);
      const replies = db
        .neighbors(forum, { type: 'CONTAINER_OF' })
        .flatMap((post) => db.neighbors(post, { type: 'REPLY_OF', direction: 'in' }));
      const classes = replies
        .flatMap((comment) => tags(db, comment))
        .map((tag) => db.degree(tag, { type: 'HAS_TYPE' }));
      return members.length * sum(classes);
    }),
  );
}

/** A comment to a post of a friend. */
function q2(db: GraphDB): number {
  let count = 0;
  for (const a of ids(db, 'Person')) {
    const friends = knows(db, a);
    for (const comment of db.neighbors(a, { type: 'HAS_CREATOR', direction: 'in' })) {
      for (const parent of db.neighbors(comment, { type: 'REPLY_OF' })) {
        if (!db.hasLabel(parent, 'Post')) continue;
        const authors = db.neighbors(parent, { type: 'HAS_CREATOR' });
        count += friends.filter((friend) => authors.includes(friend)).length;
      }
    }
  }
  return count;
}

/** Triangles of friends inside one country, each as six rows. */
function q3(db: GraphDB): number {
  const country = new Map(ids(db, 'Person').map((id) => [id, countryOf(db, id)]));
  const near = new Map(
    [...country].map(([id, x]) => [id, new Set(knows(db, id).filter((other) => country.get(other) === x))]),
  );
  let count = 0;
  for (const around of near.values()) {
    for (const b of around) for (const c of near.get(b) ?? []) if (around.has(c)) count += 1;
  }
  return count;
}

/** Messages with tag, creator, like and reply. With `optional` (q7) likes and replies may be missing. */
function tagged(db: GraphDB, optional: boolean): number {
  const least = optional ? 1 : 0;
  return sum(
    messages(db).map(
      (id) =>
        db.degree(id, { type: 'HAS_TAG' }) *
        db.degree(id, { type: 'HAS_CREATOR' }) *
        Math.max(least, arriving(db, id, 'LIKES')) *
        Math.max(least, arriving(db, id, 'REPLY_OF')),
    ),
  );
}

/** Pairs of different tags on a message and a reply to it. With `absent` (q8) the reply lacks the message's tag. */
function tagPairs(db: GraphDB, absent: boolean): number {
  let count = 0;
  for (const comment of ids(db, 'Comment')) {
    const own = tags(db, comment);
    if (own.length === 0) continue;
    for (const message of db.neighbors(comment, { type: 'REPLY_OF' })) {
      for (const tag of tags(db, message)) {
        const same = own.filter((other) => other === tag).length;
        if (same === 0 || !absent) count += own.length - same;
      }
    }
  }
  return count;
}

/** Interests of friends of friends. With `strangers` (q9) these are not friends themselves. */
function interests(db: GraphDB, strangers: boolean): number {
  let count = 0;
  for (const a of ids(db, 'Person')) {
    const friends = new Set(knows(db, a));
    for (const b of knows(db, a)) {
      for (const c of knows(db, b)) {
        if (c !== a && !(strangers && friends.has(c))) count += db.degree(c, { type: 'HAS_INTEREST' });
      }
    }
  }
  return count;
}

export const LSQB: Readonly<Record<string, (db: GraphDB) => number>> = {
  q1,
  q2,
  q3,
  q4: (db) => tagged(db, false),
  q5: (db) => tagPairs(db, false),
  q6: (db) => interests(db, false),
  q7: (db) => tagged(db, true),
  q8: (db) => tagPairs(db, true),
  q9: (db) => interests(db, true),
};
