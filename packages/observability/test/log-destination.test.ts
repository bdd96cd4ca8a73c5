// Goal: lines of a log arrive whole and in order, soon, and those that matter at once; a log that cannot be written disturbs nobody.
// Method: programs that end in every way, as processes of their own; files that many lines are written to; a device that is always full.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logDestination } from '../src/index.ts';
import { eventsOfScript } from './support/logging-script.ts';

const FULL = '/dev/full';

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'sombra-log-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a program that ends', () => {
  const program = (end: string): string => `
    import { initLogging } from '@sombra/observability';
    const logger = initLogging('info');
    const log = (level, event) => logger[level]({ event }, event);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    log('info', 'first');
    ${end}`;
  const kill = "process.kill(process.pid, 'SIGKILL');";

  it('killed: the lines of earlier turns are there', () => {
    expect(eventsOfScript(program(`await turn(); log('info', 'second'); await turn(); ${kill}`), 'SIGKILL')).toEqual([
      'first',
      'second',
    ]);
  });

  it.each(['warn', 'error'])('killed just after a line of level %s: it is there, with everything before', (level) => {
    expect(eventsOfScript(program(`log('${level}', 'second'); ${kill}`), 'SIGKILL')).toEqual(['first', 'second']);
  });

  it.each([
    ['by process.exit', 'process.exit(3);', 3],
    ['by an error that nobody catches', "throw new Error('on purpose');", 1],
    ['by a promise that is rejected', "Promise.reject(new Error('on purpose'));", 1],
    ['by itself', '', 0],
  ])('%s: every line is there', (_how, end, status) => {
    expect(eventsOfScript(program(end), status)).toEqual(['first']);
  });
});

describe('a file', () => {
  it('gets all lines, whole and in order, those of any length', async () => {
    const path = join(folder, 'events.log');
    const destination = logDestination(path);
    const logger = pino({ base: null, timestamp: false }, destination);
    const long = 'ü'.repeat(100_000);
    for (let i = 0; i < 20_000; i += 1) {
      logger.info(i % 5000 === 0 ? { i, long } : { i });
      if (i % 7000 === 0) await nextTurn();
    }
    destination.end();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const read = lines.map((line) => JSON.parse(line) as { i: number; long?: string });
    expect(read.map(({ i }) => i)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
    expect(read.filter(({ long: text }) => text === long)).toHaveLength(4);
  });

  it('that cannot be opened says so', () => {
    expect(() => logDestination(join(folder, 'no', 'such', 'folder.log'))).toThrow('ENOENT');
  });
});

describe.skipIf(!existsSync(FULL))(`a disk that is full (${FULL})`, () => {
  it('throws nothing, warns once, and loses lines only beyond what is kept', async () => {
    const warnings: (string | undefined)[] = [];
    const note = (warning: Error & { code?: string }): unknown => warnings.push(warning.code);
    process.on('warning', note);
    try {
      const destination = logDestination(FULL);
      const logger = pino({}, destination);
      for (let i = 0; i < 100; i += 1) {
        logger.info({ text: 'x'.repeat(50_000) });
        if (i % 10 === 0) logger.error('at once');
        await nextTurn();
      }
      expect(() => destination.end()).not.toThrow();
      await nextTurn();
    } finally {
      process.off('warning', note);
    }
    expect(warnings).toEqual(['SOMBRA_LOG_FAILED']);
  });
});
