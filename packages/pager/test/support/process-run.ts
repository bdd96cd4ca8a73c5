// Several processes of the system on one database, which are killed and started again at random.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeVfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { Pager } from '../../src/index.ts';
import { Actor } from './actor.ts';
import { newPage, valueOf, write } from './open.ts';

const FILE = 'shared.db';
const COUNTERS = 4;
const ACCOUNTS = 12;

function startActor(role: string, directory: string, number: number, pages: readonly number[]): Actor {
  return new Actor('actor-process.mjs', role, number, [join(directory, FILE), String(number), pages.join()]);
}

/** Opens the database in this process. */
function open(directory: string, busyTimeoutMs = 20_000): Pager {
  return Pager.open({
    vfs: new NodeVfs(),
    path: join(directory, FILE),
    pageSize: 4096,
    cacheSize: 16,
    maxTransactionPages: 32,
    busyTimeoutMs,
  });
}

/** Runs something in a directory of its own that holds a database; the pages are numbers that writers count and move. */
export async function withDatabase<T>(run: (directory: string, pages: readonly number[]) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'sombra-processes-'));
  try {
    const pager = open(directory);
    const pages = write(pager, (tx) =>
      Array.from({ length: COUNTERS + ACCOUNTS }, (_, at) => newPage(tx, at < COUNTERS ? 0 : 1000)),
    );
    pager.close();
    return await run(directory, pages);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface ProcessCount {
  kills: number;
  commits: number;
  reads: number;
  checkpoints: number;
}

/**
 * Two writers, two readers in processes, one of them with a third in a thread, and one that checkpoints, for some time; every now
 * and then one is killed and started again.
 * @throws Error for what one of them saw, or what is missing in the end
 */
export async function runProcesses(ms: number, seed: number): Promise<ProcessCount> {
  return withDatabase(async (directory, pages) => {
    const random = new Random(seed);
    const count: ProcessCount = { kills: 0, commits: 0, reads: 0, checkpoints: 0 };
    const cast = ['write', 'write', 'read', 'thread', 'checkpoint'];
    const start = (number: number): Actor => startActor(cast[number]!, directory, number, pages);
    const actors = cast.map((_, number) => start(number));
    const acknowledged = [0, 0];
    const take = (actor: Actor): void => {
      if (actor.problem !== undefined) throw new Error(actor.problem);
      for (const line of actor.lines.splice(0)) {
        if (actor.role === 'write') acknowledged[actor.number] = Math.max(acknowledged[actor.number]!, Number(line));
        else if (line === 'read') count.reads += 1;
        else count.checkpoints += 1;
      }
    };
    try {
      for (const until = Date.now() + ms; Date.now() < until; ) {
        await new Promise((resolve) => setTimeout(resolve, 50 + random.below(250)));
        for (const actor of actors) take(actor);
        const number = random.below(cast.length);
        await actors[number]!.end('SIGKILL');
        take(actors[number]!);
        count.kills += 1;
        actors[number] = start(number);
      }
      await Promise.all(actors.map((actor) => actor.end('SIGTERM')));
      for (const actor of actors) take(actor);
    } finally {
      for (const actor of actors) actor.process.kill('SIGKILL');
    }
    const pager = open(directory);
    const problems = pager.check();
    if (problems.length > 0) throw new Error(JSON.stringify(problems));
    const values = pages.map((page) => valueOf(pager.view, page));
    acknowledged.forEach((least, writer) => {
      if (values[writer]! < least)
        throw new Error(`writer ${writer} acknowledged commit ${least}, and ${values[writer]} is there`);
    });
    const sum = values.slice(COUNTERS).reduce((a, b) => a + b, 0);
    if (sum !== ACCOUNTS * 1000) throw new Error(`the sum is ${sum}`);
    count.commits = values[0]! + values[1]!;
    if (pager.view.lsn !== count.commits + 1)
      throw new Error(`commit ${pager.view.lsn} is the newest, ${count.commits} were counted`);
    pager.close();
    const names = readdirSync(directory).join();
    if (names !== FILE) throw new Error(`left over: ${names}`);
    return count;
  });
}

/**
 * A process that keeps a transaction open is stopped, then killed. @returns what a begin meanwhile throws, and the number of the process
 */
export async function beginBesideStopped(waitMs: number): Promise<{ error: unknown; pid: number; waited: number }> {
  return withDatabase(async (directory, pages) => {
    const holder = startActor('hold', directory, 0, pages);
    try {
      await holder.says('holding');
      holder.process.kill('SIGSTOP');
      const pager = open(directory, waitMs);
      const began = Date.now();
      let error: unknown;
      try {
        pager.begin().rollback();
      } catch (caught) {
        error = caught;
      }
      const waited = Date.now() - began;
      await holder.end('SIGKILL');
      pager.begin().rollback(); // at once: the lock fell with its holder
      pager.close();
      return { error, pid: holder.process.pid!, waited };
    } finally {
      holder.process.kill('SIGKILL');
    }
  });
}
