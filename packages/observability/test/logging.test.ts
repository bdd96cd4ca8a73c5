// Goal: each event is logged once, at its level, with its fields, and never with a value of a property. Method: a run of real databases in
// which everything happens; its whole log at level trace is compared with a list, the logs at the other levels with the parts of the list
// that belong there. A secret that was given to the databases wherever possible is looked for in everything that is put out.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphDB } from '@sombra/db';
import { MemoryVfs, NodeEnv } from '@sombra/vfs';
import type { EnvWarning } from '@sombra/vfs';
import { pino } from 'pino';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkHealth, endLogging, initLogging, logEvents, requestId, withRequestId } from '../src/index.ts';
import type { DatabaseObserver, EventLogger, LogLevel } from '../src/index.ts';
import { codeOf } from './support/codes.ts';
import { eventfulRun } from './support/eventful-run.ts';
import { Output } from './support/lines.ts';
import { eventsOfScript } from './support/logging-script.ts';
import type { LogLine } from './support/lines.ts';

const LEVELS: readonly LogLevel[] = ['silent', 'error', 'warn', 'info', 'debug', 'trace'];
const SECRET = 'canary-90210';

afterEach(() => endLogging());

async function logAt(level: LogLevel, pretty = false): Promise<Output> {
  const output = new Output();
  const directory = mkdtempSync(join(tmpdir(), 'sombra-logging-'));
  initLogging({ level, stream: output, pretty });
  try {
    await eventfulRun(directory, SECRET);
  } finally {
    endLogging();
    rmSync(directory, { recursive: true, force: true });
  }
  return output;
}

/** Database, level and name of an event. */
const title = (line: LogLine): string => `${String(line['database'])} ${line.level} ${line.event}`;

/** Figures, which differ from run to run or belong to the storage, by their type. */
function shape(value: unknown): unknown {
  if (typeof value === 'number') return 'number';
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, key === 'message' ? typeof each : shape(each)]),
  );
}

