// Goal: what the README shows is what happens. Method: run its first example and then every `$ …` line of its console blocks in
// one folder, and compare the output. Seconds that an import takes vary.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SOMBRA } from '../src/run.ts';
import { makeProgram } from '../src/shell/program.ts';
import { BIN } from './support/cli.ts';
import { temporaryFolder } from './support/files.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const folder = temporaryFolder();

/** Runs a line of a shell, in which `sombra` and `npx -y -p @sombra/cli sombra` are the built command. @returns both streams */
function shell(line: string): string {
  const functions = `sombra() { "${process.execPath}" "${BIN}" "$@"; }; npx() { shift 4; sombra "$@"; };`;
  return execFileSync('bash', ['-c', `${functions} { ${line}\n} 2>&1 || true`], { cwd: folder, encoding: 'utf8' });
}

const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1]!);
const fixed = (text: string): string => text.replaceAll(/in \d+\.\d s/g, 'in 0.1 s').trimEnd();

it('the first example works', () => {
  const [example] = blocks('sh');
  expect(example).toContain('npx -y -p @sombra/cli sombra import');
  const output = shell(example!);
  expect(output).toContain('social.db: 3 nodes and 2 edges imported');
  expect(output).toContain('2 edges\n');
  expect(output).toContain('"name": "Ada"');
  expect(output).toContain('social.db is clean');
});

it.each(blocks('console').map((block) => [block.split('\n')[0]!, block] as const))('%s', (_first, block) => {
  for (const step of block.split(/^\$ /m).slice(1)) {
    const [line, ...rest] = step.split('\n');
    const shown = rest.join('\n');
    // What `cat` shows is the file.
    if (line!.startsWith('cat ')) writeFileSync(join(folder, line!.slice('cat '.length)), shown);
    else expect(fixed(shell(line!))).toBe(fixed(shown));
  }
});

it('names every command', () => {
  const never = (): never => {
    throw new Error('no command runs here');
  };
  const { commands } = makeProgram(SOMBRA, { stdout: never, stderr: never }, never, never);
  for (const name of commands.map((command) => command.name()))
    expect(readme).toMatch(new RegExp(`^\\| \`sombra ${name} `, 'm'));
  for (const name of ['info', 'stats', 'verify', 'header', 'wal-info', 'page'])
    expect(readme).toContain(`sombra-inspect ${name} DB`);
  for (const name of ['checkpoint', 'salvage', 'vacuum', 'index', 'unlock'])
    expect(readme).toContain(`sombra-repair ${name} DB`);
});

it('has examples of every kind', () => expect(blocks('console').length).toBe(4));
