/**
 * Records in the shm file that name the holder of each lock byte, so that SOMBRA_BUSY can name the process to ask. They are
 * information, never a lock: a record that cannot be read, or whose holder died, only costs the message its names.
 * Source: docs/format/locks.md; locks.test.ts compares the tables.
 *
 *   offset  size  field
 *        0     4  magic 'SHLD'
 *        4     4  process id, 0 = unknown
 *        8     8  since, ms
 *       16     1  length of the host name
 *       17   107  host name, UTF-8
 *      124     4  checksum of bytes [0, 124)
 *
 * The record of lock byte n lies at 4096 + n * 128; the first 4096 bytes are reserved for the header of a later format.
 */
import {
  decodeText,
  encodeText,
  preadFully,
  pwriteFully,
  readSafe64,
  readU32,
  writeU32,
  writeU64,
  xxh32,
} from '@sombra/vfs';
import type { Vfs } from '@sombra/vfs';
import { isIoError } from '../base/failure.ts';

export const HOLDER_SIZE = 128;
export const HOLDERS_OFFSET = 4096;
export const HOLDER_MAGIC = 0;
export const HOLDER_PID = HOLDER_MAGIC + 4;
export const HOLDER_SINCE = HOLDER_PID + 4;
export const HOLDER_HOST_LENGTH = HOLDER_SINCE + 8;
export const HOLDER_HOST = HOLDER_HOST_LENGTH + 1;
export const HOLDER_CHECKSUM = HOLDER_SIZE - 4;
const HOST_MAX = HOLDER_CHECKSUM - HOLDER_HOST;
const MAGIC = 0x444c4853;
const SEED = 0x53_48_44_00;

/** The holder of a lock, as it recorded itself. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** ms */
  readonly since: number;
}

/** Name of the shm file. */
export function shmPath(path: string): string {
  return `${path}-shm`;
}

/** Writes a holder's record into 128 bytes. */
export function encodeHolder(holder: Holder): Uint8Array {
  const bytes = new Uint8Array(HOLDER_SIZE);
  writeU32(bytes, HOLDER_MAGIC, MAGIC);
  writeU32(bytes, HOLDER_PID, holder.pid);
  writeU64(bytes, HOLDER_SINCE, holder.since);
  const host = encodeText(holder.host).subarray(0, HOST_MAX);
  bytes[HOLDER_HOST_LENGTH] = host.length;
  bytes.set(host, HOLDER_HOST);
  writeU32(bytes, HOLDER_CHECKSUM, xxh32(bytes, 0, HOLDER_CHECKSUM, SEED));
  return bytes;
}

/** Reads a holder's record; undefined when its bytes are none. */
export function decodeHolder(bytes: Uint8Array): Holder | undefined {
  if (bytes.length < HOLDER_SIZE || readU32(bytes, HOLDER_MAGIC) !== MAGIC) return undefined;
  if (readU32(bytes, HOLDER_CHECKSUM) !== xxh32(bytes, 0, HOLDER_CHECKSUM, SEED)) return undefined;
  const length = Math.min(bytes[HOLDER_HOST_LENGTH]!, HOST_MAX);
  return {
    pid: readU32(bytes, HOLDER_PID),
    since: Math.max(0, readSafe64(bytes, HOLDER_SINCE)),
    host: decodeText(bytes, HOLDER_HOST, HOLDER_HOST + length),
  };
}

/** Records that this process holds a lock byte. A failure does not concern the database and is ignored. */
export function writeHolder(vfs: Vfs, path: string, lock: number): void {
  const record = encodeHolder({ pid: vfs.env.pid, host: vfs.env.host, since: vfs.env.wallTimeMs() });
  try {
    const file = vfs.open(shmPath(path), { write: true, create: true, like: path });
    try {
      pwriteFully(file, record, HOLDERS_OFFSET + lock * HOLDER_SIZE);
    } finally {
      file.close();
    }
  } catch (error) {
    // The record only serves the message of SOMBRA_BUSY.
    if (!isIoError(error)) throw error;
  }
}

/** `writeHolder` where there is a shm file: a file that cannot be opened leaves none behind. */
export function noteHolder(vfs: Vfs, path: string, lock: number): void {
  if (vfs.stat(shmPath(path)) !== null) writeHolder(vfs, path, lock);
}

/** The recorded holder of a lock byte; undefined when there is no readable record. */
export function readHolder(vfs: Vfs, path: string, lock: number): Holder | undefined {
  try {
    const file = vfs.open(shmPath(path), { write: false });
    try {
      const bytes = new Uint8Array(HOLDER_SIZE);
      const read = preadFully(file, bytes, HOLDERS_OFFSET + lock * HOLDER_SIZE);
      return decodeHolder(bytes.subarray(0, read));
    } finally {
      file.close();
    }
  } catch (error) {
    if (!isIoError(error)) throw error;
    return undefined;
  }
}

/** Removes the shm file. Only the exclusive holder of WRITE may call this. */
export function clearHolders(vfs: Vfs, path: string): void {
  try {
    if (vfs.stat(shmPath(path)) !== null) vfs.unlink(shmPath(path));
  } catch (error) {
    // A stale shm file names a process that is gone; nothing trusts it.
    if (!isIoError(error)) throw error;
  }
}
