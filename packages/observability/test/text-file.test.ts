// Goal: node-exporter finds a whole text file, whatever happens. Method: real files in a temporary folder, on a clock that moves when it
// is told to.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SimEnv } from '@sombra/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textFileCollector, writeTextFile } from '../src/index.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sombra-text-file-'));
  path = join(folder, 'sombra.prom');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Metrics that count their scrapes. */
function counting(): { text(): Promise<string>; scrapes: number; error: Error | undefined } {
  return {
    scrapes: 0,
    error: undefined,
    text() {
      this.scrapes += 1;
      return this.error === undefined ? Promise.resolve(`scrapes ${this.scrapes}\n`) : Promise.reject(this.error);
    },
  };
}

/** Waits until something is so: what is written goes through the threads of Node. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

const content = (): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

describe('writeTextFile', () => {
  it('writes a file that anybody may read, whatever the umask, and leaves nothing beside it', async () => {
    const umask = process.umask(0o077);
    try {
      await writeTextFile(counting(), path);
    } finally {
      process.umask(umask);
    }
    expect(content()).toBe('scrapes 1\n');
    expect((statSync(path).mode & 0o777).toString(8)).toBe('644');
    expect(readdirSync(folder)).toEqual(['sombra.prom']);
  });

  it('replaces the file as a whole: a reader that has it open goes on reading the old one', async () => {
    writeFileSync(path, 'old');
    const { ino } = statSync(path);
    await writeTextFile(counting(), path);
    expect(statSync(path).ino).not.toBe(ino);
    expect(content()).toBe('scrapes 1\n');
  });

  it('leaves what was there when it fails', async () => {
    writeFileSync(path, 'old');
    await expect(writeTextFile({ text: () => Promise.reject(new Error('no figures')) }, path)).rejects.toThrow(
      'no figures',
    );
    expect(content()).toBe('old');
    // The last step cannot be done: a folder has the name.
    mkdirSync(join(folder, 'taken.prom'));
    await expect(writeTextFile(counting(), join(folder, 'taken.prom'))).rejects.toThrow('EISDIR');
    expect(readdirSync(folder).sort()).toEqual(['sombra.prom', 'taken.prom']);
  });
});

describe('textFileCollector', () => {
  it('writes at once, then after every interval, until it is ended; the file stays', async () => {
    const env = new SimEnv({ seed: 1 });
    const metrics = counting();
    const stop = textFileCollector(metrics, path, { intervalMs: 5000, env });
    await until(() => content() === 'scrapes 1\n');
    await new Promise(setImmediate);
    env.advance(4999);
    expect(metrics.scrapes).toBe(1);
    env.advance(1);
    await until(() => content() === 'scrapes 2\n');
    stop();
    stop();
    await new Promise(setImmediate);
    env.advance(60_000);
    expect(metrics.scrapes).toBe(2);
    expect(content()).toBe('scrapes 2\n');
    expect(env.warnings).toEqual([]);
  });

  it('goes on after a failure, of which it tells once', async () => {
    const env = new SimEnv({ seed: 1 });
    const metrics = counting();
    metrics.error = Object.assign(new Error('no room'), { code: 'ENOSPC' });
    const stop = textFileCollector(metrics, path, { intervalMs: 1000, env });
    for (let run = 2; run < 4; run += 1) {
      await new Promise(setImmediate);
      env.advance(1000);
      await until(() => metrics.scrapes === run);
    }
    await new Promise(setImmediate);
    expect(env.warnings.map(({ code, message }) => [code, message])).toEqual([
      ['SOMBRA_METRICS_FAILED', `the text file ${path} failed (ENOSPC), it is tried again`],
    ]);
    metrics.error = undefined;
    env.advance(1000);
    await until(() => content() === 'scrapes 4\n');
    stop();
  });

  it.each([0, -1, Number.NaN, Infinity, '15' as unknown as number])('refuses an interval of %s', (intervalMs) => {
    expect(() => textFileCollector(counting(), path, { intervalMs })).toThrow(RangeError);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a name that node-exporter does not read', () => {
    expect(() => textFileCollector(counting(), join(folder, 'sombra.txt'))).toThrow('files that end with .prom');
  });
});
