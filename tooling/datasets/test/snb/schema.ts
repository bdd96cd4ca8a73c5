/** The social network of LDBC SNB interactive v1, as a schema. Ids of the benchmark are the property `id`. */
import { defineSchema, type GraphDB, type GraphDBOf, type NodeIdOf } from '@sombra/db';

const written = { id: 'integer', creationDate: 'date', locationIP: 'string', browserUsed: 'string' } as const;
const named = { id: 'integer', name: 'string', url: 'string' } as const;

export const schema = defineSchema({
  nodes: {
    Person: {
      ...written,
      firstName: 'string',
      lastName: 'string',
      gender: ['female', 'male'],
      birthday: 'date',
      speaks: 'string[]?',
      email: 'string[]?',
    },
    Message: { ...written, content: 'string?', length: 'integer' },
    Post: { imageFile: 'string?', language: 'string?' },
    Comment: {},
    Forum: { id: 'integer', title: 'string', creationDate: 'date' },
    Tag: named,
    TagClass: named,
    Place: { ...named, type: ['city', 'country', 'continent'] },
    Organisation: { ...named, type: ['company', 'university'] },
  },
  edges: {
    KNOWS: { from: 'Person', to: 'Person', properties: { creationDate: 'date' } },
    LIKES: { from: 'Person', to: 'Message', properties: { creationDate: 'date' } },
    HAS_CREATOR: { from: 'Message', to: 'Person' },
    REPLY_OF: { from: 'Comment', to: 'Message' },
    HAS_TAG: { from: ['Message', 'Forum'], to: 'Tag' },
    CONTAINER_OF: { from: 'Forum', to: 'Post' },
    HAS_MEMBER: { from: 'Forum', to: 'Person', properties: { joinDate: 'date' } },
    HAS_MODERATOR: { from: 'Forum', to: 'Person' },
    HAS_INTEREST: { from: 'Person', to: 'Tag' },
    STUDY_AT: { from: 'Person', to: 'Organisation', properties: { classYear: 'integer' } },
    WORK_AT: { from: 'Person', to: 'Organisation', properties: { workFrom: 'integer' } },
    IS_LOCATED_IN: { from: ['Person', 'Message', 'Organisation'], to: 'Place' },
    IS_PART_OF: { from: 'Place', to: 'Place' },
    HAS_TYPE: { from: 'Tag', to: 'TagClass' },
    IS_SUBCLASS_OF: { from: 'TagClass', to: 'TagClass' },
  },
});

export type Definition = (typeof schema)['definition'];
export type SnbDB = GraphDBOf<Definition>;
export type PersonId = NodeIdOf<'Person'>;
export type MessageId = NodeIdOf<'Message'>;

/** What the queries look up by. Ids of posts and comments are unique together. */
export function createIndexes(db: Pick<GraphDB, 'createPropertyIndex'>): void {
  for (const label of ['Person', 'Message', 'Forum', 'Tag', 'TagClass', 'Place', 'Organisation']) {
    db.createPropertyIndex(label, 'id', { unique: true });
  }
  for (const label of ['Tag', 'TagClass', 'Place']) db.createPropertyIndex(label, 'name');
}
