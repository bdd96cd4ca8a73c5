// Goal: the tutorial works as it stands. Method: its JavaScript blocks are run as one program, each has to print what stands in the
// text block below it; its commands are run on the file that is left.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishedPackages, ROOT } from './repository.ts';

const MARK = '=== block';
const BLOCK = /^```(js|text|sh)\n([\s\S]*?)^```$/gm;
const blocks = [...readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8').matchAll(BLOCK)].map(([, kind, text]) => ({
  kind: kind!,
  text: text!,
}));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sombra-tutorial-'));
  symlinkSync(join(ROOT, 'tooling/checks/node_modules'), join(folder, 'node_modules'));
  const bin = join(folder, 'sombra');
  writeFileSync(bin, `#!/bin/sh\nexec node '${join(ROOT, 'apps/cli/dist/main.js')}' "$@"\n`);
  chmodSync(bin, 0o755);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The published package that brings a command. */
function packageOf(command: string): string | undefined {
  return publishedPackages().find(({ json }) => Object.hasOwn(json.bin ?? {}, command))?.json.name;
}

test('every block of JavaScript prints what stands below it', () => {
  const programs = blocks.filter(({ kind }) => kind === 'js');
  const expected = programs.map((program) => {
    const next = blocks[blocks.indexOf(program) + 1];
    return next?.kind === 'text' ? next.text : '';
  });
  expect(programs.length).toBeGreaterThan(8);
  const program = programs.map(({ text }) => `${text}\nconsole.log('${MARK}');\n`).join('');
  writeFileSync(join(folder, 'tutorial.mjs'), program);
  const output = execFileSync('node', ['tutorial.mjs'], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  expect(output.split(`${MARK}\n`).slice(0, -1)).toEqual(expected);
});

test('what it imports and starts, it has installed before', () => {
  const installed = new Set<string>();
  const used = new Set<string>();
  for (const { kind, text } of blocks) {
    for (const [, name] of kind === 'js' ? text.matchAll(/from '([^'.:]+)'/g) : []) {
      expect(installed, `import from '${name}'`).toContain(name);
      used.add(name!);
    }
    for (const line of kind === 'sh' ? text.split('\n').filter((each) => each !== '') : []) {
      const [, names] = /^npm install (?:--global )?(.+)$/.exec(line) ?? [];
      if (names !== undefined) names.split(' ').forEach((name) => installed.add(name));
      else expect(installed, line).toContain(packageOf(line.split(' ')[0]!));
    }
  }
  expect([...installed].sort()).toEqual(['@sombra/cli', ...used].sort());
});

test('its commands work on the file that it leaves', () => {
  const commands = blocks.filter(({ kind, text }) => kind === 'sh' && text.startsWith('sombra '));
  expect(commands.length).toBe(1);
  const output = execFileSync('bash', ['-euo', 'pipefail', '-c', commands[0]!.text], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
  });
  expect(output).toContain('"nodes"');
});
