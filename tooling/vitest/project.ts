import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * Tests run on the sources of every package: the first of these export conditions points at src/index.ts. `module` is not among them: the
 * process of the tests gets these conditions too, and what stands there is for bundlers, not always something that Node can load.
 */
const conditions = ['sombra-source', 'node', 'import', 'default'];

/**
 * The vitest configuration of one package.
 * `*.test.ts` runs at every push, `*.nightly.ts` only with `vitest run --mode nightly`.
 * @param more  what this package needs besides
 */
export function project(name: string, more: NonNullable<ViteUserConfig['test']> = {}): ViteUserConfig {
  return defineConfig(({ mode }) => ({
    resolve: { conditions },
    ssr: { resolve: { conditions, externalConditions: conditions } },
    test: {
      name,
      include: mode === 'nightly' ? ['test/**/*.nightly.ts'] : ['test/**/*.test.ts'],
      typecheck: { enabled: false },
      pool: 'forks',
      // Files share a process, and so what they import: reloading the sources for each file was a third of the time of a suite.
      isolate: false,
      unstubEnvs: true,
      maxWorkers: 2,
      testTimeout: mode === 'nightly' ? 3_600_000 : 240_000,
      hookTimeout: 240_000,
      env: { SOMBRA_VERIFY: process.env['SOMBRA_VERIFY'] ?? '1' },
      ...more,
    },
  })) as ViteUserConfig;
}
