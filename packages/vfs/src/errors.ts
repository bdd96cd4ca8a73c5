/**
 * Errors of every package. The code is the contract: it starts with SOMBRA_ and is stable within a major version, while
 * messages say what was found and what to do next, and may improve. Compare `code`, not `instanceof`: two copies of a
 * package may be installed.
 */

/** More about an error. */
export interface ErrorOptions {
  readonly cause?: unknown;
  /** Figures and names for programs, as plain data. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** An error that a caller can cause or has to handle. */
export class SombraError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  static {
    this.prototype.name = 'SombraError';
  }
}

/** Bytes on disk are not what was written: stop, check, restore a backup. */
export class CorruptionError extends SombraError {
  static {
    this.prototype.name = 'CorruptionError';
  }
}

/** The system refused: try again, free space, or ask the holder that the message names. */
export class IoError extends SombraError {
  static {
    this.prototype.name = 'IoError';
  }
}

/** A sync failed, or a write could not be taken back: nothing is written until the database has been opened again. */
export class PoisonedError extends SombraError {
  static {
    this.prototype.name = 'PoisonedError';
  }
}

/** A transaction ended otherwise than by its commit. Often, trying again helps. */
export class TransactionError extends SombraError {
  static {
    this.prototype.name = 'TransactionError';
  }
}

/** The call came at the wrong time. */
export class StateError extends SombraError {
  static {
    this.prototype.name = 'StateError';
  }
}

/** The caller's data or options are not acceptable. */
export class DataError extends SombraError {
  static {
    this.prototype.name = 'DataError';
  }
}

/** A bug of Sombra: what its code guarantees did not hold. */
export class InvariantError extends SombraError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('SOMBRA_INVARIANT', `${message} (a bug of Sombra: please report it)`, options);
  }

  static {
    this.prototype.name = 'InvariantError';
  }
}
