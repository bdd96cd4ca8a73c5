/** Which request the program is working on, for logs and audit. */
import { AsyncLocalStorage } from 'node:async_hooks';

const requests = new AsyncLocalStorage<string>();

/**
 * Runs `fn` as part of a request: what is logged in it, and in what it starts and awaits, carries the id.
 * @returns what `fn` returns
 */
export function withRequestId<T>(id: string, fn: () => T): T {
  return requests.run(id, fn);
}

/** The id of the request that is being worked on; undefined outside of `withRequestId`. */
export function requestId(): string | undefined {
  return requests.getStore();
}
