/** The place of backups, as the commands name it. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { openBackups } from '@sombra/ops';
import type { Backups, ObjectStoreOptions, S3Options } from '@sombra/ops';
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
  { s3Endpoint, checkFirst, storageClass }: PlaceOptions,
  work: (backups: Backups) => Promise<T>,
): Promise<T> {
  const isS3 = /^s3:/i.test(place);
  for (const [flag, value] of Object.entries({ '--s3-endpoint': s3Endpoint, '--storage-class': storageClass })) {
    if (value !== undefined && !isS3) throw usageError(`${flag} is for places that begin with s3://`);
  }
  const s3: S3Options = {
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
  const options: ObjectStoreOptions = {
    ...(isS3 ? { s3 } : {}),
    ...(checkFirst === true ? { unenforcedConditions: 'check-first' } : {}),
  };
  const backups = await openBackups(place, options);
  try {
    return await work(backups);
  } finally {
    backups.close();
  }
}
