// Goal: the glossary of docs/ARCHITECTURE.md is a list that one can rely on. Method: its terms are read from the table: in order, once
// each, explained without themselves, and used in the sources or pages that the project's readers see; verbs that had several meanings
// name functions only in the packages where their one meaning belongs.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishedPackages, ROOT } from './repository.ts';

const text = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');
const section = text.slice(text.indexOf('## Glossary'), text.indexOf('## Six functions'));
const terms = [...section.matchAll(/^\| ([^|]+?) +\| ([^|]+?) +\|$/gm)]
  .map(([, term, meaning]) => ({ term: term!, meaning: meaning! }))
  .filter(({ term }) => term !== 'term' && !term.startsWith('-'));
const bare = (term: string): string => term.replace(/ \(.*\)$/, '');

const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file.startsWith('docs/') && file !== 'docs/ARCHITECTURE.md')
  .map((file) => join(ROOT, file));
const sources = publishedPackages().flatMap(({ folder }) =>
  readdirSync(join(ROOT, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(ROOT, folder, 'src', file)),
);
const used = [...documents, ...sources].map((file) => readFileSync(file, 'utf8').toLowerCase()).join('\n');

describe('the glossary', () => {
  it('has each term once, in order', () => {
    const names = terms.map(({ term }) => term.toLowerCase());
    expect(names.length).toBeGreaterThan(30);
    expect(names).toEqual([...new Set(names)].sort());
  });

  it('explains no term by itself', () => {
    expect(terms.filter(({ term, meaning }) => new RegExp(`^(a |the |to )?${bare(term)}\\b`).test(meaning))).toEqual(
      [],
    );
  });

  it('has terms that are used', () => {
    expect(terms.map(({ term }) => bare(term)).filter((term) => !new RegExp(`\\b${term}`).test(used))).toEqual([]);
  });
});
