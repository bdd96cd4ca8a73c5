import { project } from '../../tooling/vitest/project.ts';

export default project('cli', { globalSetup: ['test/support/build.ts'] });
