import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { GraphDB } from '../../src/index.ts';
import type { Config, Warning } from '../../src/index.ts';

/** A database in memory, checked and closed at the end. Warnings fail the test unless it brings a listener. */
export function withMemory<T>(work: (db: GraphDB) => T, config: Config = {}): T {
  const warnings: Warning[] = [];
  const db = GraphDB.open(':memory:', { onWarning: (warning) => warnings.push(warning), ...config });
  try {
    const result = work(db);
    if (!db.closed) expectSound(db);
    expect(warnings).toEqual([]);
    return result;
  } finally {
    db.close();
  }
}

/** A directory of its own for the test's files. */
export function withDirectory<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'sombra-db-'));
  const remove = (): void => {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true, force: true });
  };
  let result: T;
  try {
    result = work(directory);
  } catch (error) {
    remove();
    throw error;
  }
  if (result instanceof Promise) return result.finally(remove) as T;
  remove();
  return result;
}

/** Every page, record, edge and index is as it should be. */
export function expectSound(db: GraphDB): void {
  expect(db.verifyIntegrity().errors).toEqual([]);
}
