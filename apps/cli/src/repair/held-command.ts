/** A command that runs while writers are blocked. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { usageError } from '../errors/usage-error.ts';

/** Signals that are passed on. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a command with the streams of this process, and passes signals on to it.
 * @returns its exit code; 128 and the number of the signal that ended it
 * @throws DataError SOMBRA_USAGE when it cannot be started
 */
export async function runHeld([name, ...args]: readonly [string, ...string[]]): Promise<number> {
  let child: ChildProcess | undefined;
  let early: NodeJS.Signals | undefined;
  const forward = (signal: NodeJS.Signals): void => {
    // Ctrl-C at a terminal reaches the command by itself.
    if (signal === 'SIGINT' && process.stdin.isTTY === true) return;
    if (child === undefined) early = signal;
    else child.kill(signal);
  };
  // Before the command is there: it must not be left behind by a signal that ends this process.
  for (const signal of SIGNALS) process.on(signal, forward);
  try {
    child = spawn(name, args, { stdio: 'inherit' });
    if (early !== undefined) child.kill(early);
    return await ended(child, name);
  } finally {
    for (const signal of SIGNALS) process.off(signal, forward);
  }
}

function ended(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(usageError(`${name} cannot be run: ${error.message}`)));
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
}
