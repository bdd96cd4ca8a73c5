/** Characters that are put together before they are written. */
const CHUNK = 64 * 1024;

/** Puts small texts together for whatever takes an export. */
export class TextWriter {
  private readonly write: (text: string) => Promise<void> | void;
  private text = '';

  /** @param write  takes text; what it returns is waited for */
  constructor(write: (text: string) => Promise<void> | void) {
    this.write = write;
  }

  /** Adds a text. Await it only when it gives a promise: most texts are kept for later. */
  add(text: string): Promise<void> | void {
    this.text += text;
    return this.text.length > CHUNK ? this.end() : undefined;
  }

  /** Writes what is left. */
  async end(): Promise<void> {
    const { text } = this;
    this.text = '';
    await this.write(text);
  }
}
