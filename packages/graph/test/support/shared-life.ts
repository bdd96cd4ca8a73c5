// Two or three connections to one graph, of which one meets a fault somewhere. Each step may then fail with a typed error; what must
// hold after that is looked at through each of them, and life goes on.
import { Pager } from '@sombra/pager';
import type { PagerOptions } from '@sombra/pager';
import { MemoryVfs, pwriteFully, SombraError } from '@sombra/vfs';
import { FaultyVfs } from '@sombra/vfs/testing';
import { Graph, type GraphSnapshot } from '../../src/index.ts';
import { compare } from './compare.ts';
import { ModelGraph } from './model.ts';
import { OwnLoop } from './own-loop.ts';
import { ProcessVfs } from './process-vfs.ts';

const PATH = 'g.db';

/** Lock bytes that an idle connection does not hold, as in docs/format/locks.md: RECOVER, WRITE, WAIT. */
const LOCK_BASE = 2 ** 52;
const IDLE_LOCKS = { RECOVER: 0, WRITE: 2, WAIT: 3 };

/** Small pages, the smallest cache, segments of 16 KiB, a checkpoint in the background every 24 KiB of log. */
const TINY: Omit<PagerOptions, 'vfs' | 'path'> = {
  pageSize: 4096,
  cacheSize: 8,
  maxTransactionPages: 64,
  maxWalSizeMb: 0.0625,
  checkpointAfterBytes: 24 * 1024,
  busyTimeoutMs: 20,
};

/** How far the time of day jumps before a step, forwards and back; no duration depends on it. */
const JUMP_MS = 3_600_000;

/** What must not be was found. */
export class WrongAfterFault extends Error {
  static {
    this.prototype.name = 'WrongAfterFault';
  }
}

/** One of the connections. */
export class Connection {
  readonly process: ProcessVfs;
  readonly vfs: FaultyVfs;
  graph: Graph | undefined;
  snapshot: { readonly held: GraphSnapshot; readonly model: ModelGraph } | undefined;

  constructor(disk: MemoryVfs, pid: number) {
    this.process = new ProcessVfs(disk, pid);
    this.vfs = new FaultyVfs(this.process);
  }

  get isOpen(): boolean {
    return this.graph !== undefined && !this.graph.pager.closed;
  }

  /** @throws what opening throws */
  open(): Graph {
    if (!this.isOpen) {
      const pager = Pager.open({ vfs: this.vfs, path: PATH, ...TINY });
      try {
        this.graph = Graph.open(pager);
      } catch (error) {
        pager.close();
        throw error;
      }
    }
    return this.graph!;
  }

  close(): void {
    const { graph } = this;
    this.graph = this.snapshot = undefined;
    graph?.pager.close();
  }
}

/** What a step works with. */
export interface Stage {
  readonly life: SharedLife;
  readonly own: Connection;
  readonly graph: Graph;
}

/** What a life begins with. */
export interface Begun {
  readonly file: Uint8Array;
  readonly model: ModelGraph;
}

/** A step of one connection: 0, 1 or 2. */
export type Step = readonly [by: number, name: string, run: (stage: Stage) => void | Promise<void>];

/** What a life is. */
export interface LifeOptions {
  readonly seed: number;
  readonly steps: readonly Step[];
  /** Two of the connections live in one process. */
  readonly sameProcess: boolean;
  /** The file and the graph that it goes on with; undefined: it begins without a file. */
  readonly before?: Begun | undefined;
}

/** The graph, its model, and the connections that the steps name. */
export class SharedLife {
  readonly env: OwnLoop;
  /** No power fails here, so that nothing need be known of what is durable. */
  private readonly disk: MemoryVfs;
  readonly connections: readonly Connection[];
  private readonly steps: readonly Step[];
  readonly codes: string[] = [];
  poisoned = false;
  /** What is acknowledged, and what may be there besides when a commit is in doubt: each state builds on the one before. */
  model = new ModelGraph();
  private doubtful: ModelGraph[] = [];
  private archiving = false;
  /** The step at work takes several commits, and is not taken back when a later one fails. */
  severalCommits = false;

  constructor({ seed, steps, sameProcess, before }: LifeOptions) {
    this.steps = steps;
    this.env = new OwnLoop({ seed });
    this.disk = new MemoryVfs({ env: this.env });
    if (before !== undefined) {
      this.model = before.model;
      const file = this.disk.open(PATH, { write: true, create: true });
      pwriteFully(file, before.file, 0);
      file.close();
    }
    const count = 1 + Math.max(1, ...steps.map(([by]) => by));
    const processes = [201, sameProcess ? 201 : 202, 202].slice(0, count);
    this.connections = processes.map((pid) => new Connection(this.disk, pid));
  }

  /** The newest state that was attempted. */
  get newest(): ModelGraph {
    return this.doubtful.at(-1) ?? this.model;
  }

  /** A commit is about to be tried, on top of the newest one. */
  attempt(change: (draft: ModelGraph) => void): void {
    const draft = this.newest.copy();
    change(draft);
    this.doubtful.push(draft);
  }

  /** The oldest attempt is acknowledged. */
  acknowledged(): void {
    this.model = this.doubtful.shift()!;
    this.severalCommits = false;
  }

  /** What was attempted and refused is not there; of several commits the first may be. */
  private refuse(): void {
    const [first] = this.doubtful;
    const { graph } = this.connections.find(({ isOpen }) => isOpen) ?? {};
    if (this.severalCommits && first !== undefined && graph !== undefined && compare(graph.reader, first).length === 0)
      this.model = first;
    this.doubtful = [];
    this.severalCommits = false;
  }

