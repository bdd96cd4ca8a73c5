// Goal: the tutorial works as it stands. Method: its JavaScript blocks are run as one program, each has to print what stands in the
// text block below it; its commands are run on the file that is left.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepare, runCommands, runProgram } from './page.ts';
import { blocks, publishedPackages, ROOT } from './repository.ts';

const markdown = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sombra-tutorial-'));
  prepare(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The published package that brings a command. */
function packageOf(command: string): string | undefined {
  return publishedPackages().find(({ json }) => Object.hasOwn(json.bin ?? {}, command))?.json.name;
}

test('every block of JavaScript prints what stands below it', () => {
  expect(runProgram({ folder, markdown })).toBeGreaterThan(8);
});

test('what it imports and starts, it has installed before', () => {
  const installed = new Set<string>();
  const used = new Set<string>();
  for (const { language, text } of blocks(markdown, ['js', 'sh'])) {
    for (const [, name] of language === 'js' ? text.matchAll(/from '([^'.:]+)'/g) : []) {
      expect(installed, `import from '${name}'`).toContain(name);
      used.add(name!);
    }
    for (const line of language === 'sh' ? text.split('\n').filter((each) => each !== '') : []) {
      const [, names] = /^npm install (?:--global )?(.+)$/.exec(line) ?? [];
      if (names !== undefined) names.split(' ').forEach((name) => installed.add(name));
      else expect(installed, line).toContain(packageOf(line.split(' ')[0]!));
    }
  }
  expect([...installed].sort()).toEqual(['@sombra/cli', ...used].sort());
});

test('its commands work on the file that it leaves', () => {
  const [output, ...more] = runCommands({ folder, markdown });
  expect(more).toEqual([]);
  expect(output).toContain('"nodes"');
});
