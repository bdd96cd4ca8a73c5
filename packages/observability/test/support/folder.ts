import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of a test, removed when it ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sombra-observability-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
