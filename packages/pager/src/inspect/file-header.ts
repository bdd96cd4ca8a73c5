/** What the superblock area of a file says, slot by slot, for operators. No lock is taken and nothing is changed. */
import { preadFully, readU32 } from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import {
  decodeSuperblock,
  FORMAT_VERSION,
  SB_VERSION,
  SUPERBLOCK_AREA_MIN,
  SUPERBLOCK_MAGIC,
  SUPERBLOCK_SLOT_DISTANCE,
  SUPERBLOCK_SLOT_SIZE,
} from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';

/** Looks at an area that may be written at this moment, before a slot counts as damaged. */
const LOOKS = 5;
const PAUSE_MS = 2;

/** One slot. */
export interface HeaderSlot {
  /** bytes */
  readonly offset: number;
  /** `empty`: all zeros, as the second slot of a new file. */
  readonly state: 'valid' | 'empty' | 'damaged' | 'newer format';
  /** null unless it is valid */
  readonly superblock: Superblock | null;
}

/** The superblock area of a file. */
export interface FileHeader {
  readonly path: string;
  /** bytes of the file */
  readonly size: number;
  readonly slots: readonly HeaderSlot[];
  /** The slot that counts; null when none is valid. */
  readonly newest: Superblock | null;
}

/**
 * Reads the superblock area.
 * @param path  without symbolic links
 * @throws IoError SOMBRA_IO, SOMBRA_PERMISSION
 */
export function readFileHeader(vfs: Vfs, path: string): FileHeader {
  const file = vfs.open(path, { write: false });
  try {
    for (let look = 1; ; look += 1) {
      const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
      preadFully(file, area, 0);
      const slots = [0, 1].map((slot) => readSlot(area, slot));
      if (look < LOOKS && slots.some(({ state }) => state === 'damaged')) {
        vfs.env.sleep(PAUSE_MS);
        continue;
      }
      let newest: Superblock | null = null;
      for (const { superblock } of slots)
        if (superblock !== null && superblock.sequence > (newest?.sequence ?? -1)) newest = superblock;
      return { path, size: file.stat().size, slots, newest };
    }
  } finally {
    file.close();
  }
}

function readSlot(area: Uint8Array, slot: number): HeaderSlot {
  const offset = slot * SUPERBLOCK_SLOT_DISTANCE;
  const superblock = decodeSuperblock(area, offset);
  if (superblock !== undefined && superblock.sequence % 2 === slot) return { offset, state: 'valid', superblock };
  const bytes = area.subarray(offset, offset + SUPERBLOCK_SLOT_SIZE);
  if (bytes.every((byte) => byte === 0)) return { offset, state: 'empty', superblock: null };
  const version = readU32(bytes, SB_VERSION);
  const isNewer =
    [...SUPERBLOCK_MAGIC].every((letter, at) => bytes[at] === letter.charCodeAt(0)) &&
    version > FORMAT_VERSION &&
    version < 0x10000;
  return { offset, state: isNewer ? 'newer format' : 'damaged', superblock: null };
}
