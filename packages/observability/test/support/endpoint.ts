import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../../src/index.ts';

/** Serves metrics over HTTP, on loopback. */
export async function serve(metrics: Metrics): Promise<{ target: string; stop(): Promise<void> }> {
  const server = createServer((_, response) => {
    void metrics.text().then((text) => response.setHeader('content-type', metrics.contentType).end(text));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
