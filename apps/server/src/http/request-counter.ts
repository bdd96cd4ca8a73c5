import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

/** How a request ended: `refused` by the fault of the client, `error` by that of the server. */
export type Outcome = 'ok' | 'refused' | 'error';

/** A counter of requests by outcome, all of which are there from the start. */
export function requestCounter(registry: Registry): Counter<'outcome'> {
  const requests = new Counter({
    name: 'sombra_requests_total',
    help: 'Requests that were answered, by outcome: ok, refused (by the fault of the client), error.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of ['ok', 'refused', 'error'] satisfies Outcome[]) requests.inc({ outcome }, 0);
  return requests;
}

/** @param status  of the answer */
export function outcomeOf(status: number): Outcome {
  if (status >= 500) return 'error';
  return status >= 400 ? 'refused' : 'ok';
}
