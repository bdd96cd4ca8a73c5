import { createRequire } from 'node:module';
import type { Series } from './series.ts';

const { version } = createRequire(import.meta.url)('@sombra/observability/package.json') as { version: string };

/** What runs: of use in a query beside the figures of another version. */
export const BUILD_INFO: Series<unknown> = {
  type: 'gauge',
  name: 'sombra_build_info',
  help: '1; the labels tell the version of @sombra/observability and of Node.',
  labels: ['version', 'node'],
  read: () => [{ labels: { version, node: process.versions.node }, value: 1 }],
};
