/**
 * Takes one JSON object apart while it arrives, so that neither it nor its lists need be in memory: the elements of its lists and its other
 * values are handed out as text, with the line that each begins in. They are read by `parseJson`, which refuses what would change; no
 * streaming parser of npm does, which is why this is here.
 */
import { syntaxProblem } from '../errors/graph-file-error.ts';

/** Longest text in characters: the largest record in base64 and escaped, and then some. */
const TEXT_MAX = 128 * 1024 * 1024;
const OPENING = new Set('{[');
const CLOSING = new Set('}]');

/** A value of the object, or an element of one of its lists. */
export interface JsonPart {
  readonly key: string;
  readonly text: string;
  readonly line: number;
}

/** What comes next. `value` and `element` are handed out; `first` and `next` are places in a list. */
type State =
  | 'object'
  | 'key'
  | 'colon'
  | 'begin'
  | 'value'
  | 'after'
  | 'first'
  | 'next'
  | 'element'
  | 'after-element'
  | 'end';

/** Where and within what the reader is. */
export class JsonSplitter {
  /** The line that is being read, from 1. */
  line = 1;
  private readonly lists: ReadonlySet<string>;
  private state: State = 'object';
  private readonly keys = new Set<string>();
  private key = '';
  /** What has been read of a key, a value or an element; undefined between them. */
  private pieces: string[] | undefined;
  private size = 0;
  private start = 1;
  private nesting = 0;
  private inString = false;
  private escaped = false;
  private parts: JsonPart[] = [];

  /** @param lists  keys whose values are lists */
  constructor(lists: ReadonlySet<string>) {
    this.lists = lists;
  }

  /** Takes text. @returns the parts that end in it @throws GraphFileError SOMBRA_GRAPH_FILE_SYNTAX */
  write(text: string): JsonPart[] {
    let from = 0;
    for (let at = 0; at < text.length; at += 1) {
      const character = text[at]!;
      if (this.pieces === undefined) {
        this.between(character);
        from = at; // a text that began here begins with this character
        if (this.pieces !== undefined && character === '"') this.inString = true;
        else if (this.pieces !== undefined && OPENING.has(character)) this.nesting += 1;
      } else if (this.endsWith(character)) {
        this.keep(text.slice(from, at));
        this.finish();
        if (this.state !== 'colon') this.between(character);
      }
      if (character === '\n') this.line += 1;
    }
    if (this.pieces !== undefined) this.keep(text.slice(from));
    const { parts } = this;
    this.parts = [];
    return parts;
  }

  /** @throws GraphFileError SOMBRA_GRAPH_FILE_SYNTAX when the object is not whole */
  end(): void {
    if (this.state !== 'end') throw syntaxProblem('the file ends before its object does: it is not whole');
  }

  /** A character outside of keys, values and elements. */
  private between(character: string): void {
    if (character === ' ' || character === '\n' || character === '\r' || character === '\t') return;
    switch (this.state) {
      case 'object':
        return this.expect(character, '{', 'key');
      case 'key':
        if (character === '"') return this.begin('key');
        if (character === '}' && this.keys.size === 0) return this.expect(character, '}', 'end');
        return this.expect(character, '"', 'key');
      case 'colon':
        return this.expect(character, ':', 'begin');
      case 'begin':
        if (!this.lists.has(this.key)) return this.begin('value');
        return this.expect(character, '[', 'first');
      case 'first':
      case 'next':
        if (character === ']' && this.state === 'first') return this.expect(character, ']', 'after');
        return this.begin('element');
      case 'after-element':
        if (character === ',') return this.expect(character, ',', 'next');
        return this.expect(character, ']', 'after');
      case 'after':
        if (character === ',') return this.expect(character, ',', 'key');
        return this.expect(character, '}', 'end');
      default:
        throw syntaxProblem(`there is ${JSON.stringify(character)} behind the end of the object`, this.line);
    }
  }

  private expect(character: string, expected: string, state: State): void {
    if (character !== expected)
      throw syntaxProblem(
        `this is not JSON: ${JSON.stringify(character)} stands where ${expected} is expected`,
        this.line,
      );
    this.state = state;
  }

  private begin(state: State): void {
    this.state = state;
    this.pieces = [];
    this.size = 0;
    this.start = this.line;
    this.nesting = 0;
    this.inString = false;
    this.escaped = false;
  }

  /** Takes a character of a key, a value or an element. @returns does the text end before it? */
  private endsWith(character: string): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (character === '\\') this.escaped = true;
      else if (character === '"') {
        this.inString = false;
        return this.state === 'key';
      }
      return false;
    }
    if (character === '"') this.inString = true;
    else if (OPENING.has(character)) this.nesting += 1;
    else if (CLOSING.has(character) && this.nesting > 0) this.nesting -= 1;
    else return this.nesting === 0 && (character === ',' || CLOSING.has(character));
    return false;
  }

  private keep(piece: string): void {
    this.pieces!.push(piece);
    this.size += piece.length;
    if (this.size > TEXT_MAX) throw syntaxProblem(`a value has more than ${TEXT_MAX} characters`, this.start);
  }

  private finish(): void {
    const text = this.pieces!.join('');
    this.pieces = undefined;
    if (this.state === 'key') {
      this.key = readKey(`${text}"`, this.line);
      if (this.keys.has(this.key)) throw syntaxProblem(`the key ${JSON.stringify(this.key)} stands twice`, this.line);
      this.keys.add(this.key);
      this.state = 'colon';
      return;
    }
    this.parts.push({ key: this.key, text, line: this.start });
    this.state = this.state === 'value' ? 'after' : 'after-element';
  }
}

function readKey(text: string, line: number): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw syntaxProblem(`the key ${text.slice(0, 60)} is not JSON`, line);
  }
}
