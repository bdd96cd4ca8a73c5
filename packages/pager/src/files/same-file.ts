/** P4: is main still the file that was opened, and does nobody else write it? */
import { preadFully, StateError } from '@sombra/vfs';
import type { Engine } from '../connection/engine.ts';
import { readSuperblocks, SUPERBLOCK_AREA_MIN } from '../format/superblock.ts';
import type { Superblock } from '../format/superblock.ts';

/**
 * P4: main is the file under its name, and nobody else wrote its superblock. Leaves the newest slot in `superblock`.
 * @param died  the last holder of WRITE died, and may have left a newer slot
 * @returns the newest slot; after a write that was reported as failed perhaps the one after `superblock`
 * @throws StateError SOMBRA_DATABASE_MOVED; nothing is written any more
 */
export function checkSameFile(engine: Engine, died: boolean): Superblock {
  const { main, vfs, options, fileId } = engine;
  const named = vfs.stat(options.path);
  const area = new Uint8Array(SUPERBLOCK_AREA_MIN);
  const read = preadFully(main, area, 0);
  const { newest } = readSuperblocks(area.subarray(0, read), options.path);
  const { sequence, checkpointLsn, checkpointPages } = engine.shared;
  const same =
    newest.sequence === sequence && newest.checkpointLsn === checkpointLsn && newest.pageCount === checkpointPages;
  // One more: a slot whose write was reported as failed, or whose writer died.
  const next = (died || engine.tenure.unsettled) && newest.sequence === sequence + 1;
  const ours =
    newest.salt === engine.superblock.salt &&
    newest.databaseId.every((byte, at) => byte === engine.superblock.databaseId[at]);
  if (named !== null && named.dev === fileId.dev && named.ino === fileId.ino && ours && (same || next)) {
    if (named.size < checkpointPages * newest.pageSize) refuseMoved(engine);
    if (same || died) engine.superblock = newest;
    return newest;
  }
  return refuseMoved(engine);
}

/** P4: what was written from now on might be written to another file. Reads go on. */
export function refuseMoved(engine: Engine): never {
  const error = new StateError(
    'SOMBRA_DATABASE_MOVED',
    `${engine.options.path} was replaced, moved or written by somebody else while it was open: close it, and open the right file again`,
  );
  engine.health.poison(error, 'own');
  throw error;
}
