import { ByteBuffer } from '../byte-buffer.ts';
import { LockRanges } from '../lock-ranges.ts';
import type { FileId, FileKind } from '../vfs.ts';
import { SECTOR } from './crash-policy.ts';
import type { Lost, PendingData } from './crash-policy.ts';
import type { Random } from './random.ts';

/** A write or truncation that no sync covers. Never changed: copies of a disk share it. */
export interface DataOperation extends PendingData {
  /** Place in the order of everything done to the disk. */
  readonly order: number;
  /** bytes of a write, by sectors of the file; null for a truncation */
  readonly bytes: Uint8Array | null;
}

/** How often sectors begin anew in [at, at + length). */
function partsOf(at: number, length: number): number {
  return length === 0 ? 1 : Math.floor((at + length - 1) / SECTOR) - Math.floor(at / SECTOR) + 1;
}

/** The range of part `part` of a write, relative to its first byte. */
function rangeOf({ at, length }: PendingData, part: number): { from: number; to: number } {
  const first = Math.floor(at / SECTOR) * SECTOR;
  const from = Math.max(at, first + part * SECTOR);
  const to = Math.min(at + length, first + (part + 1) * SECTOR);
  return { from: from - at, to: to - at };
}

/** What the blocks of a file that grew held before. */
export type Filler = (at: number, length: number) => Uint8Array;

/** What a file is from its beginning. */
export type InodeHead = Pick<FileId, 'ino' | 'mode' | 'kind' | 'modifiedMs'>;

/** A file or directory apart from its names: what reads see, what is durable, what lies between. */
export class SimInode {
  readonly ino: bigint;
  readonly mode: number;
  readonly kind: FileKind;
  /** Of what reads see. */
  modifiedMs: number;
  nlink = 0;
  readonly locks = new LockRanges();
  /** What reads see. */
  readonly current: ByteBuffer;
  /** What a power loss leaves at least. */
  readonly durable: ByteBuffer;
  /** Every durable byte that was ever there; never cut. */
  readonly former: ByteBuffer;
  pending: DataOperation[] = [];

  constructor(head: InodeHead, durable: Uint8Array = new Uint8Array(0), current = durable, former = durable) {
    this.ino = head.ino;
    this.mode = head.mode;
    this.kind = head.kind;
    this.modifiedMs = head.modifiedMs;
    this.durable = new ByteBuffer(durable);
    this.current = new ByteBuffer(current);
    this.former = new ByteBuffer(former);
  }

  write(bytes: Uint8Array, at: number, order: number, path: string): void {
    if (bytes.length === 0) return;
    this.current.write(bytes, at);
    this.pending.push({
      kind: 'write',
      path,
      at,
      length: bytes.length,
      parts: partsOf(at, bytes.length),
      order,
      bytes: bytes.slice(),
    });
  }

  truncate(size: number, order: number, path: string): void {
    this.current.truncate(size);
    this.pending.push({ kind: 'truncate', path, at: size, length: 0, parts: 1, order, bytes: null });
  }

  /** Makes operations durable, as far as they still wait; `keep` says which parts. */
  settle(
    operations: readonly DataOperation[],
    keep: (operation: DataOperation, part: number) => boolean = () => true,
  ): void {
    const waiting = new Set(this.pending);
    for (const operation of operations) {
      if (!waiting.has(operation)) continue;
      for (let part = 0; part < operation.parts; part += 1) {
        if (!keep(operation, part)) continue;
        applyPart(this.durable, operation, part);
        if (operation.bytes !== null) applyPart(this.former, operation, part);
      }
    }
    const settled = new Set(operations);
    this.pending = this.pending.filter((operation) => !settled.has(operation));
  }

  /**
   * The file after a power loss.
   * @param survives  for each pending operation, which parts do
   * @param fill      bytes of blocks that the file got, but whose data are lost; null: it did not get them
   */
  afterPowerLoss(survives: ReadonlyMap<DataOperation, readonly boolean[]>, fill: Filler | null): SimInode {
    const content = new ByteBuffer(this.durable.content());
    for (const operation of this.pending) {
      survives.get(operation)!.forEach((survived, part) => {
        if (survived) applyPart(content, operation, part);
        else if (fill !== null) growPart(content, operation, part, fill);
      });
    }
    const bytes = content.content();
    return new SimInode(this, bytes, bytes, this.former.content());
  }

  /** The same file, without its locks. */
  copy(): SimInode {
    const copy = new SimInode(this, this.durable.content(), this.current.content(), this.former.content());
    copy.pending = [...this.pending];
    return copy;
  }
}

function applyPart(content: ByteBuffer, operation: DataOperation, part: number): void {
  if (operation.bytes === null) return content.truncate(operation.at);
  const { from, to } = rangeOf(operation, part);
  content.write(operation.bytes.subarray(from, to), operation.at + from);
}

/** The size of a lost part without its data. */
function growPart(content: ByteBuffer, operation: DataOperation, part: number, fill: Filler): void {
  if (operation.bytes === null) {
    if (operation.at > content.size) content.truncate(operation.at);
    return;
  }
  const { from, to } = rangeOf(operation, part);
  const start = Math.max(operation.at + from, content.size);
  const end = operation.at + to;
  if (end > start) content.write(fill(start, end - start), start);
}

/**
 * Fills blocks as `lost` says.
 * @param former  what the disk held before: of the file itself first, then of others
 */
export function fillerOf(lost: Lost, former: readonly ByteBuffer[], random: Random): Filler | null {
  switch (lost) {
    case 'shrink':
      return null;
    case 'zeros':
      return (_at, length) => new Uint8Array(length);
    case 'noise':
      return (_at, length) => random.bytes(length);
    case 'old':
      return (at, length) => {
        const bytes = new Uint8Array(length);
        const sources = former.filter(({ size }) => size > at);
        if (sources.length > 0) random.pick(sources).read(bytes, at);
        return bytes;
      };
  }
}
