// Goal: what goes wrong with S3 is a typed error that says what to do and tells no secret; what may pass is tried again; an answer that got lost is no
// refusal. Method: real HTTP, to s3rver through a server that breaks what a test says, or to nobody.
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { openObjectStore } from '../src/index.ts';
import type { ObjectStore } from '../src/index.ts';
import { withConditions } from './support/conditions.ts';
import { codeOf, contentOf, keysOf, textOf } from './support/objects.ts';
import { BUCKET, CREDENTIALS, startS3rver } from './support/s3rver.ts';
import type { RunningServer } from './support/s3rver.ts';

const SECRET = 'S3RVER-CANARY-SECRET';
const PART = 5 << 20;

/** Breaks an exchange. @returns true when it has taken care of the answer */
type Breaker = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  pass: () => Promise<void>,
) => boolean | Promise<boolean>;

let behind: RunningServer;
let endpoint: string;
let breaker: Breaker | undefined;
const requests: string[] = [];
const agent = new Agent({ keepAlive: false });
const broken = createServer((incoming, outgoing) => void exchange(incoming, outgoing).catch(() => outgoing.destroy()));

async function exchange(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  requests.push(`${incoming.method} ${incoming.url}`);
  const { hostname, port } = new URL(behind.endpoint);
  const forward = async (to: (answer: IncomingMessage) => Promise<void>): Promise<void> => {
    const { method, url: path, headers } = incoming;
    const sent = request({ agent, hostname, port, path, method, headers });
    incoming.pipe(sent);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    await to(answer);
  };
  const lost = (): Promise<void> =>
    forward(async (answer) => {
      answer.resume();
      await once(answer, 'end');
      outgoing.destroy();
    });
  if ((await breaker?.(incoming, outgoing, lost)) === true) return;
  await forward(async (answer) => {
    outgoing.writeHead(answer.statusCode!, answer.headers);
    answer.pipe(outgoing);
    await once(outgoing, 'close');
  });
}

beforeAll(async () => {
  behind = await withConditions(await startS3rver());
  broken.listen(0, '127.0.0.1');
  await once(broken, 'listening');
  endpoint = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
});

beforeEach(() => {
  for (const [variable, value] of Object.entries(CREDENTIALS)) vi.stubEnv(variable, value);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET);
  vi.stubEnv('AWS_SESSION_TOKEN', `${SECRET}-token`);
  breaker = undefined;
  requests.length = 0;
});

afterAll(async () => {
  broken.closeAllConnections();
  broken.close();
  agent.destroy();
  await behind.close();
});

let prefixes = 0;

function open(location = `s3://${BUCKET}/test${(prefixes += 1)}`, s3: object = {}): Promise<ObjectStore> {
  return openObjectStore(location, { s3: { endpoint, partSize: PART, maxAttempts: 3, ...s3 } });
}

/** The error of a call, of which nothing may show the secret. */
async function errorOf(call: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = (await call.then(
    () => expect.fail('it was to fail'),
    (each: unknown) => each,
  )) as Error & { code: string };
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(SECRET);
  return error;
}

test('locations and options that are none', async () => {
  for (const url of [
    's3://',
    's3:///a',
    's3://b',
    's3://bucket/a//b',
    's3://bucket/../a',
    's3://bucket/a?x=1',
    `s3://key:${SECRET}@bucket/a`,
  ]) {
    const { code, message } = await errorOf(openObjectStore(url));
    expect([url, code]).toEqual([url, 'SOMBRA_STORE_URL']);
    expect(message).not.toContain(SECRET);
  }
  const options = [
    { endpoint: 'host' },
    { endpoint: `http://key:${SECRET}@host` },
    { partSize: 1000 },
    { maxAttempts: 0 },
    { timeoutMs: 0.5 },
    { retries: 3 },
    { checksums: 'md5' },
    { forcePathStyle: 'yes' },
  ];
  for (const s3 of options) {
    const { code, message } = await errorOf(openObjectStore('s3://bucket', { s3: s3 as object }));
    expect([s3, code]).toEqual([s3, 'SOMBRA_OPTION']);
    expect(message).not.toContain(SECRET);
  }
  const store = await open(`s3://${BUCKET}/a/b/`);
  expect(store.location).toBe(`s3://${BUCKET}/a/b`);
});

test('a bucket that does not exist', async () => {
  const store = await open('s3://no-such-bucket/a');
  for (const call of [
    () => store.put('a', Buffer.from('x')),
    () => store.get('a'),
    () => store.head('a'),
    () => keysOf(store),
    () => store.delete('a'),
  ]) {
    const { code, message } = await errorOf(call());
    expect(code).toBe('SOMBRA_STORE_MISSING');
    expect(message).toContain('no-such-bucket');
  }
});

