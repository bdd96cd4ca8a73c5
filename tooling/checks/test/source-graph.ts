import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import ts from 'typescript';
import { ROOT } from './repository.ts';

/** Files of a package's `src`, each with the files of the same `src` that it imports. Paths are relative to `src`. */
export type SourceGraph = Map<string, string[]>;

/** Reads imports, type imports, re-exports, `import()` of a literal, and files that a Worker is started with. */
export function sourceGraph(folder: string): SourceGraph {
  const src = join(ROOT, folder, 'src');
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const graph: SourceGraph = new Map();
  for (const file of files.map((each) => each.replaceAll(sep, '/')).sort()) {
    const text = readFileSync(join(src, file), 'utf8');
    const imported = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
    const started = [...text.matchAll(/new URL\(\s*'(\.[^']+)\.[jt]s'/g)].map(([, path]) => `${path}.ts`);
    const targets = [...imported, ...started]
      .filter((target) => target.startsWith('.'))
      .map((target) => relative(src, join(src, dirname(file), target)).replaceAll(sep, '/'))
      .filter((target) => !target.startsWith('..'));
    graph.set(file, [...new Set(targets)]);
  }
  return graph;
}

/** Groups of files that import each other in a circle (strongly connected components of more than one file). */
export function circles(graph: SourceGraph): string[][] {
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file)!);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || graph.get(file)?.includes(file)) found.push(circle.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

/** The room of a file: its folder, its own name where the list of rooms has it, else '.'. */
export function roomOf(file: string, rooms: readonly string[]): string {
  const [first] = file.split(posix.sep);
  return first !== file || rooms.includes(file) ? first! : '.';
}

/** Import lines that go to a later room, as `from -> to`. */
export function upwardImports(graph: SourceGraph, rooms: readonly string[]): string[] {
  const level = (file: string): number => rooms.indexOf(roomOf(file, rooms));
  return [...graph].flatMap(([file, targets]) =>
    targets.filter((target) => level(target) > level(file)).map((target) => `${file} -> ${target}`),
  );
}
