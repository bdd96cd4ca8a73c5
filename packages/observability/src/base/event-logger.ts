/** Writes an event: its fields, and a line for people. */
export type LogEvent = (fields: object, message: string) => void;

/** What events are logged to. A logger of pino is one, and so is any other whose methods take fields before a message. */
export interface EventLogger {
  readonly error: LogEvent;
  readonly warn: LogEvent;
  readonly info: LogEvent;
  readonly debug: LogEvent;
  readonly trace: LogEvent;
  /** Would this level be written? Without it every level is taken to be. */
  isLevelEnabled?(level: string): boolean;
}
