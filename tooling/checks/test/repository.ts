import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface PackageFile {
  readonly folder: string;
  readonly json: {
    name: string;
    version: string;
    private?: boolean;
    dependencies?: Record<string, string>;
    peerDependencies?: Record<string, string>;
    exports?: Record<string, unknown>;
    files?: string[];
    bin?: Record<string, string>;
    license?: string;
    type?: string;
    engines?: Record<string, string>;
  };
}

/** Every published package, from the bottom layer up. */
export function publishedPackages(): PackageFile[] {
  const found: PackageFile[] = [];
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(ROOT, group))) {
      const folder = `${group}/${name}`;
      const file = join(ROOT, folder, 'package.json');
      if (existsSync(file)) found.push({ folder, json: JSON.parse(readFileSync(file, 'utf8')) as PackageFile['json'] });
    }
  }
  return found;
}

/** The fenced blocks of a markdown file in some languages, in order. */
export function blocks(markdown: string, languages: readonly string[]): { language: string; text: string }[] {
  return [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .map(([, language, text]) => ({ language: language!, text: text! }))
    .filter(({ language }) => languages.includes(language));
}
