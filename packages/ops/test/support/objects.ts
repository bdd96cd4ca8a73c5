import type { ObjectEntry, ObjectStore } from '../../src/index.ts';

/** All bytes of an object. */
export async function contentOf(store: ObjectStore, key: string): Promise<Uint8Array> {
  const { body } = await store.get(key);
  const found: Uint8Array[] = [];
  for await (const piece of body) found.push(piece);
  return Buffer.concat(found);
}

export async function allOf(entries: AsyncIterable<ObjectEntry>): Promise<ObjectEntry[]> {
  const found: ObjectEntry[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}

export async function keysOf(store: ObjectStore): Promise<string[]> {
  return (await allOf(store.list())).map(({ key }) => key);
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Code of what a promise rejects with. @throws what has no code */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string') throw error;
    return code;
  }
  return 'no error';
}
