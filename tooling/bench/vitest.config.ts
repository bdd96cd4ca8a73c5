import { project } from '../vitest/project.ts';

export default project('bench', { include: ['test/**/*.test.js'] });
