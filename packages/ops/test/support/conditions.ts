// A server in front of another one that speaks the protocol of S3: it enforces conditions, by looking and writing without letting another write of the
// same object come between. Everything else it passes on as it is.
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunningServer } from './s3rver.ts';

const REFUSAL =
  '<?xml version="1.0" encoding="UTF-8"?><Error><Code>PreconditionFailed</Code><Message>no</Message></Error>';

export async function withConditions(behind: RunningServer): Promise<RunningServer> {
  const { hostname, port } = new URL(behind.endpoint);
  // The server behind is closed only when nobody is connected to it any more.
  const agent = new Agent({ keepAlive: false });
  const queues = new Map<string, Promise<void>>();

  /** Etag of the object; undefined when there is none. */
  async function etagOf(path: string): Promise<string | undefined> {
    const sent = request({ agent, hostname, port, path, method: 'HEAD' }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode === 200 ? answer.headers.etag : undefined;
  }

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method, url: path, headers } = incoming;
    const sent = request({ agent, hostname, port, path, method, headers });
    incoming.pipe(sent);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    outgoing.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(outgoing);
    await once(outgoing, 'close');
  }

  async function write(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { 'if-match': match, 'if-none-match': none } = incoming.headers;
    if (match !== undefined || none !== undefined) {
      const etag = await etagOf(incoming.url!.split('?')[0]!);
      if (none === '*' ? etag !== undefined : etag !== match) {
        incoming.resume();
        outgoing.writeHead(412, { 'content-type': 'application/xml' }).end(REFUSAL);
        return;
      }
    }
    await pass(incoming, outgoing);
  }

  const server = createServer((incoming, outgoing) => {
    const path = incoming.url!.split('?')[0]!;
    const changes = incoming.method !== 'GET' && incoming.method !== 'HEAD';
    const turn = changes ? (queues.get(path) ?? Promise.resolve()) : Promise.resolve();
    const done = turn.then(() => (changes ? write : pass)(incoming, outgoing)).catch(() => void outgoing.destroy());
    if (changes) queues.set(path, done);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await behind.close();
    },
  };
}
