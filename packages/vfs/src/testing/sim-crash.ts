/** The virtual machine is gone. Not a SombraError, so that no code can take it for an error that it should handle. */
export class SimCrash extends Error {
  /** @param operation  number of the operation before which it happened */
  constructor(operation: number) {
    super(`the simulated machine stopped before operation ${operation}`);
  }

  static {
    this.prototype.name = 'SimCrash';
  }
}
