/** What `sombra-inspect` and `sombra-repair` have in common: verbs, order of arguments, help, exit codes. */
import type { Command } from 'commander';
import { runProgram } from '../shell/program.ts';
import type { Parts } from '../shell/program.ts';
import type { Streams } from '../shell/shell.ts';
import { verbFirst } from './argument-order.ts';

/** Options that take a value, for finding the verb among the arguments. */
const VALUED: ReadonlySet<string> = new Set([
  '--max-errors',
  '--max-entries',
  '--mode',
  '--busy-timeout',
  '--host',
  '--into',
  '--backup',
  '--name',
]);

const HELP = `
DB and VERB may change places, as version 0.2.0 had them.
Data goes to stdout, messages to stderr; --json gives one JSON document, also for an error.
Exit codes: 0 done, 1 error, 2 the database is damaged, 130 interrupted.
Also 143 after SIGTERM, 129 after SIGHUP, 141 when the reader of stdout has gone.`;

/**
 * Runs a tool.
 * @param add  adds the verbs
 * @returns the exit code
 */
export function runTool(
  name: string,
  description: string,
  add: (parts: Parts) => void,
  args: readonly string[],
  streams: Streams,
): Promise<number> {
  return runProgram(
    { name, description, help: HELP, add, order: (given, program, note) => order(name, given, program, note) },
    args,
    streams,
  );
}

function order(
  name: string,
  args: readonly string[],
  { commands }: Command,
  note: (message: string) => void,
): readonly string[] {
  const ordered = verbFirst(args, new Set(commands.map((command) => command.name())), VALUED);
  if (ordered.legacy) {
    const [verb] = ordered.args;
    note(`note: '${name} DB ${verb}' is the older order of arguments; write '${name} ${verb} DB'`);
  }
  return ordered.args;
}
