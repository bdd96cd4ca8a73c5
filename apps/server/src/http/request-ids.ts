import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Header that a request may name itself by, and that every answer has. */
export const REQUEST_ID = 'x-request-id';
const ALLOWED = /^[\w.:-]{1,64}$/;

/** The id that a request gave itself, as far as it can be written into a log as it is; else a new one. */
export function requestIdOf(request: IncomingMessage | { readonly headers: IncomingMessage['headers'] }): string {
  const given = request.headers[REQUEST_ID];
  return typeof given === 'string' && ALLOWED.test(given) ? given : randomUUID();
}