test('rights that are missing', async () => {
  breaker = (_incoming, outgoing) => {
    outgoing.writeHead(403, { 'content-type': 'application/xml' });
    outgoing.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>');
    return true;
  };
  const store = await open();
  for (const call of [
    () => store.put('a', Buffer.from('x')),
    () => store.get('a'),
    () => store.head('a'),
    () => keysOf(store),
    () => store.conditionalWrites(),
  ]) {
    const { code, message } = await errorOf(call());
    expect(code).toBe('SOMBRA_PERMISSION');
    expect(message).toContain('s3:PutObject');
  }
});

test('a server that has no room', async () => {
  breaker = (_incoming, outgoing) => {
    outgoing.writeHead(507, { 'content-type': 'application/xml' }).end('<Error><Code>XMinioStorageFull</Code></Error>');
    return true;
  };
  expect((await errorOf((await open(undefined, { maxAttempts: 1 })).put('a', Buffer.from('x')))).code).toBe(
    'SOMBRA_DISK_FULL',
  );
});

test('nobody there', async () => {
  const store = await open(undefined, { endpoint: 'http://127.0.0.1:1', maxAttempts: 2 });
  for (const call of [
    () => store.put('a', Buffer.from('x')),
    () => store.get('a'),
    () => store.head('a'),
    () => keysOf(store),
    () => store.conditionalWrites(),
  ]) {
    const { code, message } = await errorOf(call());
    expect(code).toBe('SOMBRA_STORE_UNREACHABLE');
    expect(message).toContain('127.0.0.1:1');
  }
});

test('a server that hangs is given up', async () => {
  breaker = () => true;
  const store = await open(undefined, { maxAttempts: 2, timeoutMs: 100 });
  expect((await errorOf(store.head('a'))).code).toBe('SOMBRA_STORE_UNREACHABLE');
  expect(requests.length).toBe(2);
});

test('what may pass is tried again, and no more often than it was told; other failures are not', async () => {
  const store = await open();
  let left = 2;
  breaker = (_incoming, outgoing) => {
    left -= 1;
    if (left >= 0) outgoing.writeHead(503).end();
    return left >= 0;
  };
  await store.put('a', Buffer.from('bytes'));
  expect(requests.length).toBe(3);
  left = Infinity;
  requests.length = 0;
  expect((await errorOf(store.head('a'))).code).toBe('SOMBRA_STORE_UNREACHABLE');
  expect(requests.length).toBe(3);
  breaker = (_incoming, outgoing) => {
    outgoing.writeHead(400).end('<Error><Code>InvalidThing</Code></Error>');
    return true;
  };
  requests.length = 0;
  expect((await errorOf(store.put('a', Buffer.from('x')))).code).toBe('SOMBRA_STORE_FAILED');
  expect(requests.length).toBe(1);
});

test('a put whose answer got lost is no refusal', async () => {
  for (const size of [10, PART + 1]) {
    const store = await open();
    await store.conditionalWrites();
    let lost = 0;
    breaker = async (incoming, _outgoing, lose) => {
      const commits = incoming.headers['if-none-match'] !== undefined || incoming.headers['if-match'] !== undefined;
      if (lost > 0 || !commits) return false;
      lost += 1;
      await lose();
      return true;
    };
    const { etag } = await store.put('a', new Uint8Array(size).fill(7), { ifAbsent: true });
    expect([lost, (await store.head('a'))!.etag]).toEqual([1, etag]);
    lost = 0;
    const next = await store.put('a', new Uint8Array(size).fill(8), { ifUnchanged: etag });
    expect([lost, (await store.head('a'))!.etag]).toEqual([1, next.etag]);
    expect(await codeOf(store.put('a', Buffer.from('x'), { ifAbsent: true }))).toBe('SOMBRA_OBJECT_EXISTS');
  }
});

