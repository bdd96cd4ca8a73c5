// Goal: the tables of docs/format/backup.md are the fields of the code; a manifest is read back as it was written, and whatever else is read is refused
// by a typed error. Method: tables compared with constants; each field damaged, removed, doubled; random bytes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CorruptionError } from '@sombra/vfs';
import { Random, seeds } from '@sombra/vfs/testing';
import { describe, expect, test } from 'vitest';
import {
  decodeManifest,
  encodeManifest,
  MANIFEST_FIELDS,
  PART_FIELDS,
  POSITION_FIELDS,
} from '../src/backup/manifest.ts';
import type { Manifest } from '../src/backup/manifest.ts';
import { checkName, dataKey, idOf, idOfData, idOfManifest, manifestKey, nameOf } from '../src/backup/names.ts';

const ID = 'graph-20261201T020000Z';
const MANIFEST: Manifest = {
  id: ID,
  name: 'graph',
  sequence: 2,
  kind: 'incremental',
  base: 'graph-20261130T020000Z',
  created: '2026-12-01T02:00:00.000Z',
  sombra: '0.1.0',
  databaseId: '00112233445566778899aabbccddeeff',
  sourceTimeline: 1,
  timeline: 4_000_000_000,
  salt: 7,
  lsn: 900,
  time: '2026-12-01T01:59:59.999Z',
  position: { seq: 3, offset: 4096, chain: 5, salt: '0011223344556677' },
  pageSize: 8192,
  pageCount: 100,
  pages: 4,
  parts: [
    {
      key: `${ID}.changes-gz`,
      size: 10,
      sha256: 'a'.repeat(64),
      rawSize: 33_792,
      rawSha256: 'b'.repeat(64),
      compression: 'gzip',
    },
  ],
};

