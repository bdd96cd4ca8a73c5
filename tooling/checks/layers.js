// The one list of what may import what: lint (eslint.config.js) is generated from it, tooling/checks/test draws the import graph of
// every source file and compares it with this list.

/** Layers from the bottom up, each with the packages of this repository that its sources may import. */
export const LAYERS = {
  'packages/vfs': [],
  'packages/wal': ['@sombra/vfs'],
  'packages/pager': ['@sombra/vfs', '@sombra/wal'],
  'packages/btree': ['@sombra/vfs', '@sombra/pager'],
  'packages/graph': ['@sombra/vfs', '@sombra/pager', '@sombra/btree'],
  'apps/library': ['@sombra/vfs', '@sombra/wal', '@sombra/pager', '@sombra/btree', '@sombra/graph'],
  'packages/observability': ['@sombra/vfs'],
  'apps/cli': ['@sombra/vfs', '@sombra/wal', '@sombra/pager', '@sombra/graph', '@sombra/db', '@sombra/observability'],
};

/**
 * Rooms of each package, from the bottom up: a room may import itself and the rooms listed before it. A room is a folder of `src`, a
 * file of `src` by its name, or '.' for the files of `src` that are not named.
 * @type {Record<string, string[]>}
 */
export const ROOMS = {
  'packages/vfs': ['.', 'testing'],
  'packages/wal': ['record', 'segment', 'log', 'append-log', 'index.ts'],
  'packages/pager': [
    'base',
    'format',
    'sharing',
    'pages',
    'files',
    'reading',
    'checkpoint',
    'writing',
    'connection',
    'life',
    'inspect',
    'pager.ts',
    'index.ts',
  ],
  'packages/btree': ['page', 'tree', 'key-value', 'index.ts'],
  'packages/graph': [
    'model',
    'values',
    'sorting',
    'records',
    'names',
    'ids',
    'adjacency',
    'indexes',
    'store',
    'traversal',
    'algorithms',
    'find',
    'read',
    'write',
    'bulk',
    'verify',
    'graph.ts',
    'index.ts',
  ],
  'apps/library': [
    'base',
    'observing',
    'schema',
    'config',
    'reading',
    'writing',
    'connection',
    'typed',
    'graph-db.ts',
    'index.ts',
  ],
  'packages/observability': ['base', 'logging', 'audit', 'tracing', 'metrics', 'health', 'index.ts'],
  'apps/cli': [
    'errors',
    'values',
    'shell',
    'files',
    'csv',
    'jsonl',
    'database',
    'import',
    'export',
    'schema',
    'indexes',
    'inspect',
    'repair',
    'commands',
    'run.ts',
    'main.ts',
    'inspect.ts',
    'repair.ts',
  ],
};
