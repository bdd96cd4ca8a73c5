// One configuration for the whole repository. Beside the usual rules it keeps three promises of docs/ARCHITECTURE.md:
// packages import only from the layers below them and only through their entry points; nothing but @sombra/vfs and
// the applications touches Node's own API; time and randomness come from vfs, so that a seed replays a test run.
import tseslint from 'typescript-eslint';

/** Layers from the bottom up, each with the packages of this repository that its sources may import. */
export const LAYERS = {
  'packages/vfs': [],
  'packages/wal': ['@sombra/vfs'],
  'packages/pager': ['@sombra/vfs', '@sombra/wal'],
  'packages/btree': ['@sombra/vfs', '@sombra/pager'],
  'packages/graph': ['@sombra/vfs', '@sombra/pager', '@sombra/btree'],
  'apps/library': ['@sombra/vfs', '@sombra/wal', '@sombra/pager', '@sombra/btree', '@sombra/graph'],
  'apps/cli': ['@sombra/vfs', '@sombra/wal', '@sombra/pager', '@sombra/graph', '@sombra/db'],
};
const NODE_API = ['packages/vfs', 'apps/cli'];
const PACKAGES = ['vfs', 'wal', 'pager', 'btree', 'graph', 'db', 'cli'].map((name) => `@sombra/${name}`);

const layerRules = Object.entries(LAYERS).map(([folder, allowed]) => ({
  files: [`${folder}/src/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(${PACKAGES.filter((name) => !allowed.includes(name)).join('|')})(/|$)`,
            message: `${folder} may import ${allowed.join(', ') || 'no other package'} only (docs/ARCHITECTURE.md, layers).`,
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
        ],
      },
    ],
    ...(NODE_API.includes(folder)
      ? {}
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
            { object: 'Date', property: 'now', message: 'Use vfs.env.now().' },
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
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'Name what you export.' },
        { selector: 'ExportDefaultDeclaration', message: 'Use named exports.' },
      ],
      eqeqeq: 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'prefer-const': 'error',
    },
  },
  ...layerRules,
  {
    files: ['**/*.config.{ts,js}', '**/vitest.config.ts', 'eslint.config.js'],
    rules: { 'no-restricted-syntax': 'off' },
  },
);
