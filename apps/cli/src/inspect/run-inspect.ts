/** `sombra-inspect`: looks at a database file, and never changes a byte of it. */
import type { Streams } from '../shell/shell.ts';
import { addHeader } from './header.ts';
import { addPage } from './page.ts';
import { addInfo } from './info.ts';
import { addStats } from './stats.ts';
import { runTool } from './tool.ts';
import type { Parts } from '../shell/program.ts';
import { addVerify } from './verify.ts';
import { addWalInfo } from './wal-info.ts';

/** The verbs that only look. */
export function addLookingVerbs(parts: Parts): void {
  addInfo(parts);
  addStats(parts);
  addVerify(parts);
  addHeader(parts);
  addWalInfo(parts);
  addPage(parts);
}

/** @param args  without node and the script. @returns the exit code: 0, 1 for an error, 2 for damage */
export function runInspect(args: readonly string[], streams: Streams): Promise<number> {
  const description = 'Looks at a Sombra database file, whatever its state, without changing it';
  return runTool('sombra-inspect', description, addLookingVerbs, args, streams);
}
