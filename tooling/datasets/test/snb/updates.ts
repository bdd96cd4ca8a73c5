// Applies the update streams of snb-mini: what happened after the data were taken, a hundred events a transaction.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { NodeIdOf, TransactionOf } from '@sombra/db';
import { one } from './network.ts';
import type { Definition, MessageId, SnbDB } from './schema.ts';

type Transaction = TransactionOf<Definition>;
type Fields = readonly string[];
type EntityLabel = 'Person' | 'Message' | 'Forum' | 'Tag' | 'Place' | 'Organisation';

const BATCH = 100;

/** Carries out both streams in the order of their times. @returns number of events */
export function applyUpdates(db: SnbDB): number {
  const events = ['person', 'forum']
    .flatMap((stream) => readStream(`updateStream_0_0_${stream}.csv.gz`))
    .sort((a, b) => Number(a[0]) - Number(b[0]));
  for (let done = 0; done < events.length; done += BATCH) {
    db.transaction((tx) => {
      for (const [, , kind, ...fields] of events.slice(done, done + BATCH)) {
        const apply = EVENTS[Number(kind)];
        if (apply === undefined) throw new Error(`an event of kind ${String(kind)} is not known`);
        apply(tx, fields);
      }
    });
  }
  return events.length;
}

function readStream(name: string): string[][] {
  const packed = readFileSync(new URL(`../../snb-mini/updates/${name}`, import.meta.url));
  const lines = gunzipSync(packed).toString('utf8').trimEnd().split('\n');
  return lines.map((line) => line.split('|'));
}

const list = (field: string | undefined): string[] => (field === undefined || field === '' ? [] : field.split(';'));
const date = (field: string | undefined): Date => new Date(Number(field));

function entity<L extends EntityLabel>(tx: Transaction, label: L, id: string | undefined): NodeIdOf<L> {
  const query = { label: label as EntityLabel, where: { id: Number(id) }, limit: 1 };
  return one(tx.findNodes(query), `${label} ${String(id)}`).id as number as NodeIdOf<L>;
}

function addTags(tx: Transaction, node: MessageId | NodeIdOf<'Forum'>, ids: string | undefined): void {
  for (const id of list(ids)) tx.addEdge(node, entity(tx, 'Tag', id), 'HAS_TAG');
}

function addPerson(tx: Transaction, fields: Fields): void {
  const [id, firstName = '', lastName = '', gender, birthday, created, locationIP = '', browserUsed = ''] = fields;
  const [city, speaks, emails, tags, study, work] = fields.slice(8);
  const person = tx.addNode('Person', {
    id: Number(id),
    firstName,
    lastName,
    gender: gender as 'female' | 'male',
    birthday: date(birthday),
    creationDate: date(created),
    locationIP,
    browserUsed,
    speaks: list(speaks),
    email: list(emails),
  });
  tx.addEdge(person, entity(tx, 'Place', city), 'IS_LOCATED_IN');
  for (const tag of list(tags)) tx.addEdge(person, entity(tx, 'Tag', tag), 'HAS_INTEREST');
  for (const [organisation, year] of list(study).map((item) => item.split(','))) {
    tx.addEdge(person, entity(tx, 'Organisation', organisation), 'STUDY_AT', { classYear: Number(year) });
  }
  for (const [organisation, year] of list(work).map((item) => item.split(','))) {
    tx.addEdge(person, entity(tx, 'Organisation', organisation), 'WORK_AT', { workFrom: Number(year) });
  }
}

function addLike(tx: Transaction, [person, message, time]: Fields): void {
  tx.addEdge(entity(tx, 'Person', person), entity(tx, 'Message', message), 'LIKES', { creationDate: date(time) });
}

function addForum(tx: Transaction, [id, title = '', time, moderator, tags]: Fields): void {
  const forum = tx.addNode('Forum', { id: Number(id), title, creationDate: date(time) });
  tx.addEdge(forum, entity(tx, 'Person', moderator), 'HAS_MODERATOR');
  addTags(tx, forum, tags);
}

function addMember(tx: Transaction, [forum, person, time]: Fields): void {
  tx.addEdge(entity(tx, 'Forum', forum), entity(tx, 'Person', person), 'HAS_MEMBER', { joinDate: date(time) });
}

function addPost(tx: Transaction, fields: Fields): void {
  const [id, imageFile, time, locationIP = '', browserUsed = '', language, content, length] = fields;
  const [author, forum, country, tags] = fields.slice(8);
  const post = tx.addNode(['Post', 'Message'], {
    id: Number(id),
    imageFile: imageFile === '' ? null : imageFile,
    creationDate: date(time),
    locationIP,
    browserUsed,
    language: language === '' ? null : language,
    content: content === '' ? null : content,
    length: Number(length),
  });
  tx.addEdge(post, entity(tx, 'Person', author), 'HAS_CREATOR');
  tx.addEdge(entity(tx, 'Forum', forum), post, 'CONTAINER_OF');
  tx.addEdge(post, entity(tx, 'Place', country), 'IS_LOCATED_IN');
  addTags(tx, post, tags);
}

function addComment(tx: Transaction, fields: Fields): void {
  const [id, time, locationIP = '', browserUsed = '', content, length, author, country] = fields;
  const [post, comment, tags] = fields.slice(8);
  const added = tx.addNode(['Comment', 'Message'], {
    id: Number(id),
    creationDate: date(time),
    locationIP,
    browserUsed,
    content: content === '' ? null : content,
    length: Number(length),
  });
  tx.addEdge(added, entity(tx, 'Person', author), 'HAS_CREATOR');
  tx.addEdge(added, entity(tx, 'Place', country), 'IS_LOCATED_IN');
  tx.addEdge(added, entity(tx, 'Message', post === '-1' ? comment : post), 'REPLY_OF');
  addTags(tx, added, tags);
}

function addFriendship(tx: Transaction, [a, b, time]: Fields): void {
  tx.addEdge(entity(tx, 'Person', a), entity(tx, 'Person', b), 'KNOWS', { creationDate: date(time) });
}

/** By the number that a stream gives each kind of event. */
const EVENTS: Readonly<Record<number, (tx: Transaction, fields: Fields) => void>> = {
  1: addPerson,
  2: addLike,
  3: addLike,
  4: addForum,
  5: addMember,
  6: addPost,
  7: addComment,
  8: addFriendship,
};
