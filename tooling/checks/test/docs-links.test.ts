// Goal: no document points at something that is not there. Method: every relative link of every markdown file is looked
// up, with its heading where it names one.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './repository.ts';

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(join(ROOT, file)));

const slug = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

function problems(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/```[\s\S]*?```/g, '');
  const found: string[] = [];
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (target === undefined || /^[a-z]+:/.test(target)) continue;
    const [path, anchor] = target.split('#');
    const full = path ? normalize(join(ROOT, dirname(file), path)) : join(ROOT, file);
    if (!existsSync(full)) found.push(`${file}: ${target} does not exist`);
    else if (anchor && statSync(full).isFile()) {
      const headings = readFileSync(full, 'utf8')
        .split('\n')
        .filter((line) => /^#+ /.test(line));
      if (!headings.some((line) => slug(line.replace(/^#+ /, '')) === anchor))
        found.push(`${file}: no heading for ${target}`);
    }
  }
  return found;
}

describe('documents', () => {
  it('has documents to look at', () => expect(files.length).toBeGreaterThan(20));
  it('links only to what exists', () => expect(files.flatMap(problems)).toEqual([]));
  it('names no path of a developer machine', () => {
    const machine = /(^|[\s"'`(])\/(work|root|home\/[a-z]+)\//m;
    expect(files.filter((file) => machine.test(readFileSync(join(ROOT, file), 'utf8')))).toEqual([]);
  });
});