function codeOf(bytes: Uint8Array): string {
  try {
    decodeManifest(bytes, `${ID}.json`, ID);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'no error';
}

/** With a checksum that is right, whatever the fields are. */
function sealed(fields: Record<string, unknown>): Uint8Array {
  const checksum = createHash('sha256').update(JSON.stringify(fields)).digest('hex');
  return Buffer.from(JSON.stringify({ ...fields, checksum }));
}

function fieldsOf(manifest: Manifest): Record<string, unknown> {
  const { checksum, ...fields } = JSON.parse(Buffer.from(encodeManifest(manifest)).toString()) as Record<
    string,
    unknown
  >;
  expect(checksum).toMatch(/^[0-9a-f]{64}$/);
  return fields;
}

describe('docs/format/backup.md', () => {
  const text = readFileSync(new URL('../../../docs/format/backup.md', import.meta.url), 'utf8');
  const tableOf = (heading: string): string[] => {
    const [, section = ''] = text.split(new RegExp(`^#+ ${heading}$`, 'm'));
    return [...section.split(/^#/m)[0]!.matchAll(/^\| `(\w+)` /gm)].map(([, field]) => field!);
  };

  test.each([
    ['Manifest', MANIFEST_FIELDS],
    ['Position', POSITION_FIELDS],
    ['Part', PART_FIELDS],
  ])('%s has the fields of the code, in their order', (heading, fields) => {
    expect(tableOf(heading)).toEqual([...fields]);
    const written = JSON.parse(Buffer.from(encodeManifest(MANIFEST)).toString()) as Record<string, object>;
    const object = { Manifest: written, Position: written['position']!, Part: (written['parts'] as object[])[0]! }[
      heading
    ]!;
    expect(Object.keys(object)).toEqual([...fields]);
  });
});

describe('a manifest', () => {
  test('is read back as it was written', () => {
    expect(decodeManifest(encodeManifest(MANIFEST), 'key', ID)).toEqual(MANIFEST);
    const full = { ...MANIFEST, kind: 'full', base: null, position: null, pages: 100 } as const;
    const [part] = MANIFEST.parts;
    const whole: Manifest = { ...full, parts: [{ ...part!, key: `${ID}.db`, compression: 'none' }] };
    expect(decodeManifest(encodeManifest(whole), 'key', ID)).toEqual(whole);
  });

  const bad: Record<string, unknown[]> = {
    format: [0, -1, 1.5, '1', null],
    id: ['graph-20261201T020001Z', '../graph-20261201T020000Z', 5, null],
    name: ['other', '', '../graph', 5],
    sequence: [0, -1, 1.5, '2', 2 ** 53],
    kind: ['full', 'partial', null],
    base: [null, ID, 'nothing', 5],
    created: ['yesterday', '2026-12-01', 5, null],
    sombra: ['', 'x'.repeat(101), null],
    databaseId: ['00', 'X'.repeat(32), 'A'.repeat(32), null],
    sourceTimeline: [-1, 2 ** 32, '1', null],
    timeline: [-1, 2 ** 32, 1.5],
    salt: [-1, 2 ** 32],
    lsn: [-1, 2 ** 53, '900'],
    time: ['2026-13-01T00:00:00.000Z', 0],
    position: [
      5,
      [],
      {},
      { ...MANIFEST.position, seq: -1 },
      { ...MANIFEST.position, salt: 'x' },
      { ...MANIFEST.position, more: 1 },
    ],
    pageSize: [0, 4095, 6000, 131_072, '8192'],
    pageCount: [0, 2 ** 32, 3],
    pages: [-1, 101],
    parts: [
      [],
      {},
      [5],
      [MANIFEST.parts[0], MANIFEST.parts[0]],
      [{ ...MANIFEST.parts[0], key: 'graph-20261130T020000Z.db.gz' }],
      [{ ...MANIFEST.parts[0], key: `../${ID}.changes-gz` }],
      [{ ...MANIFEST.parts[0], key: `${ID}.db.gz` }],
      [{ ...MANIFEST.parts[0], size: -1 }],
      [{ ...MANIFEST.parts[0], sha256: 'g'.repeat(64) }],
      [{ ...MANIFEST.parts[0], compression: 'rar' }],
      [{ ...MANIFEST.parts[0], more: 1 }],
    ],
  };

  test('has checks for every field', () => {
    expect(Object.keys(bad)).toEqual(MANIFEST_FIELDS.slice(0, -1));
  });

  test.each(Object.entries(bad))('is refused with another %s, even with a valid checksum', (field, values) => {
    for (const value of values)
      expect(codeOf(sealed({ ...fieldsOf(MANIFEST), [field]: value })), JSON.stringify(value)).toBe(
        'SOMBRA_BACKUP_MANIFEST',
      );
    const without = Object.fromEntries(Object.entries(fieldsOf(MANIFEST)).filter(([name]) => name !== field));
    expect(codeOf(sealed(without))).toBe('SOMBRA_BACKUP_MANIFEST');
  });

  test('is refused with a field more, or when a digit was changed', () => {
    expect(codeOf(sealed({ ...fieldsOf(MANIFEST), more: 1 }))).toBe('SOMBRA_BACKUP_MANIFEST');
    const text = Buffer.from(encodeManifest(MANIFEST)).toString();
    expect(codeOf(Buffer.from(text.replace('"lsn": 900', '"lsn": 901')))).toBe('SOMBRA_BACKUP_MANIFEST');
    expect(codeOf(Buffer.from(text.replaceAll('\n', '').replaceAll('  ', '')))).toBe('no error');
  });

  test('of a newer format is told from damage', () => {
    expect(codeOf(Buffer.from('{"format":2}'))).toBe('SOMBRA_BACKUP_FORMAT');
  });

  test.each(seeds(300))('that is garbage, or was cut or flipped, is refused, seed %i', (seed) => {
    const random = new Random(seed);
    const bytes = Buffer.from(encodeManifest(MANIFEST));
    const cases = [
      random.bytes(random.below(300)),
      bytes.subarray(0, random.below(bytes.length - 2)),
      Buffer.from('[null,1,{"format":[]}]'.slice(0, random.below(23))),
    ];
    for (const one of cases) expect(codeOf(one)).toBe('SOMBRA_BACKUP_MANIFEST');
    const at = random.below(bytes.length);
    bytes[at]! ^= 1 << random.below(8);
    try {
      // Space between fields may be any.
      expect(decodeManifest(bytes, 'key', ID)).toEqual(MANIFEST);
    } catch (error) {
      const { code } = error as { code: string };
      expect(error instanceof CorruptionError || code === 'SOMBRA_BACKUP_FORMAT', String(error)).toBe(true);
    }
  });
});

describe('names', () => {
  test('come from the file of the database', () => {
    const cases = {
      '/data/graph.db': 'graph',
      'graph.db': 'graph',
      graph: 'graph',
      'a.b.db': 'a.b',
      ':memory:': 'memory',
      '/x/.db': '.db',
    };
    for (const [path, name] of Object.entries(cases)) expect(nameOf(path), path).toBe(name);
    for (const name of ['', '.x', '-x', 'a/b', 'a\\b', 'x'.repeat(101), 'a\nb', 5])
      expect(() => checkName(name), String(name)).toThrowError(expect.objectContaining({ code: 'SOMBRA_OPTION' }));
    for (const name of ['graph', 'my graph', 'größe', 'a-20261201T020000Z']) checkName(name);
  });

  test('of objects lead back to the id', () => {
    const time = Date.parse('2026-12-01T02:00:00.999Z');
    for (const [again, id] of [
      [0, ID],
      [1, `${ID}-2`],
    ] as const) {
      expect(idOf('graph', time, again)).toBe(id);
      expect(idOfManifest(manifestKey(id))).toBe(id);
      for (const kind of ['full', 'incremental'] as const)
        for (const compression of ['none', 'gzip', 'zstd'] as const)
          expect(idOfData(dataKey(id, kind, compression))).toBe(id);
    }
    for (const key of ['graph.json', 'graph-2026.json', `${ID}.txt`, 'package.json'])
      expect([idOfManifest(key), idOfData(key)]).toEqual([undefined, undefined]);
    // What scripts look for: full ones only.
    for (const compression of ['none', 'gzip', 'zstd'] as const)
      expect(dataKey(ID, 'incremental', compression)).not.toMatch(/\.(gz|db|zst)$/);
  });
});
