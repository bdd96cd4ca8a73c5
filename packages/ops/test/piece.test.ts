// Goal: an object of an archive has the format of docs/format/archive.md, and whatever else is there is refused. Method: the table beside the list of fields; headers
// with each field changed, and random bytes.
import { Random } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { MemoryVfs } from '@sombra/vfs';
import { decodeHeader, encodePiece, openPiece, PIECE_FIELDS, PIECE_HEADER_SIZE } from '../src/archive/piece.ts';
import type { PieceHeader } from '../src/archive/piece.ts';
import { pagesKey, parseKey, pieceKey } from '../src/archive/names.ts';
import { openObjectStore } from '../src/index.ts';
import { createHash } from 'node:crypto';
import { codeOf } from './support/objects.ts';

const BYTES = new Random(1).bytes(5000);
const HEADER: PieceHeader = {
  kind: 'segment',
  databaseId: '0123456789abcdef'.repeat(2),
  timeline: 7,
  pageSize: 4096,
  seq: 3,
  salt: '0011223344556677',
  from: 0,
  to: BYTES.length,
  before: 10,
  last: 12,
  firstTime: 1,
  lastTime: 2,
  chain: 99,
  previous: '',
  compression: 'gzip',
  sha256: createHash('sha256').update(BYTES).digest('hex'),
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}

async function encoded(header: PieceHeader, bytes = BYTES): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodePiece(header, once(bytes))) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('the fields are those of the table', () => {
  const table = readFileSync(new URL('../../../docs/format/archive.md', import.meta.url), 'utf8').split(
    '## Header',
  )[1]!;
  const fields = [...table.split('## Reading')[0]!.matchAll(/^\| `(\w+)`/gm)].map((row) => row[1]);
  expect(fields).toEqual([...PIECE_FIELDS]);
});

describe('a header', () => {
  test('is read as it was written', async () => {
    const object = await encoded(HEADER);
    expect(decodeHeader(object.subarray(0, PIECE_HEADER_SIZE), 'k')).toEqual(HEADER);
    expect(object[PIECE_HEADER_SIZE - 1]).toBe(0x0a);
  });

  test.each([
    ['kind', 'other'],
    ['databaseId', 'xyz'],
    ['timeline', -1],
    ['pageSize', 5000],
    ['seq', 1.5],
    ['salt', 'no'],
    ['to', 0],
    ['before', 13],
    ['chain', 2 ** 32],
    ['previous', 'abc'],
    ['compression', 'rar'],
    ['sha256', ''],
  ])('with %s = %j is refused, whatever its checksum says', async (field, value) => {
    const object = await encoded({ ...HEADER, compression: 'none' });
    const own = JSON.parse(Buffer.from(object.subarray(0, PIECE_HEADER_SIZE)).toString()) as Record<string, unknown>;
    const body: Record<string, unknown> = { ...own, [field]: value };
    delete body['checksum'];
    const checksum = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    const changed = Buffer.from(JSON.stringify({ ...body, checksum }).padEnd(PIECE_HEADER_SIZE));
    expect(() => decodeHeader(changed, 'k')).toThrow(expect.objectContaining({ code: 'SOMBRA_ARCHIVE_DAMAGED' }));
  });

  test('of a newer format says so; random bytes are none', () => {
    const newer = Buffer.from(JSON.stringify({ format: 2, whatever: true }).padEnd(PIECE_HEADER_SIZE));
    expect(() => decodeHeader(newer, 'k')).toThrow(expect.objectContaining({ code: 'SOMBRA_BACKUP_FORMAT' }));
    const random = new Random(2);
    for (let i = 0; i < 50; i += 1) {
      const bytes = random.bytes(random.below(2000));
      expect(() => decodeHeader(bytes, 'k')).toThrow(expect.objectContaining({ code: 'SOMBRA_ARCHIVE_DAMAGED' }));
    }
  });
});

test('an object is not written when its bytes are not those that were hashed', async () => {
  const store = await openObjectStore('place', { vfs: new MemoryVfs() });
  const changed = BYTES.with(7, BYTES[7]! ^ 1);
  expect(await codeOf(store.put('a', encodePiece(HEADER, once(changed))))).toBe('SOMBRA_ARCHIVE_DAMAGED');
  expect(await store.head('a')).toBeUndefined();
  await store.put('a', encodePiece(HEADER, once(BYTES)));
  const { bytes } = await openPiece(store, 'a', {});
  const found: Uint8Array[] = [];
  for await (const piece of bytes) found.push(piece);
  expect(Buffer.concat(found)).toEqual(Buffer.from(BYTES));
});

test('names sort as the log goes on, and are read as they were written', () => {
  const piece = { kind: 'tail', timeline: 0xabc, seq: 9, from: 512, to: 9000, before: 4, last: 11 } as const;
  const key = pieceKey('graph', piece);
  expect(key).toBe(
    'log/graph/00000abc/0000000000000009-000000000512-000000009000-0000000000000004-0000000000000011.tail',
  );
  expect(parseKey('graph', key)).toEqual(piece);
  expect(pieceKey('graph', { ...piece, seq: 10, from: 0 }) > key).toBe(true);
  const pages = { kind: 'pages', timeline: 1, lsn: 77 } as const;
  expect(parseKey('graph', pagesKey('graph', pages))).toEqual(pages);
  for (const other of [
    'log/other/00000abc/x',
    `${key}.gz`,
    key.replace('-000000009000', '-000000000001'),
    'log/graph/archive.lock',
  ])
    expect(parseKey('graph', other)).toBeUndefined();
});
