import type { NodeIdOf } from '@sombra/db';
import { byKeys, getPerson, personOf, placeOf } from './network.ts';
import type { PersonId, SnbDB } from './schema.ts';

/** The 20 nearest persons with a first name, at most three friendships away, with where they studied and worked. */
export function ic1(db: SnbDB, { personId, firstName }: { personId: number; firstName: string }): unknown[][] {
  return db
    .bfs(personOf(db, personId).id, { type: 'KNOWS', direction: 'both', minDepth: 1, maxDepth: 3 })
    .filter(({ id }) => db.getNodeProperty(id as PersonId, 'firstName') === firstName)
    .map(({ id, depth }) => ({ depth, person: getPerson(db, id as PersonId) }))
    .sort(
      byKeys(
        ({ depth }) => depth,
        ({ person }) => person.properties.lastName,
        ({ person }) => person.properties.id,
      ),
    )
    .slice(0, 20)
    .map(({ depth, person: { id, properties: p } }) => [
      p.id,
      p.lastName,
      depth,
      p.birthday,
      p.creationDate,
      p.gender,
      p.browserUsed,
      p.locationIP,
      p.email ?? [],
      p.speaks ?? [],
      placeOf(db, id).properties.name,
      db.outgoing(id, { type: 'STUDY_AT' }).map((e) => organisation(db, e.target, e.properties.classYear)),
      db.outgoing(id, { type: 'WORK_AT' }).map((e) => organisation(db, e.target, e.properties.workFrom)),
    ]);
}

function organisation(db: SnbDB, id: NodeIdOf<'Organisation'>, year: number): unknown[] {
  return [db.getNodeProperty(id, 'name'), year, placeOf(db, id).properties.name];
}
