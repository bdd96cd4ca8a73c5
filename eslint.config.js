// One configuration for the whole repository. Beside the usual rules it keeps four promises of docs/ARCHITECTURE.md: packages
// import only from the layers below them and only through their entry points; within a package an import goes to lower
// rooms only (both lists stand in tooling/checks/layers.js); nothing but @sombra/vfs, @sombra/observability, @sombra/ops and the
// applications server and cli touches Node's own API; time and randomness come from vfs, so that a seed replays a test run.
import tseslint from 'typescript-eslint';
import { LAYERS, ROOMS } from './tooling/checks/layers.js';

const NODE_API = ['packages/vfs', 'packages/observability', 'packages/ops', 'apps/server', 'apps/cli'];
const PACKAGES = ['vfs', 'wal', 'pager', 'btree', 'graph', 'db', 'observability', 'ops', 'server', 'cli'].map(
  (name) => `@sombra/${name}`,
);

/** The time of day jumps when somebody sets the clock, so that no duration may be taken from it. */
const CLOCK = {
  object: 'Date',
  property: 'now',
  message: 'Use env.monotonicMs() for a duration, env.wallTimeMs() for a time that is stored or shown.',
};

const SYNTAX = [
  { selector: 'ExportAllDeclaration', message: 'Name what you export.' },
  { selector: 'ExportDefaultDeclaration', message: 'Use named exports.' },
];

/** Patterns of imports that a package may not have, in whatever room. */
const outside = (folder) => [
  {
    regex: `^(${PACKAGES.filter((name) => !LAYERS[folder].includes(name)).join('|')})(/|$)`,
    message: `${folder} may import ${LAYERS[folder].join(', ') || 'no other package'} only (docs/ARCHITECTURE.md, layers).`,
  },
  { regex: '^@sombra/[^/]+/', message: 'Import a package through its entry point.' },
  ...(NODE_API.includes(folder)
    ? []
    : [
        {
          regex: '^node:|^(fs|path|os|crypto|child_process|worker_threads)(/|$)',
          message: 'Node API belongs into @sombra/vfs.',
        },
      ]),
];

/** A line of the list of rooms as a rule of lint: what stands later in the list cannot be imported. */
function roomRules(folder) {
  const rooms = ROOMS[folder];
  // '.' stands for all files of src, so its rule comes first and the rules of files that the list names replace it
  return [...rooms]
    .sort((a, b) => (b === '.') - (a === '.'))
    .map((room) => {
      const later = rooms.slice(rooms.indexOf(room) + 1);
      const folders = later.filter((each) => each !== '.' && !each.endsWith('.ts')).map((each) => `${each}/.*`);
      const files = later.filter((each) => each.endsWith('.ts')).map((each) => each.replace('.', '\\.'));
      const above = [...folders, ...files, ...(later.includes('.') ? ['[^/]+\\.ts'] : [])];
      const inFolder = room !== '.' && !room.endsWith('.ts');
      const upward = {
        regex: `^${inFolder ? '(\\.\\./)+' : '\\./'}(${above.join('|')})$`,
        message: `${folder}/src/${room} may import ${rooms.slice(0, rooms.indexOf(room)).join(', ') || 'no other room'} only (tooling/checks/layers.js).`,
      };
      return {
        files: [`${folder}/src/${inFolder ? `${room}/**/*.ts` : room === '.' ? '*.ts' : room}`],
        rules: {
          'no-restricted-imports': ['error', { patterns: [...outside(folder), ...(above.length > 0 ? [upward] : [])] }],
        },
      };
    });
}

const layerRules = Object.keys(LAYERS).map((folder) => ({
  files: [`${folder}/src/**/*.ts`],
  rules: {
    'no-restricted-syntax': [
      'error',
      ...SYNTAX,
      {
        selector: "BinaryExpression > CallExpression[callee.property.name='wallTimeMs']",
        message: 'The time of day may jump: take a duration from env.monotonicMs().',
      },
    ],
    'no-restricted-imports': ['error', { patterns: outside(folder) }],
    ...(NODE_API.includes(folder)
      ? { 'no-restricted-properties': ['error', CLOCK] }
      : {
          'no-restricted-globals': [
            'error',
            ...[
              'Buffer',
              'process',
              'setTimeout',
              'setInterval',
              'setImmediate',
              'TextDecoder',
              'TextEncoder',
              'crypto',
              'performance',
            ].map((name) => ({ name, message: 'Use @sombra/vfs: env, text or bytes.' })),
          ],
          'no-restricted-properties': [
            'error',
            CLOCK,
            { object: 'Math', property: 'random', message: 'Use vfs.env.random().' },
          ],
        }),
  },
}));

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/coverage/**',
      'docs/reference/api/**',
      'tooling/protocol-model/**',
      'examples/*/out/**',
    ],
  },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off', // typed arrays under noUncheckedIndexedAccess
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', ...SYNTAX],
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'prefer-const': 'error',
    },
  },
  ...layerRules,
  ...Object.keys(ROOMS).flatMap(roomRules),
  {
    files: ['**/*.config.{ts,js}', '**/vitest.config.ts', 'eslint.config.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
