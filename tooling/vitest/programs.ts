import { spawnSync } from 'node:child_process';

/**
 * Is a program there that npm does not bring? Where it is not, the tests that need it are left out, and their output says which; with
 * SOMBRA_REQUIRE_TOOLS=1, as in CI, that is an error.
 * @param debian  the package of Debian that brings it
 */
export function hasProgram(program: string, debian: string): boolean {
  if (spawnSync('sh', ['-c', `command -v ${program}`]).status === 0) return true;
  const text = `${program} is not installed (Debian: apt-get install --no-install-recommends ${debian})`;
  if (process.env['SOMBRA_REQUIRE_TOOLS'] === '1')
    throw new Error(`${text}, and SOMBRA_REQUIRE_TOOLS wants every test`);
  process.stderr.write(`left out: tests with ${program}, because ${text}\n`);
  return false;
}
