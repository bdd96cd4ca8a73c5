/** Errors that say what became of an object. */
import { StateError } from '@sombra/vfs';

export function objectMissing(location: string, key: string): StateError {
  return new StateError('SOMBRA_OBJECT_MISSING', `there is no object ${key} in ${location}`, {
    details: { location, key },
  });
}

/** `ifAbsent` did not hold. */
export function objectExists(location: string, key: string): StateError {
  return new StateError(
    'SOMBRA_OBJECT_EXISTS',
    `there is an object ${key} in ${location} already: it was left as it is`,
    { details: { location, key } },
  );
}

/** `ifUnchanged` did not hold. */
export function objectChanged(location: string, key: string): StateError {
  return new StateError(
    'SOMBRA_OBJECT_CHANGED',
    `the object ${key} in ${location} is not the one that was expected: somebody else has written or deleted it; read it again`,
    { details: { location, key } },
  );
}

/** A condition that the place would take and ignore. */
export function conditionUnenforced(location: string, condition: 'ifAbsent' | 'ifUnchanged', why: string): StateError {
  return new StateError(
    'SOMBRA_CONDITION_UNENFORCED',
    `${location} does not enforce ${condition}: ${why}, so that two writers at once could both succeed; nothing was written. ` +
      "Use another place, or accept the race with unenforcedConditions: 'check-first'",
    { details: { location, condition } },
  );
}
