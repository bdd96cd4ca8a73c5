/** `sombra-repair`: looks like `sombra-inspect`, brings the log into the file, removes a lock whose machine is gone. */
import { addLookingVerbs } from '../inspect/run-inspect.ts';
import { runTool } from '../inspect/tool.ts';
import type { Streams } from '../shell/shell.ts';
import { addCheckpoint } from './checkpoint.ts';
import type { Terminal } from './confirm.ts';
import { addUnlock } from './unlock.ts';

/**
 * @param args      without node and the script
 * @param terminal  where a person may be asked
 * @returns the exit code: 0, 1 for an error, 2 for damage; with `--hold` that of the command
 */
export function runRepair(
  args: readonly string[],
  streams: Streams,
  terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<number> {
  return runTool(
    'sombra-repair',
    'Brings the log of a Sombra database into its file, and looks at it',
    (parts) => {
      addCheckpoint(parts, terminal);
      addUnlock(parts, terminal);
      addLookingVerbs(parts);
    },
    args,
    streams,
  );
}
