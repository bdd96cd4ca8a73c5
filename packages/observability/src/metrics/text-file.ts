import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NodeEnv } from '@sombra/vfs';
import { checkOptions } from '../base/check-options.ts';
import { every } from './every.ts';
import type { PeriodicOptions } from './every.ts';
import type { Metrics } from './metrics.ts';

const INTERVAL_MS = 15_000;
const MODE = 0o644;
const nodeEnv = new NodeEnv();

/**
 * Writes metrics into a file once, for the text-file collector of node-exporter. A reader sees the old file or the new one, never a part:
 * the text goes into a file beside it, whose name node-exporter ignores, and takes its place when it is whole.
 * @param path  ends with `.prom`; anybody may read it, whatever the umask
 * @throws the error of the system; what was there before is still there
 */
export async function writeTextFile(metrics: Pick<Metrics, 'text'>, path: string): Promise<void> {
  const text = await metrics.text();
  const suffix = Buffer.from(nodeEnv.random(6)).toString('hex');
  const temporary = join(dirname(path), `.${basename(path)}.${suffix}.tmp`);
  const file = await open(temporary, 'wx', MODE);
  try {
    try {
      await file.chmod(MODE);
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes metrics into a file now and every `intervalMs` (default 15,000). The file stays when this ends, or the process does: that it is
 * no longer written shows that nobody is there (alert SombraTextFileStale).
 * @param path  ends with `.prom`
 * @returns ends it
 * @throws RangeError the interval is no positive number of milliseconds, or the path ends otherwise; DataError SOMBRA_OPTION
 */
export function textFileCollector(
  metrics: Pick<Metrics, 'text'>,
  path: string,
  options: PeriodicOptions = {},
): () => void {
  checkOptions('textFileCollector', options, ['intervalMs', 'logger', 'env']);
  const { intervalMs = INTERVAL_MS, logger, env = nodeEnv } = options;
  if (!path.endsWith('.prom')) throw new RangeError(`node-exporter reads files that end with .prom, not ${path}`);
  return every(`the text file ${path}`, intervalMs, () => writeTextFile(metrics, path), { logger, env, now: true });
}
