/** A command as a process of its own. */
import type { Streams } from './shell.ts';

/** Runs it on the arguments and streams of this process; its result becomes the exit code. */
export async function start(run: (args: readonly string[], streams: Streams) => Promise<number>): Promise<void> {
  process.exitCode = await run(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr });
}