  /** The file and the graph, once every connection is closed. */
  get begun(): Begun {
    const file = this.disk.open(PATH, { write: false });
    const bytes = new Uint8Array(file.stat().size);
    file.pread(bytes, 0);
    file.close();
    return { file: bytes, model: this.model };
  }

  archive(on: boolean): void {
    this.archiving = on;
  }

  /**
   * Runs the steps.
   * @param victim  the connection whose calls fail: the fault that was added to it ends with the step in which it struck
   * @throws WrongAfterFault
   */
  async run(victim: Connection): Promise<void> {
    const { vfs } = victim;
    let seen = 0;
    for (const [at, [by, name, run]] of this.steps.entries()) {
      const own = this.connections[by]!;
      const where = `step ${at} (${name} by ${by})`;
      this.env.jumpWall(at % 2 === 0 ? JUMP_MS : -2 * JUMP_MS);
      try {
        const stage = { life: this, own, graph: name === 'close' ? own.graph! : own.open() };
        const running = run(stage);
        if (running !== undefined) await this.env.until(running);
      } catch (error) {
        this.note(error, where, vfs.failed.length > seen);
      }
      await this.pause();
      if (vfs.failed.length === seen) continue;
      seen = vfs.failed.length;
      vfs.heal();
      await this.examine(where);
    }
    vfs.heal();
    await this.lookAtTheEnd();
  }

  /** Turns of the event loop and time for timers: implicit views end, tenures too, work in the background comes to its end. */
  async pause(turns = 12): Promise<void> {
    for (let i = 0; i < turns; i += 1) await this.env.turn(3);
  }

  private note(error: unknown, where: string, expected: boolean): void {
    if (!(error instanceof SombraError) || error.code === 'SOMBRA_INVARIANT' || !expected)
      throw new WrongAfterFault(`${where}: ${String(error)}`, { cause: error });
    this.codes.push(error.code);
  }

  /** After a fault, healed: no commit lost or doubled, no lock held, no view pinned; a poisoned database is opened again. */
  private async examine(where: string): Promise<void> {
    await this.pause();
    if (this.connections.some(({ graph, isOpen }) => isOpen && graph!.pager.poisoned)) await this.cure(where);
    else this.refuse();
    for (const own of this.connections)
      if (!own.isOpen && own.process.openFiles.size > 0)
        throw new WrongAfterFault(`${where}: descriptors of a closed connection are open`);
    for (const own of this.connections) own.open();
    for (const [i, own] of this.connections.entries()) {
      expectNone(`${where}: connection ${i}`, compare(own.graph!.reader, this.model));
      if (own.snapshot !== undefined) this.compareSnapshot(own, `${where}: connection ${i}`);
    }
    await this.pause();
    await this.expectFree(where);
  }

  private compareSnapshot(own: Connection, where: string): void {
    const { held, model } = own.snapshot!;
    expectNone(`${where}: snapshot`, compare(held, model));
  }

  /** Idle connections hold no lock, and keep no view but their snapshots. */
  private async expectFree(where: string): Promise<void> {
    for (const [i, own] of this.connections.entries()) {
      const { pager } = own.graph!;
      const marks = pager.readers();
      const held = this.connections.filter((other) => other !== own && other.snapshot !== undefined);
      if (marks.length !== held.length)
        throw new WrongAfterFault(`${where}: ${marks.length} readers are marked, ${held.length} snapshots are held`);
      if (pager.inTransaction) throw new WrongAfterFault(`${where}: connection ${i} is still in a transaction`);
      own.graph!.begin(0).rollback();
      await this.pause(2);
    }
    this.expectUnlocked(where);
  }

  private expectUnlocked(where: string): void {
    const file = this.disk.open(PATH, { write: true });
    for (const [name, byte] of Object.entries(IDLE_LOCKS)) {
      if (!file.tryLock(LOCK_BASE + byte, 1, 'exclusive')) throw new WrongAfterFault(`${where}: ${name} is locked`);
    }
    file.close();
  }

  /** Closes everything, opens it again, and takes what is found for what is there. */
  private async cure(where: string): Promise<void> {
    this.poisoned = true;
    for (const own of this.connections) own.close();
    await this.pause();
    for (const own of this.connections) own.open();
    const { reader } = this.connections[0]!.graph!;
    const found = [this.model, ...this.doubtful].find((state) => compare(reader, state).length === 0);
    if (found === undefined)
      throw new WrongAfterFault(
        `${where}: ${compare(reader, this.model).slice(0, 3).join('; ')} and no commit in doubt`,
      );
    this.model = found;
    this.doubtful = [];
  }

  /** The file is whole, and nothing is left beside it. */
  private async lookAtTheEnd(): Promise<void> {
    const [, second] = this.connections as [Connection, Connection];
    if (this.archiving) second.open().pager.endArchive();
    for (const own of this.connections) own.close();
    await this.pause();
    for (const own of this.connections)
      if (own.process.openFiles.size > 0) throw new WrongAfterFault('descriptors are left open at the end');
    expectNone(
      'left over',
      this.disk.list('.').filter((name) => name !== PATH),
    );
    const last = second.open();
    expectNone('opened again', [...compare(last.reader, this.model), ...last.verifyIntegrity().errors]);
    second.close();
  }
}

function expectNone(where: string, wrong: readonly string[]): void {
  if (wrong.length > 0) throw new WrongAfterFault(`${where}: ${wrong.slice(0, 3).join('; ')}`);
}
