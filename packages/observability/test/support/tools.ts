import { execFileSync, spawnSync } from 'node:child_process';

/** Programs that some tests hold the metrics against, and the packages of Debian that bring them. */
const PACKAGES = {
  promtool: 'prometheus',
  prometheus: 'prometheus',
  amtool: 'prometheus-alertmanager',
  'prometheus-node-exporter': 'prometheus-node-exporter',
} as const;

export type Tool = keyof typeof PACKAGES;

/**
 * Is the program there? Where it is not, the tests that need it are left out, and their output says which; with SOMBRA_REQUIRE_TOOLS=1,
 * as in CI, that is an error.
 */
export function has(tool: Tool): boolean {
  if (spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0) return true;
  const text = `${tool} is not installed (Debian: apt-get install --no-install-recommends ${PACKAGES[tool]})`;
  if (process.env['SOMBRA_REQUIRE_TOOLS'] === '1')
    throw new Error(`${text}, and SOMBRA_REQUIRE_TOOLS wants every test`);
  process.stderr.write(`left out: tests with ${tool}, because ${text}\n`);
  return false;
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
