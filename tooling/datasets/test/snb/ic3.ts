import { byKeys, friendsOf, getPerson, messagesBy, one, personOf, placeOf } from './network.ts';
import type { SnbDB } from './schema.ts';

interface Parameters {
  personId: number;
  startDate: number;
  durationDays: number;
  countryXName: string;
  countryYName: string;
}

/** Friends and their friends, at home in neither of two countries, who wrote from both of them within some days. */
export function ic3(db: SnbDB, given: Parameters): unknown[][] {
  const country = (name: string): number =>
    one(db.findNodes({ label: 'Place', where: { name, type: 'country' }, limit: 1 }), name).id;
  const [x, y] = [country(given.countryXName), country(given.countryYName)];
  const end = given.startDate + given.durationDays * 86_400_000;
  const rows: { id: number; first: string; last: string; fromX: number; fromY: number }[] = [];
  for (const friend of friendsOf(db, personOf(db, given.personId).id, 2)) {
    const home = one(db.neighbors(placeOf(db, friend).id, { type: 'IS_PART_OF' }), 'country');
    if (home === x || home === y) continue;
    let [fromX, fromY] = [0, 0];
    for (const message of messagesBy(db, friend)) {
      const [place] = db.neighbors(message, { type: 'IS_LOCATED_IN' });
      if (place !== x && place !== y) continue;
      const written = db.getNodeProperty(message, 'creationDate')?.getTime() ?? NaN;
      if (!(given.startDate <= written && written < end)) continue;
      if (place === x) fromX += 1;
      else fromY += 1;
    }
    if (fromX === 0 || fromY === 0) continue;
    const { properties: p } = getPerson(db, friend);
    rows.push({ id: p.id, first: p.firstName, last: p.lastName, fromX, fromY });
  }
  return rows
    .sort(
      byKeys(
        ({ fromX, fromY }) => -(fromX + fromY),
        ({ id }) => id,
      ),
    )
    .slice(0, 20)
    .map(({ id, first, last, fromX, fromY }) => [id, first, last, fromX, fromY, fromX + fromY]);
}
