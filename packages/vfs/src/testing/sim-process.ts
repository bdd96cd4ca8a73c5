import type { FileId, OpenMode, Vfs, VfsDirectory, VfsFile } from '../vfs.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimulatedEnv } from './sim-env.ts';

/** A simulated disk as one of several processes sees it: its clocks, its randomness, and its environment says when its syncs end. */
export class SimProcess implements Vfs {
  readonly env: SimulatedEnv;
  private readonly disk: SimDisk;

  constructor(disk: SimDisk, env: SimulatedEnv) {
    this.disk = disk;
    this.env = env;
  }

  get locksAvailable(): boolean {
    return this.disk.locksAvailable;
  }

  open(path: string, mode: OpenMode): VfsFile {
    return this.disk.openFor(this.env, path, mode);
  }

  stat(path: string): FileId | null {
    return this.disk.stat(path);
  }

  link(from: string, to: string): void {
    this.disk.link(from, to);
  }

  rename(from: string, to: string): void {
    this.disk.rename(from, to);
  }

  unlink(path: string): void {
    this.disk.unlink(path);
  }

  mkdir(path: string): void {
    this.disk.mkdir(path);
  }

  list(directory: string): string[] {
    return this.disk.list(directory);
  }

  openDirectory(directory: string): VfsDirectory {
    return this.disk.openDirectory(directory);
  }

  syncDir(directory: string): void {
    this.disk.syncDir(directory);
  }

  realpath(path: string): string {
    return this.disk.realpath(path);
  }

  isNetwork(path: string): boolean {
    return this.disk.isNetwork(path);
  }
}
