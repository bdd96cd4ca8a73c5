// A child process that plays a role beside others, and says line by line on standard output what it did.
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process that plays a role; what it says. */
export class Actor {
  readonly role: string;
  readonly number: number;
  readonly process: ChildProcess;
  /** What it said; whoever has dealt with a line removes it. */
  readonly lines: string[] = [];
  readonly ended: Promise<unknown>;
  private complaints = '';
  private rest = '';

  /**
   * @param script  beside this file
   * @param role    its first argument
   * @param number  tells it from others of its role
   */
  constructor(script: string, role: string, number: number, args: readonly string[]) {
    this.role = role;
    this.number = number;
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.process = spawn(process.execPath, [path, role, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr!.setEncoding('utf8').on('data', (part: string) => (this.complaints += part));
    this.process.stdout!.setEncoding('utf8').on('data', (part: string) => {
      const lines = (this.rest + part).split('\n');
      this.rest = lines.pop()!;
      this.lines.push(...lines);
    });
    this.ended = once(this.process, 'close');
  }

  /** What it saw that must not be; undefined when nothing. */
  get problem(): string | undefined {
    const { exitCode } = this.process;
    const line = this.lines.find((text) => text.startsWith('BROKEN'));
    if (line !== undefined || (exitCode !== null && exitCode !== 0))
      return `${this.role}: ${line ?? ''} ${this.complaints}`;
    return undefined;
  }

  async says(text: string): Promise<void> {
    while (!this.lines.includes(text)) {
      if (this.problem !== undefined) throw new Error(this.problem);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Ends it, and waits until it has ended. @param signal  SIGTERM lets it close */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.process.kill(signal);
    await this.ended;
  }
}
