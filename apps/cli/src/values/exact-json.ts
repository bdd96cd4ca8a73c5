/**
 * JSON that is read exactly as written, or refused. JSON.parse changes values silently: 1e400 becomes Infinity, 1e-400 becomes 0, an
 * integer beyond 2^53 loses digits, and of two equal keys the first is dropped.
 */
import { CellError, quote } from './scalar.ts';

/** Levels of lists and objects: the engine takes 32, each of which may be a `$map` within an object, within a row. */
const LEVELS_MAX = 80;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const INTEGER = /^-?\d+$/;
const ZERO = /^-?[0.]+(?:[eE].*)?$/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Reads a JSON document. @throws CellError for invalid JSON, and for values that would change */
export function parseJson(text: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/,? ?(?:\.{3})?".*$/s, '').slice(0, 100);
    throw new CellError(`${quote(text)} is not JSON (${reason})`);
  }
  // Fewer keys than were written: one was dropped.
  if (checkTokens(text) !== countKeys(json))
    throw new CellError(`the key ${repeatedKey(text)} stands twice in an object`);
  return json;
}

/**
 * Checks numbers and nesting of a document that JSON.parse has accepted.
 * @returns the number of keys
 */
function checkTokens(text: string): number {
  let keys = 0;
  let level = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    else if (code === 0x3a) keys += 1;
    else if (code === 0x7b || code === 0x5b) level += 1;
    else if (code === 0x7d || code === 0x5d) level -= 1;
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const [token] = NUMBER.exec(text)!;
      checkNumber(token);
      at += token.length - 1;
    }
    if (level > LEVELS_MAX) throw new CellError('lists and maps are nested more than 32 levels deep');
  }
  return keys;
}

/** Place of the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); ; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
    if (slashes % 2 === 0) return at;
  }
}

function checkNumber(token: string): void {
  const number = Number(token);
  if (!Number.isFinite(number)) throw new CellError(`${quote(token)} is too large for a float`);
  if (number === 0 && !ZERO.test(token)) throw new CellError(`${quote(token)} is too small for a float`);
  if (!Number.isSafeInteger(number) && INTEGER.test(token)) {
    const tag = `{"$integer":"${token.slice(0, 20)}"}`;
    throw new CellError(`the integer ${quote(token)} is beyond 2^53: write ${tag}, or {"$float":"…"}`);
  }
}

function countKeys(json: unknown): number {
  if (typeof json !== 'object' || json === null) return 0;
  let count = 0;
  if (Array.isArray(json)) for (const one of json) count += countKeys(one);
  else {
    const object = json as { readonly [key: string]: unknown };
    for (const key of Object.keys(object)) count += 1 + countKeys(object[key]);
  }
  return count;
}

/** A key that an object has twice, for the message. */
function repeatedKey(text: string): string {
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!;
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    if (character !== '"') continue;
    const end = endOfString(text, at);
    const isKey =
      /^\s*:/.test(text.slice(end + 1, end + 100)) ||
      text
        .slice(end + 1)
        .trimStart()
        .startsWith(':');
    const value = JSON.parse(text.slice(at, end + 1)) as string;
    at = end;
    if (!isKey) continue;
    if (open.at(-1)?.has(value) === true) return quote(value);
    open.at(-1)?.add(value);
  }
  return 'of the object';
}
