// Writing, reading and checkpointing processes on one database, phase by phase; after each phase the log is held to its limits.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeVfs } from '@sombra/vfs';
import { Random } from '@sombra/vfs/testing';
import { Pager } from '../../src/index.ts';
import type { PagerOptions } from '../../src/index.ts';
import { Actor } from './actor.ts';
import { newPage, valueOf, write } from './open.ts';

const MIB = 1024 * 1024;
const FILE = 'limits.db';
const SCRIPT = 'log-limit-process.mjs';
const PAGES = 32;
/** Transactions of a writer that share a sync, as in the script. */
const BURST = 8;
const WRITERS = ['write', 'write', 'group'];

/** Limits of one run. */
export type Limits = Pick<
  PagerOptions,
  'walHardLimitMb' | 'checkpointAfterBytes' | 'checkpointAfterCommits' | 'syncMode'
> & { readonly maxWalSizeMb: number };

/** Bytes since the last checkpoint, and bytes of files. */
interface Size {
  log: number;
  files: number;
}

/** What happened in a run. */
export interface LimitCount {
  commits: number;
  reads: number;
  checkpoints: number;
  kills: number;
  /** Commits that were refused because the log was full. */
  refusals: number;
  /** Warnings that a reader keeps the log over its limit. */
  warnings: number;
  /** Snapshots that were ended because they were too old. */
  tooOld: number;
  /** Bytes of the log at a commit, and of its files: most without a reader that keeps it, most beside one. */
  most: Size;
  mostKept: Size;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A database and the processes that share it. */
export class LimitRun {
  readonly count: LimitCount = {
    commits: 0,
    reads: 0,
    checkpoints: 0,
    kills: 0,
    refusals: 0,
    warnings: 0,
    tooOld: 0,
    most: { log: 0, files: 0 },
    mostKept: { log: 0, files: 0 },
  };
  private readonly directory = mkdtempSync(join(tmpdir(), 'sombra-log-limits-'));
  private readonly limits: Limits;
  private readonly random: Random;
  /** Keeps the database open, so that no process is the last one and removes the log. Reads only between phases. */
  private readonly watcher: Pager;
  private readonly pages: readonly number[];
  private readonly writers: Actor[];
  private others: Actor[] = [];
  /** Commits that each writer has acknowledged. */
  private readonly acknowledged = WRITERS.map(() => 0);
  /** Refusals of each writer. */
  private readonly refused = WRITERS.map(() => 0);
  private longestRecord = 0;
  /** Most since this was cleared. */
  private size: Size = { log: 0, files: 0 };

  constructor(limits: Limits, seed: number) {
    this.limits = limits;
    this.random = new Random(seed);
    const path = join(this.directory, FILE);
    this.watcher = Pager.open({ vfs: new NodeVfs(), path, pageSize: 4096, busyTimeoutMs: 20_000, ...limits });
    this.pages = write(this.watcher, (tx) => Array.from({ length: PAGES }, () => newPage(tx, 0)));
    this.writers = WRITERS.map((_, number) => this.startWriter(number));
  }

  private startWriter(number: number): Actor {
    return this.start(WRITERS[number]!, number);
  }

  private start(role: string, number = 0, more: Partial<PagerOptions> = {}): Actor {
    const options = JSON.stringify({ cacheSize: 24, maxTransactionPages: 32, ...this.limits, ...more });
    return new Actor(SCRIPT, role, number, [join(this.directory, FILE), String(number), this.pages.join(), options]);
  }

  // ---- phases

  /** Nothing keeps the log: it stays within its limit all the time, no warning says that a reader keeps it, and nothing is refused. */
  async writersAndATool(): Promise<void> {
    this.others = [this.start('checkpoint')];
    const before = { ...this.count };
    await this.settled('beside a tool');
    this.expectNone('warnings', before);
    this.expectNone('refusals', before);
    await this.endPhase('SIGTERM', 'after the tool');
  }

  /** Snapshots of some milliseconds: nothing is refused. */
  async shortSnapshots(): Promise<void> {
    this.others = [this.start('read'), this.start('read'), this.start('checkpoint')];
    const before = { ...this.count };
    await this.until('reads', () => this.count.reads > before.reads + 100);
    await this.afterCommits(this.commitsOf(3));
    this.expectNone('refusals', before);
    await this.endPhase('SIGTERM', 'after short snapshots');
  }

