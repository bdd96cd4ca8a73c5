/** From arguments to an exit code. */
import { Command } from 'commander';
import { addComponents, addPageRank, addTriangles } from './commands/algorithms.ts';
import { addBfs } from './commands/bfs.ts';
import { addDegrees } from './commands/degrees.ts';
import { addExport } from './commands/export.ts';
import { addFind } from './commands/find.ts';
import { addImport } from './commands/import.ts';
import { addIndex } from './commands/index-command.ts';
import { addNeighbors } from './commands/neighbors.ts';
import { addPath } from './commands/path.ts';
import { addSchema } from './commands/schema.ts';
import { addStats } from './commands/stats.ts';
import { addVerify } from './commands/verify.ts';
import { fail, version } from './shell/failure.ts';
import { EXIT, Shell } from './shell/shell.ts';
import type { Streams } from './shell/shell.ts';

const HELP = `
Data goes to stdout, messages to stderr; --json gives one JSON document, also for an error.
Exit codes: 0 done, 1 error, 2 the database is damaged, 130 interrupted.`;

/**
 * Runs one command.
 * @param args  without node and the script
 * @returns 0; 1 for an error; 2 for a damaged database; 130 after SIGINT
 */
export async function run(args: readonly string[], streams: Streams): Promise<number> {
  let code: number = EXIT.ok;
  const program = makeProgram(streams, (value) => void (code = value));
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return fail(error, args.includes('--json'), streams, 'sombra');
  }
}

/** All commands. @param exit  takes the exit code of a command that does not end with 0 or an error */
export function makeProgram(streams: Streams, exit: (code: number) => void): Command {
  const program = new Command('sombra')
    .description('Sombra: an embedded graph database in one file')
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .showSuggestionAfterError()
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
      outputError: () => undefined,
    });
  const shell = (json: boolean | undefined): Shell => new Shell(streams, json ?? false);
  addImport(program, shell, exit);
  addExport(program, shell, exit);
  addStats(program, shell);
  addSchema(program, shell, exit);
  addFind(program, shell);
  addNeighbors(program, shell);
  addBfs(program, shell);
  addPath(program, shell);
  addDegrees(program, shell);
  addComponents(program, shell, exit);
  addPageRank(program, shell, exit);
  addTriangles(program, shell, exit);
  addIndex(program, shell, exit);
  addVerify(program, shell, exit);
  inherit(program);
  return program;
}

/** Hands the settings of a command down to those below it. */
function inherit(command: Command): void {
  for (const below of command.commands) {
    below.copyInheritedSettings(command);
    inherit(below);
  }
}
