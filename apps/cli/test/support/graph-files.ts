import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect } from 'vitest';
import { GraphDB } from '@sombra/db';
import type { PropertyValue } from '@sombra/db';
import type { AnyGraph } from './arbitrary.ts';
import { anyGraph, contentOf, randomRuns, writeGraph } from './arbitrary.ts';
import { failure, json, sombra } from './cli.ts';

/** Characters that XML has no way to write. */
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

/** Opens a database, and closes it again. */
export function withDatabase<T>(path: string, work: (db: GraphDB) => T): T {
  const db = GraphDB.open(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** Files of a test, which have names of their own. */
export class Places {
  private readonly folder: string;
  private number = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** A place that nothing is at. */
  fresh(ending: string): string {
    this.number += 1;
    return join(this.folder, `place${this.number}${ending}`);
  }

  /** A file with this content. */
  file(ending: string, content: string | Uint8Array): string {
    const path = this.fresh(ending);
    writeFileSync(path, content);
    return path;
  }

  /** Imports a file, and says what is then in the database. */
  async imported(
    format: string,
    content: string,
    ...args: string[]
  ): Promise<{ nodes: unknown[]; edges: unknown[]; stderr: string }> {
    const database = this.fresh('.db');
    const { code, stderr } = await sombra([
      'import',
      database,
      `--${format}`,
      this.file(`.${format}`, content),
      ...args,
    ]);
    if (code !== 0) throw new Error(stderr);
    return withDatabase(database, (db) => ({ nodes: [...db.nodes()], edges: [...db.edges()], stderr }));
  }

  /** The error of an import, without its file. */
  async refused(
    format: string,
    content: string | Uint8Array,
    ...args: string[]
  ): Promise<{ code: string; message: string }> {
    const path = this.file(`.${format}`, content);
    const { code, error } = await failure('import', this.fresh('.db'), `--${format}`, path, ...args);
    expect(code).toBe(1);
    expect(error.message.startsWith(`${path}:`)).toBe(true);
    return { code: error.code, message: error.message.slice(path.length + 1) };
  }
}

/** The same graph without characters in keys and types that XML cannot hold. */
function withXmlNames({ nodes, edges }: AnyGraph): AnyGraph {
  const clean = <T extends { readonly properties: object }>(one: T): T => ({
    ...one,
    properties: Object.fromEntries(
      Object.entries(one.properties).map(([key, value]) => [key.replaceAll(FORBIDDEN, '_'), value as PropertyValue]),
    ),
  });
  return {
    nodes: nodes.map(clean),
    edges: edges.map((edge) => ({ ...clean(edge), type: edge.type.replaceAll(FORBIDDEN, '_') })),
  };
}

/** Random graphs with every kind of value, there and back by a format. */
export async function thereAndBack(places: Places, format: string, runs: number, xml: boolean): Promise<void> {
  let edges = 0;
  await fc.assert(
    fc.asyncProperty(anyGraph, fc.boolean(), async (any, gzip) => {
      const graph = xml ? withXmlNames(any) : any;
      const original = places.fresh('.db');
      const content = withDatabase(original, (db) => {
        writeGraph(db, graph);
        return contentOf(db);
      });
      edges += graph.edges.length;
      const file = places.fresh(gzip ? `.${format}.gz` : `.${format}`);
      await json('export', original, '--to', file, '--format', format);
      const copy = places.fresh('.db');
      await json('import', copy, `--${format}`, file);
      const found = withDatabase(copy, contentOf);
      expect(isDeepStrictEqual(found, content)).toBe(true);
      for (const path of [original, file, copy]) rmSync(path);
    }),
    { ...randomRuns(7, runs), endOnFailure: true },
  );
  expect(edges).toBeGreaterThan(10);
}