  /**
   * A snapshot keeps the log: there is a warning, and at the hard limit every writer is refused, until the reader is killed.
   */
  async pinnedAndKilled(): Promise<void> {
    const before = { ...this.count };
    const refused = [...this.refused];
    const reader = this.start('pin', 0, { readTimeoutMs: null });
    this.others = [reader, this.start('checkpoint')];
    await reader.says('pinned');
    this.size = { log: 0, files: 0 };
    await this.until('a warning', () => this.count.warnings > before.warnings);
    if (this.hardLimit === Infinity) {
      // The log is allowed to grow, and does.
      await this.until('a longer log', () => this.size.log > 3 * this.limits.maxWalSizeMb * MIB);
      this.expectNone('refusals', before);
    } else {
      await this.until('refusals', () => this.refused.every((times, writer) => times > refused[writer]! + 1));
    }
    this.expectSize('beside a reader', this.hardLimit, this.count.mostKept);
    this.count.kills += 1;
    await this.endPhase('SIGKILL', 'after a reader that was killed');
  }

  /** Snapshots that are too old end in their own process, which lives on. */
  async tooOld(): Promise<void> {
    const before = { ...this.count };
    this.others = [this.start('pin', 0, { readTimeoutMs: 200 }), this.start('pin', 0, { readTimeoutMs: 300 })];
    await this.until('old snapshots', () => this.count.tooOld > before.tooOld + 3);
    await this.endPhase('SIGTERM', 'after snapshots that were too old');
  }

  /** Any process is killed at any moment. */
  async kills(times: number): Promise<void> {
    const cast = [
      () => this.start('pin', 0, { readTimeoutMs: null }),
      () => this.start('pin', 0, { readTimeoutMs: 100 }),
      () => this.start('read'),
      () => this.start('checkpoint'),
    ];
    this.others = cast.map((start) => start());
    for (let kill = 0; kill < times; kill += 1) {
      await pause(30 + this.random.below(200));
      this.take();
      const at = this.random.below(WRITERS.length + cast.length);
      const list = at < WRITERS.length ? this.writers : this.others;
      const place = at < WRITERS.length ? at : at - WRITERS.length;
      await list[place]!.end('SIGKILL');
      this.take();
      list[place] = at < WRITERS.length ? this.startWriter(place) : cast[place]!();
      this.count.kills += 1;
    }
    await this.endPhase('SIGKILL', 'after many kills');
  }

