// Goal: JSON Lines are read in any order and from anywhere, and what is wrong with them is refused with file and line, nothing
// having been imported. Method: small files by the built command.
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { BIN, failure, json, sombra } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const folder = temporaryFolder();
const lines = join(folder, 'graph.jsonl');
let database: string;
let number = 0;
beforeEach(() => {
  number += 1;
  database = join(folder, `graph${number}.db`);
});

const GRAPH = [
  '{"edge":1,"type":"KNOWS","source":"b","target":1}',
  '',
  '{"node":1,"labels":["Person"],"properties":{"name":"Ada","gone":null}}',
  ' { "node" : "b" } ',
];

it('come in any order, with empty lines, byte order mark, CRLF, packed, over several files', async () => {
  writeFileSync(lines, `\uFEFF${GRAPH.join('\r\n')}`);
  const more = join(folder, 'more.jsonl');
  writeFileSync(
    more,
    gzipSync('{"node":2}\n{"edge":2,"type":"E","source":1,"target":2,"properties":{"d":{"$date":"2024-01-01"}}}'),
  );
  expect(await json('import', database, '--jsonl', lines, more)).toMatchObject({ nodes: 3, edges: 2, method: 'bulk' });
  expect(await json('neighbors', database, 'name=Ada', '--direction', 'both')).toMatchObject({
    neighbors: [
      { node: { id: 3 }, edge: { type: 'E', properties: { d: '2024-01-01T00:00:00.000Z' } } },
      { node: { id: 2, properties: {} }, edge: { type: 'KNOWS', source: 2 } },
    ],
  });
  expect(await json('import', database, '--jsonl', lines)).toMatchObject({ nodes: 2, edges: 1, method: 'transaction' });
});

it('from standard input have nodes before edges', () => {
  const from = (input: string): { status: number | null; stderr: string } => {
    const { status, stderr } = spawnSync(process.execPath, [BIN, 'import', database, '--jsonl', '-'], {
      input,
      encoding: 'utf8',
    });
    return { status, stderr };
  };
  const { status, stderr } = from(`{"node":1}\n{"edge":1,"type":"E","source":1,"target":1}\n{"node":2}\n`);
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error SOMBRA_JSONL_SYNTAX: stdin:3: a node after the first edge/);
  expect(existsSync(database)).toBe(false);
  expect(from('{"node":1}\n{"edge":1,"type":"E","source":1,"target":1}').status).toBe(0);
});

it('keep keys that mean something to JavaScript', async () => {
  writeFileSync(lines, '{"node":1,"properties":{"__proto__":{"__proto__":{"a":1},"constructor":2},"toString":"x"}}\n');
  await json('import', database, '--jsonl', lines);
  const { stdout } = await sombra(['export', database, '--to', '-']);
  expect(stdout).toBe(
    '{"node":1,"labels":[],"properties":{"__proto__":{"__proto__":{"a":1},"constructor":2},"toString":"x"}}\n',
  );
});

describe('are refused with file and line', () => {
  it.each([
    ['SOMBRA_JSONL_SYNTAX', '[1]', 'is no object'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2', 'is not JSON'],
    ['SOMBRA_JSONL_SYNTAX', '{"type":"node","id":2}', 'neither a node nor an edge'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"label":"A"}', '"label" is no part of'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"labels":"A"}', 'labels are a list of texts'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2.5}', 'is the id of a node'],
    ['SOMBRA_JSONL_SYNTAX', '{"edge":2,"source":1,"target":1}', 'the type of an edge is a text'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"properties":{"a":9007199254740993}}', 'beyond 2^53'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"properties":{"a":1e400}}', '"1e400" is too large for a float'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"properties":{"a":[{"b":-1e400}]}}', '"-1e400" is too large for a float'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"properties":{"a":1e-400}}', '"1e-400" is too small for a float'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"properties":{"a":1,"a":2}}', 'the key "a" stands twice'],
    ['SOMBRA_JSONL_SYNTAX', '{"node":2,"node":3}', 'the key "node" stands twice'],
    ['SOMBRA_JSONL_VALUE', '{"node":2,"properties":[1]}', 'properties are an object'],
    ['SOMBRA_JSONL_VALUE', '{"node":2,"properties":{"a":{"$date":"x"}}}', 'property "a": "x" is not a date'],
    ['SOMBRA_IMPORT_DUPLICATE_ID', '{"node":1}', 'the id 1 was used before'],
    ['SOMBRA_IMPORT_DANGLING_EDGE', '{"edge":1,"type":"E","source":1,"target":"1"}', 'ends at "1"'],
    ['SOMBRA_LABEL_EMPTY', '{"node":2,"labels":[""]}', 'empty'],
    ['SOMBRA_TEXT_SURROGATE', '{"node":2,"properties":{"a":"\\ud800"}}', 'surrogate'],
    ['SOMBRA_TEXT_SURROGATE', '{"node":2,"properties":{"a":{"\\udc00":1}}}', 'surrogate'],
    ['SOMBRA_TEXT_SURROGATE', '{"node":2,"labels":["\\ud800"]}', 'surrogate'],
    ['SOMBRA_TEXT_SURROGATE', '{"edge":2,"type":"\\ud800","source":1,"target":1}', 'surrogate'],
  ])('%s: %s', async (code, line, message) => {
    writeFileSync(lines, `{"node":1}\n\n${line}\n`);
    const { error } = await failure('import', database, '--jsonl', lines);
    expect(error).toMatchObject({ code, details: { file: lines, line: 3 } });
    expect(error.message).toContain(`${lines}:3: `);
    expect(error.message).toContain(message);
    expect(existsSync(database)).toBe(false);
  });

  it.each<[string, string, string[]]>([
    ['SOMBRA_IMPORT_FILE', 'no file', ['--jsonl', join(folder, 'none.jsonl')]],
    ['SOMBRA_USAGE', 'CSV beside it', ['--jsonl', 'x', '--nodes', 'y']],
    ['SOMBRA_USAGE', 'files beside standard input', ['--jsonl', '-', 'x']],
  ])('%s: %s', async (code, _name, args) => {
    expect((await failure('import', database, ...args)).error.code).toBe(code);
  });
});
