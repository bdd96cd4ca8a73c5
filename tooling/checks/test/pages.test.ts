// Goal: the pages about logs, audit and traces work as they stand. Method: as with the tutorial: the blocks of JavaScript of a page are run as one
// program, each has to print what stands in the block of text below it; then its commands. Times, durations and process numbers are made alike.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { prepare, runCommands, runProgram } from './page.ts';
import { ROOT } from './repository.ts';

const PAGES = join(ROOT, 'docs/observability');

const plain = (output: string): string =>
  output
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/"pid":\d+/g, '"pid":PID')
    .replaceAll(/"ms":[\d.]+/g, '"ms":MS')
    .replaceAll(/\b[\d.]+ ms\b/g, 'MS ms');

test.each(['audit.md', 'logging.md', 'tracing.md'])('%s', (name) => {
  const folder = mkdtempSync(join(tmpdir(), 'sombra-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  prepare(folder);
  const page = { folder, markdown: readFileSync(join(PAGES, name), 'utf8') };
  expect(runProgram(page, plain)).toBeGreaterThan(0);
  expect(runCommands(page).filter((output) => output === '')).toEqual([]);
});
