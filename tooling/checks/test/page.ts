import { execFileSync } from 'node:child_process';
import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { blocks, ROOT } from './repository.ts';

const MARK = '=== block';

/** A page whose blocks are run, in a folder that is prepared for them. */
export interface Page {
  readonly folder: string;
  readonly markdown: string;
}

/** Prepares a folder: programs in it import the packages of this repository, and find its command line as `sombra`. */
export function prepare(folder: string): void {
  symlinkSync(join(ROOT, 'tooling/checks/node_modules'), join(folder, 'node_modules'));
  const bin = join(folder, 'sombra');
  writeFileSync(bin, `#!/bin/sh\nexec node '${join(ROOT, 'apps/cli/dist/main.js')}' "$@"\n`);
  chmodSync(bin, 0o755);
}

/**
 * Runs the blocks of JavaScript of a page as one program. Each has to print what stands in the block of text below it, and nothing without one.
 * @param plain  makes alike what differs from run to run
 * @returns how many blocks there were
 */
export function runProgram({ folder, markdown }: Page, plain: (output: string) => string = (output) => output): number {
  const parts = blocks(markdown, ['js', 'text', 'sh']);
  const programs = parts.filter(({ language }) => language === 'js');
  const expected = programs.map((program) => {
    const next = parts[parts.indexOf(program) + 1];
    return next?.language === 'text' ? next.text : '';
  });
  // A log may be written when the turn of the event loop ends.
  const end = `await new Promise(setImmediate);\nconsole.log('${MARK}');\n`;
  const source = programs.map(({ text }) => `${text}\n${end}`).join('');
  writeFileSync(join(folder, 'page.mjs'), source);
  const output = execFileSync('node', ['page.mjs'], { cwd: folder, encoding: 'utf8', timeout: 60_000 });
  expect(output.split(`${MARK}\n`).slice(0, -1).map(plain)).toEqual(expected.map(plain));
  return programs.length;
}

/** Runs the blocks of commands of `sombra` on the files that the program has left. @returns what they print, block by block */
export function runCommands({ folder, markdown }: Page): string[] {
  return blocks(markdown, ['sh'])
    .filter(({ text }) => text.startsWith('sombra '))
    .map(({ text }) =>
      execFileSync('bash', ['-euo', 'pipefail', '-c', text], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
        env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
      }),
    );
}
