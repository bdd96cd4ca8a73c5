/** Bodies of objects in pieces of bounded size. */
import { DataError } from '@sombra/vfs';
import type { ObjectBody } from './object-store.ts';

/** Largest piece that is written or handed out at once, bytes. */
export const PIECE = 1 << 20;

/** The body in pieces of 1 byte to 1 MiB. @throws DataError SOMBRA_OPTION when it is no body; what the body throws */
export async function* pieces(body: ObjectBody): AsyncGenerator<Uint8Array, void, undefined> {
  if (body instanceof Uint8Array) {
    yield* cut(body);
    return;
  }
  if (typeof (body as Partial<AsyncIterable<Uint8Array>> | null)?.[Symbol.asyncIterator] !== 'function')
    throw noBytes();
  for await (const bytes of body) {
    if (!(bytes instanceof Uint8Array)) throw noBytes();
    yield* cut(bytes);
  }
}

/** In pieces of at most 1 MiB. */
export function* cut(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, Math.min(bytes.length, at + PIECE));
}

function noBytes(): DataError {
  return new DataError('SOMBRA_OPTION', 'the body of an object is a Uint8Array, or an AsyncIterable of them');
}
