/** Options of every verb. */
import type { Command } from 'commander';
import { addJson, parseCount } from '../shell/options.ts';

/** Milliseconds that a verb waits for another process. */
const BUSY_TIMEOUT_MS = 5000;

/** What every verb is called with. */
export interface VerbOptions {
  readonly json?: boolean;
  readonly busyTimeout: number;
}

/** The argument and the options of a verb. */
export function addVerbOptions(command: Command): Command {
  return addJson(command.argument('<db>', 'path of the database')).option(
    '--busy-timeout <ms>',
    'milliseconds to wait for another process',
    parseCount,
    BUSY_TIMEOUT_MS,
  );
}
