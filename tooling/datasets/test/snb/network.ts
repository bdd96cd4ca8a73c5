// What several queries of the social network need: how to find a person, the persons near, the content of a message.
import type { NodeOf } from '@sombra/db';
import type { Definition, MessageId, PersonId, SnbDB } from './schema.ts';

export type Person = NodeOf<Definition, 'Person'>;
export type Message = NodeOf<Definition, 'Message'>;
export type Place = NodeOf<Definition, 'Place'>;

/** The first of some rows. @throws when there is none: the data are complete, so a question without an answer is a mistake */
export function one<T>(rows: Iterable<T>, what: string): T {
  for (const row of rows) return row;
  throw new Error(`there is no ${what}`);
}

export const personOf = (db: SnbDB, id: number): Person =>
  one(db.findNodes({ label: 'Person', where: { id }, limit: 1 }), `person ${id}`);

export const messageOf = (db: SnbDB, id: number): Message =>
  one(db.findNodes({ label: 'Message', where: { id }, limit: 1 }), `message ${id}`);

export const getPerson = (db: SnbDB, id: PersonId): Person => one(found(db.getNode(id)), `node ${id}`);
export const getMessage = (db: SnbDB, id: MessageId): Message => one(found(db.getNode(id)), `node ${id}`);
const found = <T>(row: T | undefined): T[] => (row === undefined ? [] : [row]);

/** Text of a message; of a photo, the name of its file. */
export function contentOf(db: SnbDB, message: Message): string | undefined {
  if (message.properties.content !== undefined) return message.properties.content;
  return db.hasLabel(message.id, 'Post') ? db.getNodeProperty(message.id, 'imageFile') : undefined;
}

export const creatorOf = (db: SnbDB, message: MessageId): PersonId =>
  one(db.neighbors(message, { type: 'HAS_CREATOR' }), `creator of ${message}`);

export const messagesBy = (db: SnbDB, person: PersonId): MessageId[] =>
  db.neighbors(person, { type: 'HAS_CREATOR', direction: 'in' });

/** The post at the top of a thread. */
export function postOf(db: SnbDB, message: MessageId): NodePost {
  let id: number = message;
  while (!db.hasLabel(id, 'Post')) id = one(db.neighbors(id, { type: 'REPLY_OF' }), `parent of ${id}`);
  return id as NodePost;
}
type NodePost = MessageId & NodeOf<Definition, 'Post'>['id'];

/** Friends, or with 2 hops friends of friends too; never the person. A friendship has no direction. */
export const friendsOf = (db: SnbDB, person: PersonId, hops = 1): PersonId[] =>
  db.kHop(person, hops, { type: 'KNOWS', direction: 'both' }) as PersonId[];

export const placeOf = (db: SnbDB, id: number): Place =>
  one(
    db.neighbors(id, { type: 'IS_LOCATED_IN' }).flatMap((place) => found(db.getNode(place))),
    `place of ${id}`,
  );

/** Puts rows in order: by the first key that differs; a key is a number, a text or a date. */
export function byKeys<T>(...keys: ((row: T) => number | string | Date)[]): (a: T, b: T) => number {
  return (a, b) => {
    for (const key of keys) {
      const [x, y] = [key(a), key(b)];
      if (x < y) return -1;
      if (x > y) return 1;
    }
    return 0;
  };
}
