// Goal: docs/observability/metrics.md works as it stands. Method: each block of JavaScript is a program of its own, which is run in a folder
// of its own and has to print what stands in the block of text below it. (What prometheus.md has is tested in packages/observability.)
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepare } from './page.ts';
import { blocks, ROOT } from './repository.ts';

const parts = blocks(readFileSync(join(ROOT, 'docs/observability/metrics.md'), 'utf8'), ['js', 'text']);
const programs = parts.flatMap(({ language, text }, index) => {
  if (language !== 'js') return [];
  const next = parts[index + 1];
  const title = /import \{ (.*) \} from '@sombra\/observability'/.exec(text)?.[1];
  return [{ title: title ?? `block ${index}`, text, expected: next?.language === 'text' ? next.text : '' }];
});
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sombra-metrics-docs-'));
  prepare(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('has programs to run', () => {
  expect(programs.length).toBeGreaterThan(5);
});

describe.concurrent('every program prints what stands below it', () => {
  it.each(programs.map((program, index) => [program.title, program, index] as const))(
    '%s',
    async (_, { text, expected }, index) => {
      const own = join(folder, String(index));
      mkdirSync(own);
      writeFileSync(join(own, 'program.mjs'), text);
      const { stdout } = await promisify(execFile)('node', ['program.mjs'], { cwd: own, timeout: 60_000 });
      expect(stdout).toBe(expected);
    },
  );
});
