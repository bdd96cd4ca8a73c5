import { execFileSync } from 'node:child_process';
import { hasProgram } from '../../../../tooling/vitest/programs.ts';

/** Programs that some tests hold the metrics against, and the packages of Debian that bring them. */
const PACKAGES = {
  promtool: 'prometheus',
  prometheus: 'prometheus',
  amtool: 'prometheus-alertmanager',
  'prometheus-node-exporter': 'prometheus-node-exporter',
} as const;

export type Tool = keyof typeof PACKAGES;

/** Is the program there? As `hasProgram` says. */
export function has(tool: Tool): boolean {
  return hasProgram(tool, PACKAGES[tool]);
}

/** Runs a program. @returns what it printed @throws Error with all that it printed */
export function run(tool: Tool, args: readonly string[], input = ''): string {
  try {
    return execFileSync(tool, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${tool} ${args.join(' ')}\n${stdout}\n${stderr}`, { cause: error });
  }
}
