// Goal: sources, the table of codes and the document about them agree. Method: every code in the sources is looked up in the
// table and the other way round, with the class that carries it; the document is parsed and compared row by row; no source
// and no document names a code that does not exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { CONFIG_VARIABLES } from '../src/config/config-from-env.ts';
import { ERROR_CODES } from '../src/index.ts';
import type { ErrorCode, ErrorEntry, ErrorKind } from '../src/index.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const DOCUMENT = 'docs/reference/errors.md';
/** Variables of the scripts that `sombra install-scripts` writes. */
const SCRIPTS = join(ROOT, 'apps/cli/scripts');
const SCRIPT_VARIABLES = readdirSync(SCRIPTS).flatMap((name) =>
  [...readFileSync(join(SCRIPTS, name), 'utf8').matchAll(/\$\{(SOMBRA_\w+)/g)].map((match) => match[1]!),
);
/** Environment variables of the tests and of scripts, and those that set fields of the configuration. */
const VARIABLES = new Set([
  ...SCRIPT_VARIABLES,
  'SOMBRA_SEED',
  'SOMBRA_RUNS',
  'SOMBRA_VERIFY',
  'SOMBRA_REQUIRE_TOOLS',
  'SOMBRA_HOST',
  'SOMBRA_PORT',
  'SOMBRA_DRAIN_DELAY_MS',
  'SOMBRA_SHUTDOWN_TIMEOUT_MS',
  'SOMBRA_REQUEST_TIMEOUT_MS',
  ...CONFIG_VARIABLES.filter((name) => !Object.hasOwn(ERROR_CODES, name)),
]);
const CODE = /\bSOMBRA_[A-Z0-9_]*[A-Z0-9]\b/g;
const QUOTED = /['"`](SOMBRA_[A-Z0-9_]+)['"`]/g;
const THROWN = /\bnew (\w+Error)\(\s*['"`](SOMBRA_[A-Z0-9_]+)['"`]/g;
const WARNED = /(?:\bwarn|\btell|\bwarnings\.push|\bwarning\?\.)\([^{)]*\{\s*code: '(SOMBRA_[A-Z0-9_]+)'/g;

const table = ERROR_CODES as Readonly<Record<string, ErrorEntry>>;
const classes = new Set<string>(
  Object.values(table).flatMap(({ kinds }) => kinds.filter((kind) => kind.endsWith('Error'))),
);

function filesUnder(directory: string, ending: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((file) => file.isFile() && file.name.endsWith(ending))
    .map((file) => join(file.parentPath, file.name))
    .filter((file) => !/[/\\](node_modules|dist)[/\\]/.test(file));
}

const packages = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(ROOT, group)).map((name) => join(ROOT, group, name)),
);
const sources = packages
  .map((folder) => join(folder, 'src'))
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => filesUnder(folder, '.ts'))
  .filter((file) => !file.endsWith(join('library', 'src', 'error-codes.ts')))
  .map((file) => ({ file: relative(ROOT, file), text: readFileSync(file, 'utf8') }));
const documents = [...filesUnder(join(ROOT, 'docs'), '.md'), ...packages.flatMap((folder) => filesUnder(folder, '.md'))]
  .filter((file) => !file.endsWith('CHANGELOG.md'))
  .map((file) => ({ file: relative(ROOT, file), text: readFileSync(file, 'utf8') }));

function matches(pattern: RegExp): { file: string; groups: string[] }[] {
  return sources.flatMap(({ file, text }) =>
    [...text.matchAll(pattern)].map((found) => ({ file, groups: found.slice(1) })),
  );
}

describe('codes in the sources', () => {
  const used = matches(QUOTED).filter(({ groups }) => !VARIABLES.has(groups[0]!));

  it('are found at all', () => {
    expect(sources.length).toBeGreaterThan(60);
    expect(new Set(used.map(({ groups }) => groups[0])).size).toBeGreaterThan(80);
  });

  it('all stand in the table', () => {
    const unknown = used.filter(({ groups }) => !Object.hasOwn(table, groups[0]!));
    expect(unknown.map(({ file, groups }) => `${groups[0]} in ${file}`)).toEqual([]);
  });

  it('are all that the table has', () => {
    const found = new Set(used.map(({ groups }) => groups[0]));
    expect(Object.keys(table).filter((code) => !found.has(code))).toEqual([]);
  });

  it('are carried by the classes that the table says', () => {
    const thrown = matches(THROWN).filter(({ groups }) => classes.has(groups[0]!));
    expect(thrown.length).toBeGreaterThan(100);
    const wrong = thrown.filter(({ groups }) => !table[groups[1]!]?.kinds.includes(groups[0] as ErrorKind));
    expect(wrong.map(({ file, groups }) => `${groups[1]} is thrown as ${groups[0]} in ${file}`)).toEqual([]);
    const made = new Set(thrown.map(({ groups }) => `${groups[1]} ${groups[0]}`));
    const seen = new Set(thrown.map(({ groups }) => groups[1]));
    const idle = Object.entries(table).flatMap(([code, { kinds }]) =>
      kinds
        .filter((kind) => seen.has(code) && classes.has(kind) && !made.has(`${code} ${kind}`))
        .map((kind) => `${code} ${kind}`),
    );
    expect(idle, 'classes that the table names and no source throws').toEqual([]);
  });

  it('of warnings are those that the table calls warnings', () => {
    const warned = new Set(matches(WARNED).map(({ groups }) => groups[0]!));
    const listed = Object.keys(table).filter((code) => table[code]!.kinds.includes('warning'));
    expect([...warned].sort()).toEqual(listed.sort());
  });
});

describe('codes in comments and documents', () => {
  it('exist', () => {
    const missing = [...sources, ...documents].flatMap(({ file, text }) =>
      [...new Set(text.match(CODE) ?? [])]
        .filter((code) => !Object.hasOwn(table, code) && !VARIABLES.has(code))
        .map((code) => `${code} in ${file}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('the table', () => {
  it('says of each code what it means and what to do, in one style', () => {
    for (const [code, { kinds, meaning, action }] of Object.entries(table)) {
      expect(code).toMatch(/^SOMBRA_[A-Z0-9]+(_[A-Z0-9]+)*$/);
      expect(kinds.length, code).toBeGreaterThan(0);
      expect(meaning, code).toMatch(/^[A-Z`].{15,}\.$/);
      expect(action, code).toMatch(/^[A-Z`].{5,}\.$/);
      expect(`${meaning}${action}`, code).not.toContain('|');
    }
  });

  it('cannot be changed, and has types of its own', () => {
    expect(Object.isFrozen(ERROR_CODES)).toBe(true);
    expect(Object.values(table).every((entry) => Object.isFrozen(entry) && Object.isFrozen(entry.kinds))).toBe(true);
    expectTypeOf<'SOMBRA_BUSY'>().toExtend<ErrorCode>();
    expectTypeOf<'SOMBRA_NONSENSE'>().not.toExtend<ErrorCode>();
    expectTypeOf(ERROR_CODES.SOMBRA_BUSY).toEqualTypeOf<ErrorEntry>();
  });
});

describe(DOCUMENT, () => {
  const text = existsSync(join(ROOT, DOCUMENT)) ? readFileSync(join(ROOT, DOCUMENT), 'utf8') : '';
  const rows: { section: string; code: string; meaning: string; action: string }[] = [];
  let section = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3).trim();
    const cells = line.split('|').map((cell) => cell.trim());
    if (/^`SOMBRA_\w+`$/.test(cells[1] ?? '')) {
      rows.push({ section, code: cells[1]!.slice(1, -1), meaning: cells[2] ?? '', action: cells[3] ?? '' });
    }
  }

  it('has one row per code, under the heading of what carries it', () => {
    const expected = Object.entries(table).map(([code, { kinds, meaning, action }]) => {
      const [first, ...others] = kinds;
      const also = others.length === 0 ? '' : ` Also: ${others.join(', ')}.`;
      return { section: first!, code, meaning: meaning + also, action };
    });
    const byCode = (a: { code: string }, b: { code: string }): number => (a.code < b.code ? -1 : 1);
    expect(rows.toSorted(byCode)).toEqual(expected.sort(byCode));
  });
});