test('a download that breaks goes on where it broke, and ends when the object was replaced', async () => {
  const store = await open();
  const bytes = Buffer.alloc(3_000_000, 'abcdefg');
  await store.put('a', bytes);
  let breaks = 0;
  const cutting: Breaker = async (incoming, outgoing) => {
    if (incoming.method !== 'GET' || breaks >= 3) return false;
    breaks += 1;
    const first = Number(/^bytes=(\d+)-/.exec(incoming.headers.range ?? '')?.[1] ?? 0);
    const part = bytes.subarray(first, first + 700_000);
    outgoing.writeHead(first === 0 ? 200 : 206, {
      'content-length': bytes.length - first,
      etag: '"it"',
      ...(first === 0 ? {} : { 'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}` }),
    });
    outgoing.write(part, () => setTimeout(() => outgoing.destroy(), 20));
    return true;
  };
  breaker = cutting;
  expect(Buffer.compare(await contentOf(store, 'a'), bytes)).toBe(0);
  expect(breaks).toBe(3);
  breaks = 0;
  breaker = async (incoming, outgoing, lose) => {
    if (incoming.headers['if-match'] === undefined) return cutting(incoming, outgoing, lose);
    outgoing.writeHead(412).end();
    return true;
  };
  expect((await errorOf(contentOf(store, 'a'))).code).toBe('SOMBRA_OBJECT_CHANGED');
});

test('a download that never gets on is given up', async () => {
  const store = await open();
  await store.put('a', Buffer.from('bytes'));
  breaker = (incoming, outgoing) => {
    if (incoming.method !== 'GET') return false;
    outgoing.writeHead(206, { 'content-length': 5, 'content-range': 'bytes 0-4/5', etag: '"it"' });
    outgoing.flushHeaders();
    setTimeout(() => outgoing.destroy(), 5);
    return true;
  };
  expect((await errorOf(contentOf(store, 'a'))).code).toBe('SOMBRA_STORE_UNREACHABLE');
  expect(requests.filter((line) => line.startsWith('GET')).length).toBe(4);
});

test('a server that ignores ranges gives the bytes that were asked for', async () => {
  const store = await open();
  breaker = (incoming, outgoing) => {
    if (incoming.method === 'GET') outgoing.writeHead(200, { 'content-length': 10, etag: '"it"' }).end('0123456789');
    return incoming.method === 'GET';
  };
  for (const [offset, length, expected] of [
    [0, 1, '0'],
    [3, 4, '3456'],
    [8, undefined, '89'],
    [20, 1, ''],
  ] as const) {
    const { body, size } = await store.get('a', { range: { offset, length } });
    let text = '';
    for await (const piece of body) text += textOf(piece);
    expect([text, size]).toEqual([expected, 10]);
  }
});

test('parts of an upload that fails are given up', async () => {
  const store = await open();
  breaker = (incoming, outgoing) => {
    const isSecond = /partNumber=2/.test(incoming.url!);
    if (isSecond) outgoing.writeHead(400).end('<Error><Code>InvalidPart</Code></Error>');
    return isSecond;
  };
  expect((await errorOf(store.put('a', new Uint8Array(2 * PART + 1)))).code).toBe('SOMBRA_STORE_FAILED');
  expect(requests.filter((line) => /^DELETE .*uploadId=/.test(line)).length).toBeGreaterThan(0);
  expect(await keysOf(store)).toEqual([]);
});

test('with check-first a server without conditions is looked at before it is written to', async () => {
  breaker = (incoming) => {
    delete incoming.headers['if-match'];
    delete incoming.headers['if-none-match'];
    return false;
  };
  const location = `s3://${BUCKET}/racy`;
  const store = await openObjectStore(location, { unenforcedConditions: 'check-first', s3: { endpoint } });
  expect(await store.conditionalWrites()).toEqual({ ifAbsent: false, ifUnchanged: false });
  const { etag } = await store.put('a', Buffer.from('one'), { ifAbsent: true });
  expect(await codeOf(store.put('a', Buffer.from('two'), { ifAbsent: true }))).toBe('SOMBRA_OBJECT_EXISTS');
  await store.put('a', Buffer.from('two'), { ifUnchanged: etag });
  expect(await codeOf(store.put('a', Buffer.from('three'), { ifUnchanged: etag }))).toBe('SOMBRA_OBJECT_CHANGED');
  expect(textOf(await contentOf(store, 'a'))).toBe('two');
});

test('storage class and a prefix reach the server', async () => {
  let seen: unknown;
  breaker = (incoming) => {
    if (incoming.method === 'PUT') seen = [incoming.url?.split('?')[0], incoming.headers['x-amz-storage-class']];
    return false;
  };
  await (await open(`s3://${BUCKET}/deep/er`, { storageClass: 'STANDARD_IA' })).put('a', Buffer.from('x'));
  expect(seen).toEqual([`/${BUCKET}/deep/er/a`, 'STANDARD_IA']);
});

test('no credentials', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) vi.stubEnv(name, undefined);
  for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE']) vi.stubEnv(name, '/dev/null');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  const { code, message } = await errorOf((await open()).head('a'));
  expect(code).toBe('SOMBRA_PERMISSION');
  expect(message).toContain('AWS_ACCESS_KEY_ID');
});
