/** Names that fields had in the Rust crate, version 0.2.0, and that still work: each with its name of today. */
import { DataError } from '@sombra/vfs';

export const FORMER_NAMES: ReadonlyMap<string, string> = new Map([
  ['pageCacheSize', 'cacheSize'],
  ['walSyncMode', 'syncMode'],
  ['checksumEnabled', 'checksumMode'],
]);

/**
 * The own fields of a configuration under their names of today, without anything inherited.
 * @throws DataError SOMBRA_CONFIG when a field is given under both of its names
 */
export function underTodaysNames(given: object): Record<string, unknown> {
  const fields = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(given)) {
    const field = FORMER_NAMES.get(name) ?? name;
    if (field !== name && Object.hasOwn(given, field))
      throw new DataError('SOMBRA_CONFIG', `${name} and ${field} are the same: leave ${name} out`, {
        details: { field: name },
      });
    fields[field] = value;
  }
  return fields;
}
