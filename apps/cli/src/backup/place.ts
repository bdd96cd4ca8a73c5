/** The place of backups, and of the archive of the log, as the commands name it. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { openBackups, openLogArchive } from '@sombra/ops';
import type { Backups, LogArchive, ObjectStoreOptions, S3Options } from '@sombra/ops';
import { usageError } from '../errors/usage-error.ts';

/** Options that say how a place is reached. */
export interface PlaceOptions {
  readonly s3Endpoint?: string;
  readonly checkFirst?: boolean;
  /** Of what is written to S3. */
  readonly storageClass?: string;
}

/** `--s3-endpoint`, and for commands that write `--check-first`. */
export function addPlaceOptions(command: Command, writes: boolean): Command {
  command.option('--s3-endpoint <url>', 'another server that speaks the protocol of S3');
  if (writes)
    command.addOption(
      new Option(
        '--check-first',
        'go on where the place cannot keep two runs at once apart: be sure that there is only one',
      ),
    );
  return command;
}

/** Opens it, hands it to `work`, closes it. @throws DataError SOMBRA_USAGE, SOMBRA_STORE_URL; what `work` throws */
export async function withBackups<T>(
  place: string,
  options: PlaceOptions,
  work: (backups: Backups) => Promise<T>,
): Promise<T> {
  return await closing(await openBackups(place, storeOptions(place, options)), work);
}

/** The same for the archive of the log in a place. */
export async function withArchive<T>(
  place: string,
  options: PlaceOptions,
  work: (archive: LogArchive) => Promise<T>,
): Promise<T> {
  return await closing(await openLogArchive(place, storeOptions(place, options)), work);
}

async function closing<P extends { close(): void }, T>(opened: P, work: (opened: P) => Promise<T>): Promise<T> {
  try {
    return await work(opened);
  } finally {
    opened.close();
  }
}

function storeOptions(place: string, { s3Endpoint, checkFirst, storageClass }: PlaceOptions): ObjectStoreOptions {
  const isS3 = /^s3:/i.test(place);
  for (const [flag, value] of Object.entries({ '--s3-endpoint': s3Endpoint, '--storage-class': storageClass })) {
    if (value !== undefined && !isS3) throw usageError(`${flag} is for places that begin with s3://`);
  }
  const s3: S3Options = {
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
  return { ...(isS3 ? { s3 } : {}), ...(checkFirst === true ? { unenforcedConditions: 'check-first' } : {}) };
}
