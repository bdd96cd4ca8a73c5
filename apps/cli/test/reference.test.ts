// Goal: docs/reference/cli.md has every command of `sombra` with all of its arguments and options, word by word, and nothing
// else. Method: the tables of the page are compared with the commands as they are registered.
import { readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { SOMBRA } from '../src/run.ts';
import { makeProgram } from '../src/shell/program.ts';

const page = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8');

/** Commands that do something, by their names: `index create`. */
function commandsOf(parent: Command, path: readonly string[] = []): [string, Command][] {
  return parent.commands.flatMap((command) => {
    const own = [...path, command.name()];
    return command.commands.length > 0 ? commandsOf(command, own) : [[own.join(' '), command] as [string, Command]];
  });
}

const never = (): never => {
  throw new Error('no command runs here');
};
const program = makeProgram(SOMBRA, { stdout: never, stderr: never }, never, never);
const commands = commandsOf(program);

/** Text of the section under `## sombra NAME …`. */
function sectionOf(name: string): string {
  const sections = page.split(/^## /m).filter((section) => section.startsWith('sombra '));
  return sections.find((section) => headName(section) === name) ?? '';
}

/** The words of a heading that name a command; what follows in capitals or brackets are its arguments. */
function headName(section: string): string {
  const words = section.split('\n')[0]!.split(' ').slice(1);
  const end = words.findIndex((word) => !/^[a-z]+(-[a-z]+)*$/.test(word));
  return words.slice(0, end < 0 ? undefined : end).join(' ');
}

function describedOption({ flags, description, defaultValue }: Option): string {
  const shown = defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0);
  const value = shown
    ? ''
    : ` (default: ${typeof defaultValue === 'string' ? JSON.stringify(defaultValue) : String(defaultValue)})`;
  return `${flags} | ${description}${value}`;
}

function rowsOf(section: string): string[] {
  return [...section.matchAll(/^\| `(-[^`]+)` +\| (.*?) +\|$/gm)].map(([, flags, text]) => `${flags} | ${text}`);
}

describe('docs/reference/cli.md', () => {
  it.each(commands)('sombra %s', (name, command) => {
    const section = sectionOf(name);
    const args = command.registeredArguments.map((argument) => {
      const word = argument.name().toUpperCase();
      return argument.required ? word : `[${word}]`;
    });
    expect(section.split('\n')[0]).toBe(`sombra ${[name, ...args].join(' ')}`);
    const options = command.options.filter(({ long }) => long !== '--json').map(describedOption);
    expect(rowsOf(section)).toEqual(options);
    expect(
      command.options.some(({ long }) => long === '--json'),
      'every command has --json',
    ).toBe(true);
    expect(section, 'the JSON document').toMatch(/^JSON: `\{/m);
  });

  it('has no command that is none', () => {
    const heads = [...page.matchAll(/^## (sombra .*)$/gm)].map((match) => headName(match[1]!));
    expect(heads).toEqual(commands.map(([name]) => name));
  });
});
