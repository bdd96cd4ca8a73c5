import { byKeys, friendsOf, getPerson, personOf, placeOf } from './network.ts';
import type { SnbDB } from './schema.ts';

interface Parameters {
  personId: number;
  countryName: string;
  workFromYear: number;
}

/** Friends and their friends who began to work at a company of a country before a year. */
export function ic11(db: SnbDB, { personId, countryName, workFromYear }: Parameters): unknown[][] {
  const rows: { id: number; first: string; last: string; company: string; since: number }[] = [];
  for (const friend of friendsOf(db, personOf(db, personId).id, 2)) {
    for (const { target, properties } of db.outgoing(friend, { type: 'WORK_AT' })) {
      if (properties.workFrom >= workFromYear || placeOf(db, target).properties.name !== countryName) continue;
      const { properties: p } = getPerson(db, friend);
      const company = db.getNodeProperty(target, 'name') ?? '';
      rows.push({ id: p.id, first: p.firstName, last: p.lastName, company, since: properties.workFrom });
    }
  }
  const ascending = byKeys<(typeof rows)[number]>(
    ({ since }) => since,
    ({ id }) => id,
  );
  const byCompany = byKeys<(typeof rows)[number]>(({ company }) => company);
  return rows
    .sort((a, b) => ascending(a, b) || byCompany(b, a))
    .slice(0, 10)
    .map(({ id, first, last, company, since }) => [id, first, last, company, since]);
}