describe('a run in which everything happens', () => {
  let trace: Output;
  beforeAll(async () => {
    trace = await logAt('trace');
  });

  it('golden: which events at which level, by database', () => {
    const names = [...new Set(trace.lines.map(({ database }) => String(database)))];
    const shown = names.map((name) => {
      const own = trace.lines.filter(({ database }) => database === name);
      return [name, ...[...new Set(own.map(({ level, event }) => `${level} ${event}`))].sort()];
    });
    expect(shown).toMatchInlineSnapshot(`
      [
        [
          "ordinary.db",
          "debug commit.logged",
          "debug transaction.begun",
          "info cache.resized",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info log.rotated",
          "info transaction.committed",
          "info transaction.rolled_back",
          "trace graph.mutated",
        ],
        [
          "live.db",
          "debug commit.logged",
          "debug transaction.begun",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info transaction.committed",
          "trace graph.mutated",
        ],
        [
          "crashed.db",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info database.recovered",
        ],
        [
          "asynchronous.db",
          "debug commit.logged",
          "debug transaction.begun",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info transaction.committed",
          "info transaction.rolled_back",
          "trace graph.mutated",
        ],
        [
          "other.db",
          "debug commit.logged",
          "debug database.advanced",
          "debug transaction.begun",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info transaction.committed",
          "trace graph.mutated",
          "warn transaction.refused",
        ],
        [
          "slow.db",
          "debug commit.logged",
          "debug transaction.begun",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info transaction.committed",
          "trace graph.mutated",
          "warn database.warning",
          "warn operation.slow",
          "warn transaction.rolled_back",
        ],
        [
          "failing.db",
          "debug commit.logged",
          "debug transaction.begun",
          "error database.poisoned",
          "info database.closed",
          "info database.opened",
          "info transaction.committed",
          "trace graph.mutated",
          "warn transaction.refused",
          "warn transaction.rolled_back",
        ],
        [
          "damaged.db",
          "debug commit.logged",
          "debug transaction.begun",
          "error database.corruption",
          "info checkpoint.completed",
          "info database.closed",
          "info database.opened",
          "info transaction.committed",
          "trace graph.mutated",
        ],
      ]
    `);
  });

  it('golden: the fields of an event of each kind', () => {
    const kinds = new Map(trace.lines.map((line) => [`${line.event} ${String(line['reason'] ?? '')}`, line]));
    const shown = [...kinds].sort().map(([, { time, pid, msg, database, ...line }]) => {
      expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect([pid, typeof msg, typeof database]).toEqual([process.pid, 'string', 'string']);
      return JSON.stringify(shape(line));
    });
    expect(shown).toMatchInlineSnapshot(`
      [
        "{"level":"info","event":"cache.resized","pages":"number"}",
        "{"level":"info","event":"checkpoint.completed","lsn":"number","pages":"number","ms":"number"}",
        "{"level":"debug","event":"commit.logged","lsn":"number","pages":"number","bytes":"number"}",
        "{"level":"debug","event":"database.advanced","lsn":"number"}",
        "{"level":"info","event":"database.closed"}",
        "{"level":"error","event":"database.corruption","code":"SOMBRA_PAGE_CHECKSUM","details":{"pageNumber":"number","expected":"number","found":"number"}}",
        "{"level":"info","event":"database.opened","lsn":"number","readOnly":false}",
        "{"level":"error","event":"database.poisoned","error":{"name":"IoError","code":"SOMBRA_SYNC","message":"string"}}",
        "{"level":"info","event":"database.recovered","lsn":"number","commits":"number"}",
        "{"level":"warn","event":"database.warning","code":"SOMBRA_TRANSACTION_TIMEOUT"}",
        "{"level":"trace","event":"graph.mutated","transaction":"number","lsn":"number","action":"addNode","nodes":[1]}",
        "{"level":"info","event":"log.rotated","segment":"number"}",
        "{"level":"warn","event":"operation.slow","operation":"transaction","ms":"number","transaction":"number"}",
        "{"level":"debug","event":"transaction.begun","transaction":"number"}",
        "{"level":"info","event":"transaction.committed","transaction":"number","lsn":"number","ms":"number"}",
        "{"level":"warn","event":"transaction.refused","code":"SOMBRA_LOCK_POISONED"}",
        "{"level":"info","event":"transaction.rolled_back","transaction":"number","reason":"error","ms":"number","error":{"name":"Error"}}",
        "{"level":"info","event":"transaction.rolled_back","transaction":"number","reason":"rollback","ms":"number"}",
        "{"level":"warn","event":"transaction.rolled_back","transaction":"number","reason":"timeout","ms":"number"}",
        "{"level":"warn","event":"transaction.rolled_back","transaction":"number","reason":"unknown","ms":"number","error":{"name":"TransactionError","code":"SOMBRA_COMMIT_UNKNOWN","message":"string"}}",
      ]
    `);
  });

  it('golden: the lines for people', () => {
    const kinds = new Map(trace.lines.map((line) => [`${line.event} ${String(line['reason'] ?? '')}`, line]));
    const shown = [...kinds].sort().map(([, { level, msg }]) => `${level} ${String(msg).replaceAll(/\d[\d.]*/g, '#')}`);
    expect(shown).toMatchInlineSnapshot(`
      [
        "info the cache has # pages",
        "info checkpoint at commit #: # pages in # ms",
        "debug commit # is in the log: # pages, # bytes",
        "debug commits of other connections are visible, up to #",
        "info closed",
        "error page # is damaged: its checksum is #, stored is #; restore a backup",
        "info opened at commit #",
        "error nothing is written any more: close the database and open it again",
        "info recovered # commits from the log, up to #",
        "warn a transaction was open for # ms and was rolled back: end every beginTransaction by commit or rollback",
        "trace addNode",
        "info the log goes on in segment #",
        "warn transaction took # ms",
        "debug transaction # begins",
        "info transaction # was committed in # ms",
        "warn a sync failed or a write could not be taken back: close the database and open it again",
        "info transaction # was rolled back after # ms (error)",
        "info transaction # was rolled back after # ms (rollback)",
        "warn transaction # was rolled back after # ms (timeout)",
        "warn the sync of transaction # failed after # ms: the next open shows whether it is committed",
      ]
    `);
  });

  it.each(LEVELS)('at level %s are those of this level and the ones before it', async (level) => {
    const { lines } = await logAt(level);
    const above = LEVELS.slice(0, LEVELS.indexOf(level) + 1) as string[];
    expect(lines.map(title)).toEqual(trace.lines.filter((line) => above.includes(line.level)).map(title));
  });

  it('shows no value of a property, and nothing that a callback threw', async () => {
    expect(trace.text.length).toBeGreaterThan(10_000);
    expect(trace.text).not.toContain(SECRET);
    const pretty = await logAt('trace', true);
    expect(pretty.text).toContain('graph.mutated');
    expect(pretty.text).not.toContain(SECRET);
  });
});