  /** Ends everything. What was acknowledged is there, and nothing but the database is left. */
  async finish(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.end('SIGTERM')));
    this.take();
    this.verify('at the end');
    this.count.commits = WRITERS.reduce((sum, _, writer) => sum + this.valueOf(writer), 0);
    if (this.watcher.view.lsn !== this.count.commits + 1)
      throw new Error(`commit ${this.watcher.view.lsn} is the newest, ${this.count.commits} were counted`);
    this.watcher.close();
    const names = readdirSync(this.directory).join();
    if (names !== FILE) throw new Error(`left over: ${names}`);
  }

  /** Kills what is left, and removes the files. */
  dispose(): void {
    for (const actor of [...this.writers, ...this.others]) actor.process.kill('SIGKILL');
    this.watcher.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  // ---- what is checked

  private get hardLimit(): number {
    return (this.limits.walHardLimitMb ?? Infinity) * MIB;
  }

  /** One transaction more than the limit; those that share a sync count as one. */
  private get slack(): number {
    return this.longestRecord * BURST;
  }

  /** Commits that write `times` the limit of the log, by all writers together. */
  private commitsOf(times: number): number {
    return Math.ceil((times * this.limits.maxWalSizeMb * MIB) / 3000);
  }

  /** The readers end, the writers go on: the log goes back to its limit by itself, nothing is lost, and the file is sound. */
  private async endPhase(signal: 'SIGTERM' | 'SIGKILL', when: string): Promise<void> {
    const { others } = this;
    await Promise.all(others.map((actor) => actor.end(signal)));
    this.take();
    this.others = [];
    await this.afterCommits(this.commitsOf(1.5));
    const before = { ...this.count };
    await this.settled(when);
    this.expectNone('warnings', before);
    this.expectNone('refusals', before);
    this.verify(when);
  }

  /** No reader keeps the log, and writers write a multiple of its limit. */
  private async settled(when: string): Promise<void> {
    this.size = { log: 0, files: 0 };
    await this.afterCommits(this.commitsOf(2));
    this.expectSize(when, this.limits.maxWalSizeMb * MIB, this.count.most);
  }

  /**
   * The log is at most one transaction longer than its limit. Its files are longer by four segments at most: the first one is needed in
   * part only, the last one has blocks ahead of its end, which may just have moved on to another, and one file is kept for reuse. A
   * reader also keeps the segments that the log had when it began.
   */
  private expectSize(when: string, limit: number, most: Size): void {
    const { log, files } = this.size;
    const segments = this.limits.maxWalSizeMb * MIB * (most === this.count.mostKept ? 2 : 1);
    const allowed = { log: limit + this.slack, files: limit + this.slack + segments };
    if (log > allowed.log || files > allowed.files)
      throw new Error(`${when} the log is too long: ${JSON.stringify({ log, files, allowed })}`);
    if (log === 0 || files === 0) throw new Error(`${when} there is no log`);
    most.log = Math.max(most.log, log);
    most.files = Math.max(most.files, files);
  }

  private expectNone(what: 'warnings' | 'refusals', before: LimitCount): void {
    if (this.count[what] !== before[what]) throw new Error(`${this.count[what] - before[what]} ${what}, expected none`);
  }

  private verify(when: string): void {
    this.take();
    const problems = this.watcher.check();
    if (problems.length > 0) throw new Error(`${when}: ${JSON.stringify(problems)}`);
    this.acknowledged.forEach((least, writer) => {
      const found = this.valueOf(writer);
      if (found < least) throw new Error(`${when}: writer ${writer} acknowledged commit ${least}, ${found} is there`);
    });
  }

  private valueOf(writer: number): number {
    return valueOf(this.watcher.view, this.pages[writer]!);
  }

  // ---- looking on

  /** Lets all writers together acknowledge so many commits more, each of them some. */
  private async afterCommits(commits: number): Promise<void> {
    const before = [...this.acknowledged];
    await this.until('commits', () => {
      const counts = this.acknowledged.map((now, writer) => now - before[writer]!);
      return counts.every((count) => count >= 5) && counts.reduce((a, b) => a + b, 0) >= commits;
    });
  }

  /** @throws Error when a process saw what must not be, or nothing comes of it for a very long time */
  private async until(what: string, reached: () => boolean): Promise<void> {
    for (let looks = 0; !reached(); looks += 1) {
      if (looks > 30_000) throw new Error(`waited in vain for ${what}: ${JSON.stringify(this.count)}`);
      await pause(3);
      this.take();
      this.size.files = Math.max(this.size.files, this.fileBytes());
    }
  }

  /** Bytes of all files of the log: live, sealed, spare. */
  private fileBytes(): number {
    const sizes = new Map<bigint, number>();
    for (const name of readdirSync(this.directory)) {
      if (!name.startsWith(`${FILE}-`) || !name.includes('wal')) continue;
      const found = statSync(join(this.directory, name), { bigint: true, throwIfNoEntry: false });
      if (found !== undefined) sizes.set(found.ino, Number(found.size)); // a file that is renamed meanwhile counts once
    }
    return [...sizes.values()].reduce((a, b) => a + b, 0);
  }

  /** Deals with what the processes have said. */
  private take(): void {
    const { count } = this;
    for (const actor of [...this.writers, ...this.others]) {
      if (actor.problem !== undefined) throw new Error(actor.problem);
      for (const line of actor.lines.splice(0)) {
        const [what, value, bytes] = line.split(' ');
        if (what === 'commit') {
          this.acknowledged[actor.number] = Math.max(this.acknowledged[actor.number]!, Number(value));
          this.size.log = Math.max(this.size.log, Number(bytes));
        } else if (what === 'record') this.longestRecord = Math.max(this.longestRecord, Number(value));
        else if (what === 'full') {
          count.refusals += 1;
          this.refused[actor.number]! += 1;
        } else if (what === 'read') count.reads += 1;
        else if (what === 'checkpoint') count.checkpoints += 1;
        else if (what === 'too-old') count.tooOld += 1;
        else if (what === 'warn') {
          if (value !== 'SOMBRA_LOG_OVER_LIMIT') throw new Error(`${actor.role}: unexpected warning ${value}`);
          count.warnings += 1;
        }
      }
    }
  }
}
