/** The files of a database, which a command may neither replace by what it writes nor take for what it reads. */
import { fstatSync, realpathSync, statSync, readdirSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '@sombra/vfs';

/** What follows the name of the main file in those of the others. */
const COMPANION = /^(?:-.+|\.tmp-[0-9a-f]+)$/;

/** Knows the files of one database, by their names and by what they are. */
export class DatabaseFiles {
  private readonly path: string;
  private readonly folder: string;
  private readonly name: string;

  /** @param path  of the database, which need not exist */
  constructor(path: string) {
    this.path = path;
    const main = whole(path);
    this.folder = dirname(main);
    this.name = basename(main);
  }

  /**
   * Refuses a file of the database, under whatever name: another path, a symbolic link, a hard link.
   * @param verb  what was to be done with it: `write`, `read`
   * @throws DataError SOMBRA_SAME_FILE
   */
  refuse(path: string, verb: 'write' | 'read'): void {
    const target = whole(path);
    if (dirname(target) === this.folder && this.has(basename(target))) throw this.refusal(path, verb);
    this.refuseStats(path, statOf(path), verb);
  }

  /** The same for an open stream, where it is a file. @param name  for the message */
  refuseStream(fd: number, name: string, verb: 'write' | 'read'): void {
    this.refuseStats(name, fstatOf(fd), verb);
  }

  private refuseStats(name: string, stats: BigIntStats | undefined, verb: 'write' | 'read'): void {
    if (stats === undefined || !stats.isFile()) return;
    for (const own of this.list()) {
      const { dev, ino } = statOf(own) ?? {};
      if (dev === stats.dev && ino === stats.ino) throw this.refusal(name, verb);
    }
  }

  private has(name: string): boolean {
    return name === this.name || (name.startsWith(this.name) && COMPANION.test(name.slice(this.name.length)));
  }

  private list(): string[] {
    try {
      return readdirSync(this.folder)
        .filter((name) => this.has(name))
        .map((name) => join(this.folder, name));
    } catch {
      return []; // a folder that cannot be read: opening the database says so
    }
  }

  private refusal(path: string, verb: 'write' | 'read'): DataError {
    const what = path === this.path ? 'the database itself' : `a file of the database ${this.path}`;
    return new DataError('SOMBRA_SAME_FILE', `${path} is ${what}: name another file to ${verb}`, {
      details: { file: path, path: this.path },
    });
  }
}

/** The path without symbolic links; of a file that does not exist, that of its folder with its name. */
function whole(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const full = resolve(path);
    const folder = dirname(full);
    return folder === full ? full : join(whole(folder), basename(full));
  }
}

function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return undefined;
  }
}

function fstatOf(fd: number): BigIntStats | undefined {
  try {
    return fstatSync(fd, { bigint: true });
  } catch {
    return undefined; // closed
  }
}