describe('initLogging', () => {
  it('refuses a level that does not exist, and options that do not', () => {
    for (const level of ['verbose', '', 'INFO', 'fatal', 'toString'])
      expect(
        codeOf(() => initLogging(level)),
        level,
      ).toBe('SOMBRA_LOG_LEVEL');
    expect(codeOf(() => initLogging({ level: 'loud' as LogLevel }))).toBe('SOMBRA_LOG_LEVEL');
    expect(codeOf(() => initLogging({ levels: 'info' } as object))).toBe('SOMBRA_OPTION');
    expect(() => initLogging('verbose')).toThrow(
      'the level of the log is "verbose"; it is one of error, warn, info, debug, trace, silent',
    );
    GraphDB.open(':memory:').close();
    expect(initLogging('silent').level).toBe('silent'); // none of these calls began anything
  });

  it('is called once, until endLogging', () => {
    const first = new Output();
    initLogging({ stream: first });
    expect(codeOf(() => initLogging({ stream: new Output() }))).toBe('SOMBRA_LOGGING_INITIALIZED');
    const open = GraphDB.open(':memory:');
    endLogging();
    endLogging();
    const before = first.text;
    open.addNode('A');
    open.close();
    GraphDB.open(':memory:').close();
    expect(first.text).toBe(before);
    const second = new Output();
    initLogging({ stream: second });
    GraphDB.open(':memory:').close();
    expect(second.lines.map(title)).toEqual([
      ':memory: info database.opened',
      ':memory: info checkpoint.completed',
      ':memory: info database.closed',
    ]);
    expect(first.text).toBe(before);
  });

  it('logs nothing by itself', () => {
    const write = vi.spyOn(process.stdout, 'write');
    const errors = vi.spyOn(process.stderr, 'write');
    const db = GraphDB.open(':memory:');
    db.addNode('A');
    db.close();
    expect([write.mock.calls, errors.mock.calls]).toEqual([[], []]);
    vi.restoreAllMocks();
  });

  it('returns the logger, whose level can be changed while databases are open', () => {
    const output = new Output();
    const logger = initLogging({ level: 'warn', stream: output, bindings: { service: 'api' } });
    const db = GraphDB.open(':memory:');
    db.addNode('A');
    expect(output.lines).toEqual([]);
    logger.level = 'debug';
    db.addNode('B');
    logger.info({ own: 1 }, 'a line of the program');
    db.close();
    expect(output.lines.map(({ event }) => event)).toEqual([
      'transaction.begun',
      'commit.logged',
      'transaction.committed',
      undefined,
      'checkpoint.completed',
      'database.closed',
    ]);
    expect(output.lines[3]).toMatchObject({ level: 'info', service: 'api', own: 1, msg: 'a line of the program' });
    expect(output.lines[0]).not.toHaveProperty('pid');
  });

  it('writes for people on a terminal only', () => {
    const write = (isTTY: boolean, pretty?: boolean): string => {
      const output = new Output(isTTY);
      initLogging({ stream: output, ...(pretty === undefined ? {} : { pretty }) });
      GraphDB.open(':memory:').close();
      endLogging();
      return output.text;
    };
    for (const text of [write(false), write(true, false)]) expect(text.startsWith('{"level":"info",')).toBe(true);
    expect(write(false, true)).toMatch(/^\[[^\]]+\] INFO: opened at commit \d+ \{"event":"database\.opened",/);
    expect(write(true)).toContain('\u001b[32mINFO\u001b[39m');
    vi.stubEnv('NO_COLOR', '1');
    expect(write(true)).not.toContain('\u001b');
    expect(write(true)).toContain('INFO: opened at commit');
  });

  it('writes to standard output', () => {
    const script = `
      import { GraphDB } from '@sombra/db';
      import { initLogging } from '@sombra/observability';
      initLogging(process.env.LOG_LEVEL ?? 'info');
      GraphDB.open(':memory:', { slowOperationMs: 60_000 }).addNode('A');
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1);`;
    expect(eventsOfScript(script, 'SIGKILL')).toEqual(['database.opened', 'transaction.committed']);
    expect(eventsOfScript(script, 'SIGKILL', { LOG_LEVEL: 'error' })).toEqual([]);
  });

  it('ends: nothing more is written, and no listener of the process stays', () => {
    const listeners = process.listenerCount('exit');
    const db = GraphDB.open(':memory:');
    for (let i = 0; i < 3; i += 1) {
      initLogging({ pretty: false, level: 'error' });
      expect(process.listenerCount('exit')).toBe(listeners + 1);
      endLogging();
    }
    expect(process.listenerCount('exit')).toBe(listeners);
    db.close();
  });
});

