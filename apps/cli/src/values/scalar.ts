/** From text to a value that is neither list nor map. */
import type { PropertyValue } from '@sombra/db';

export const SCALAR_TYPES = ['string', 'int', 'float', 'boolean', 'bytes', 'date', 'datetime'] as const;
/** Type of one value. */
export type ScalarType = (typeof SCALAR_TYPES)[number];

/** A cell that does not match its column. The message completes a sentence: "… is not an integer". */
export class CellError extends Error {}

const INTEGER = /^[+-]?\d{1,19}$/;
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** Reads one value. @throws CellError */
export function parseScalar(text: string, type: ScalarType): PropertyValue {
  switch (type) {
    case 'string':
      return text;
    case 'int':
      return parseInteger(text);
    case 'float':
      return parseFloatExactly(text);
    case 'boolean':
      return parseBoolean(text);
    case 'bytes':
      return parseBytes(text);
    case 'date':
      return parseDate(text);
    case 'datetime':
      return parseDateTime(text);
  }
}

/** A number when it is safe, else a bigint of 64 bits. */
function parseInteger(text: string): number | bigint {
  if (!INTEGER.test(text)) throw new CellError(`${quote(text)} is not an integer`);
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
  const big = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (big < INT64_MIN || big > INT64_MAX) throw new CellError(`${quote(text)} does not fit into 64 bits`);
  return big;
}

function parseFloatExactly(text: string): number {
  if (DECIMAL.test(text)) {
    const number = Number(text);
    if (!Number.isFinite(number)) throw new CellError(`${quote(text)} is too large for a float`);
    if (number === 0 && /[1-9]/.test(text.split(/e/i)[0]!))
      throw new CellError(`${quote(text)} is too small for a float`);
    return number;
  }
  if (text === 'NaN') return NaN;
  if (text === 'Infinity' || text === '+Infinity') return Infinity;
  if (text === '-Infinity') return -Infinity;
  throw new CellError(`${quote(text)} is not a number`);
}

function parseBoolean(text: string): boolean {
  const lower = text.toLowerCase();
  if (lower === 'true') return true;
  if (lower === 'false') return false;
  throw new CellError(`${quote(text)} is neither true nor false`);
}

function parseBytes(text: string): Uint8Array {
  if (!BASE64.test(text)) throw new CellError(`${quote(text)} is not base64`);
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Midnight UTC. */
function parseDate(text: string): Date {
  const match = DATE.exec(text);
  if (match === null) throw new CellError(`${quote(text)} is not a date, yyyy-mm-dd`);
  return moment(text, match, 0);
}

/** ISO 8601 with date and time; UTC when it names no zone. Milliseconds are kept, finer parts are refused. */
function parseDateTime(text: string): Date {
  const match = DATE_TIME.exec(text);
  if (match === null) throw new CellError(`${quote(text)} is not a date and time, yyyy-mm-ddThh:mm:ss.sssZ`);
  const [, , , , hour, minute, second = '0', fraction = '', zone = 'Z'] = match;
  if (/[1-9]/.test(fraction.slice(3))) throw new CellError(`${quote(text)} is finer than a millisecond`);
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    throw new CellError(`${quote(text)} is no time of day`);
  const ofDay = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + milliseconds;
  return moment(text, match, ofDay - zoneOffset(text, zone));
}

/** Milliseconds that a zone is ahead of UTC. */
function zoneOffset(text: string, zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 18 || minutes > 59) throw new CellError(`${quote(text)} has no such time zone`);
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** Year, month and day of a match, and milliseconds after midnight UTC. */
function moment(text: string, match: RegExpExecArray, milliseconds: number): Date {
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day)
    throw new CellError(`${quote(text)} is no day`);
  return new Date(midnight.getTime() + milliseconds);
}

/** A short form of a cell for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
