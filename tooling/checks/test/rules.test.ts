// Goal: a rule that a comment cites by its code can be read, and every rule that can be read is kept somewhere. Method: the codes in
// the comments of all sources against the headings of docs/internals/rules, and these against the table of docs/internals/protocol.md.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishedPackages, ROOT } from './repository.ts';

/** Rules that no source keeps yet, because what they are about is not done. */
const NOT_IN_SOURCES = ['K7'];
const RULES = join(ROOT, 'docs/internals/rules');
const CODE = /\b[FLCRKOEP][1-9]\b/g;

const pages = readdirSync(RULES).filter((name) => name.endsWith('.md'));
const headings = pages.flatMap((name) =>
  [...readFileSync(join(RULES, name), 'utf8').matchAll(/^## ([A-Z]\d): .+\n\n([\s\S]*?)(?=\n## |$(?![\s\S]))/gm)].map(
    ([, code, text]) => ({ name, code: code!, text: text! }),
  ),
);
const codes = headings.map(({ code }) => code);

/** Codes in the comments of all sources, each with the first file that cites it. */
const cited = new Map<string, string>();
for (const { folder } of publishedPackages()) {
  const src = join(ROOT, folder, 'src');
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.ts'))) {
    for (const line of readFileSync(join(src, file), 'utf8').split('\n')) {
      const comment = /^\s*(\/\*\*|\*|\/\/)/.test(line) ? line : (/\s\/\/ .*$/.exec(line)?.[0] ?? '');
      const ranges = [...comment.matchAll(/\b([A-Z])(\d) to \1(\d)\b/g)].flatMap(([, letter, from, to]) =>
        Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => `${letter}${Number(from) + i}`),
      );
      const single = [...comment.matchAll(CODE)].map(([code]) => code);
      for (const code of [...single, ...ranges]) if (!cited.has(code)) cited.set(code, `${folder}/src/${file}`);
    }
  }
}

describe('the rules of the storage protocol', () => {
  it('stand there once each, with their reasons', () => {
    expect(codes.length).toBeGreaterThan(45);
    expect(codes.filter((code, at) => codes.indexOf(code) !== at)).toEqual([]);
    const thin = headings.filter(({ text }) => text.split(/\s+/).length < 15).map(({ code }) => code);
    expect(thin).toEqual([]);
    const explained = headings.filter(({ text }) => text.includes('\nWhy: ')).length;
    expect(explained).toBeGreaterThan(codes.length - 4);
  });

  it('are on the page of their letter, in order', () => {
    for (const name of pages) {
      const own = headings.filter((heading) => heading.name === name).map(({ code }) => code);
      expect(own).toEqual(own.map((_, at) => `${own[0]![0]}${at + 1}`));
    }
  });

  it('have a heading for every code that a comment cites', () => {
    expect([...cited].filter(([code]) => !codes.includes(code))).toEqual([]);
  });

  it('are each cited by a comment', () => {
    expect(codes.filter((code) => !cited.has(code) && !NOT_IN_SOURCES.includes(code))).toEqual([]);
    expect(NOT_IN_SOURCES.filter((code) => cited.has(code))).toEqual([]);
  });

  it('have a row in the table of functions and tests', () => {
    const rows = [...readFileSync(join(ROOT, 'docs/internals/protocol.md'), 'utf8').matchAll(/^\| ([A-Z]\d) /gm)];
    expect(rows.map(([, code]) => code).sort()).toEqual([...codes].sort());
  });
});