describe('logEvents', () => {
  it('names the database in each line, given to an open database or to several at once', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sombra-names-'));
    const output = new Output();
    const shared = logEvents(pino({ base: null, level: 'debug' }, output));
    const [one, two] = ['one.db', 'two.db'].map((name) =>
      GraphDB.open(join(folder, name), { hooks: name === 'one.db' ? shared : {} }),
    ) as [GraphDB, GraphDB];
    two.observe(shared);
    const names = (): unknown[] => [...new Set(output.lines.map(({ database }) => database))];
    for (const [db, name] of [
      [two, 'two.db'],
      [one, 'one.db'],
      [two, 'two.db'],
    ] as const) {
      output.text = '';
      db.addNode('A');
      db.checkpoint();
      expect(names()).toEqual([name]);
    }
    output.text = '';
    one.close();
    expect(names()).toEqual(['one.db']);
    output.text = '';
    two.close();
    expect(names()).toEqual(['two.db']);
    rmSync(folder, { recursive: true });
  });

  const recorder = (): EventLogger & { lines: string[] } => {
    const lines: string[] = [];
    const at =
      (level: string) =>
      (fields: object): void =>
        void lines.push(`${level} ${(fields as { event: string }).event}`);
    return { lines, error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), trace: at('trace') };
  };

  it('logs one database to a logger of its own, given at open or later', () => {
    const given = recorder();
    const db = GraphDB.open(':memory:', { hooks: logEvents(given) });
    const later = recorder();
    const end = db.observe(logEvents(later));
    db.addNode('A');
    end();
    db.addNode('B');
    db.close();
    expect(later.lines).toEqual([
      'debug transaction.begun',
      'debug commit.logged',
      'info transaction.committed',
      'trace graph.mutated',
    ]);
    expect(given.lines).toEqual([
      'debug commit.logged',
      'info database.opened',
      ...later.lines,
      ...later.lines,
      'info checkpoint.completed',
      'info database.closed',
    ]);
  });

  it('has the name of the database and the bindings in every line', () => {
    const output = new Output();
    const db = GraphDB.open('some.db', {
      vfs: new MemoryVfs(),
      hooks: logEvents(pino({ base: null }, output), { bindings: { shard: 3 } }),
    });
    db.observe(logEvents(pino({ base: null }, output), { database: 'people' }));
    db.close();
    expect(output.lines.filter(({ event }) => event === 'database.closed')).toMatchObject([
      { database: 'some.db', shard: 3 },
      { database: 'people' },
    ]);
    expect(output.lines.filter((line) => line['database'] === undefined)).toEqual([]);
  });

  it('has no hook that costs something at levels at which nothing comes of it', () => {
    const hooks = (level: string): DatabaseObserver => logEvents(pino({ level }, new Output()));
    expect(Object.keys(hooks('debug'))).not.toContain('mutated');
    expect(Object.keys(hooks('trace'))).toContain('mutated');
  });

  it('tells the request that was worked on', async () => {
    const output = new Output();
    initLogging({ stream: output });
    const db = GraphDB.open(':memory:');
    db.addNode('A');
    withRequestId('r1', () => db.addNode('B'));
    await withRequestId('r2', async () => {
      await Promise.resolve();
      expect(requestId()).toBe('r2');
      db.addNode('C');
    });
    expect(requestId()).toBeUndefined();
    await Promise.all(['r3', 'r4'].map((id) => withRequestId(id, () => db.transactionAsync((tx) => tx.addNode('D')))));
    const committed = output.lines.filter(({ event }) => event === 'transaction.committed');
    expect(committed.map((line) => line['requestId'])).toEqual([undefined, 'r1', 'r2', 'r3', 'r4']);
    db.close();
  });

  it('a logger that throws disturbs nothing', async () => {
    const warnings: string[] = [];
    const env = Object.create(new NodeEnv(), {
      warn: { value: ({ code }: EnvWarning) => warnings.push(code) },
    }) as NodeEnv;
    const fail = (): never => {
      throw new Error(`the disk of the log is full ${SECRET}`);
    };
    const logger: EventLogger = { error: fail, warn: fail, info: fail, debug: fail, trace: fail };
    const db = GraphDB.open(':memory:', { vfs: new MemoryVfs({ env }), hooks: logEvents(logger) });
    const id = db.transaction((tx) => tx.addNode('A', { n: 1 }));
    await db.transactionAsync((tx) => tx.setNodeProperty(id, 'n', 2));
    expect(codeOf(() => db.addEdge(8, 9, 'T'))).toBe('SOMBRA_NODE_NOT_FOUND');
    expect(db.getNodeProperty(id, 'n')).toBe(2);
    db.checkpoint();
    db.close();
    expect(warnings.length).toBeGreaterThan(5);
    expect(new Set(warnings)).toEqual(new Set(['SOMBRA_HOOK_FAILED']));
  });

  it('leaves out what a hook threw from the warning about it', () => {
    const lines: unknown[] = [];
    const keep = (fields: object, message: string): number => lines.push(fields, message);
    const logger: EventLogger = { error: keep, warn: keep, info: keep, debug: keep, trace: keep };
    const { warning } = logEvents(logger);
    const causes = [
      new Error(SECRET),
      SECRET,
      Object.assign(new Error(SECRET), { name: SECRET }),
      { toString: () => SECRET },
    ];
    for (const cause of causes)
      warning?.({ code: 'SOMBRA_HOOK_FAILED', message: `a hook threw ${String(cause)}: fix it`, cause });
    expect(lines.length).toBe(8);
    expect(JSON.stringify(lines)).not.toContain(SECRET);
    expect(lines[1]).toBe('a hook threw Error: fix it');
  });
});

describe('checkHealth', () => {
  it('logs to the logger of initLogging', () => {
    const output = new Output();
    initLogging({ stream: output });
    const db = GraphDB.open(':memory:');
    expect(checkHealth(db).status).toBe('healthy');
    expect(output.lines.at(-1)).toMatchObject({ level: 'info', event: 'health.healthy', msg: 'Health check: HEALTHY' });
    db.close();
  });
});
