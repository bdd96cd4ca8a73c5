/** Compression of streams of bytes, by what Node has. */
import * as zlib from 'node:zlib';
import { pipeline } from 'node:stream';
import type { Transform } from 'node:stream';
import { DataError } from '@sombra/vfs';
import { COMPRESSIONS } from './names.ts';
import type { Compression } from './names.ts';

/** There since Node 22.15. */
interface Zstd {
  readonly createZstdCompress?: () => Transform;
  readonly createZstdDecompress?: () => Transform;
}
const { createZstdCompress, createZstdDecompress } = zlib as Zstd;

/** What was to be unpacked is no such thing, or is cut short. */
export class PackingError extends Error {}

/** @throws DataError SOMBRA_OPTION; SOMBRA_COMPRESSION when this runtime does not have it */
export function checkCompression(compression: unknown): asserts compression is Compression {
  if (!COMPRESSIONS.includes(compression as Compression))
    throw new DataError(
      'SOMBRA_OPTION',
      `compression is one of ${COMPRESSIONS.join(', ')}, not ${JSON.stringify(compression)}`,
    );
  if (compression === 'zstd' && createZstdCompress === undefined)
    throw new DataError(
      'SOMBRA_COMPRESSION',
      `Node ${process.versions.node} has no zstd: use Node 22.15 or later, or compression gzip`,
      { details: { compression } },
    );
}

/** The bytes, packed. */
export function pack(bytes: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Uint8Array> {
  checkCompression(compression);
  if (compression === 'none') return bytes;
  return through(bytes, compression === 'gzip' ? zlib.createGzip() : createZstdCompress!());
}

/** The bytes, unpacked. @throws PackingError when they are none of the kind; what `bytes` throws */
export async function* unpack(
  bytes: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, undefined> {
  checkCompression(compression);
  if (compression === 'none') {
    yield* bytes;
    return;
  }
  let failure: unknown;
  const watched = watch(bytes, (error) => (failure = error));
  try {
    yield* through(watched, compression === 'gzip' ? zlib.createGunzip() : createZstdDecompress!());
  } catch (error) {
    if (error === failure || !isPacking(error)) throw error;
    throw new PackingError((error as Error).message, { cause: error });
  }
}

async function* watch(
  bytes: AsyncIterable<Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    failed(error);
    throw error;
  }
}

function isPacking(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_ZSTD|ERR_ZLIB)/.test(code);
}

async function* through(
  bytes: AsyncIterable<Uint8Array>,
  transform: Transform,
): AsyncGenerator<Uint8Array, void, undefined> {
  let ended: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (ended = resolve));
  // What it ends with is what reading throws.
  pipeline(bytes, transform, () => ended());
  try {
    for await (const piece of transform) yield piece as Uint8Array;
  } finally {
    transform.destroy();
    // The source has been told, and has given back what it holds.
    await over;
  }
}
