// Records with random entries, and what is compared of them.
import { xxh32 } from '@sombra/vfs';
import type { Random } from '@sombra/vfs/testing';
import { OP_SET, RECORD_COMMIT, RECORD_HEADER_SIZE } from '../../src/index.ts';
import type { RecordBuilder, RecordView } from '../../src/index.ts';

export const PAGE_SIZE = 512;

/** Builds a record: images, deltas, bytes. @param size  bytes that the entries have about */
export function build(builder: RecordBuilder, lsn: number, random: Random, size: number): void {
  builder.begin(RECORD_COMMIT, lsn, 1_700_000_000_000 + lsn, 10 + lsn);
  const wanted = RECORD_HEADER_SIZE + size;
  while (builder.length < wanted) {
    const kind = random.below(3);
    const page = 2 + random.below(1000);
    if (kind === 0 && wanted - builder.length > PAGE_SIZE) builder.addImage(page, random.bytes(PAGE_SIZE + 5), 5);
    else if (kind === 1) {
      builder.beginDelta(page, random.below(lsn));
      for (let count = random.below(4); count > 0; count -= 1) {
        const length = 1 + random.below(40);
        const bytes = random.bytes(length + (length & 1));
        builder.addOps(
          Uint8Array.of(OP_SET, 0, 16 + random.below(200), 0, length - 1, 0, ...bytes),
          0,
          6 + bytes.length,
          1,
        );
      }
      builder.endDelta();
    } else builder.addBytes(random.bytes(1 + random.below(Math.max(1, wanted - builder.length))));
  }
}

/** Stands for a record that was built: its number and entries. */
export function digestOf({ bytes, length, lsn }: RecordBuilder): number {
  return xxh32(bytes, RECORD_HEADER_SIZE, length, lsn);
}

/** The same of a record that was found. */
export function digestOfView(record: RecordView): number {
  const entries: Uint8Array[] = [];
  record.forEachEntry((_page, _kind, _offset, length, bytes, at) => entries.push(bytes.slice(at, at + length)));
  const whole = Buffer.concat(entries);
  return xxh32(whole, 0, whole.length, record.lsn);
}
