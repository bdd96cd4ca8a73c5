/** The values that a whole key of a property index stands for, for messages about keys whose records are not at hand. */
import { decodeText } from '@sombra/vfs';
import type { PropertyValue } from '../model/types.ts';
import { COMPONENT, CONTENT_END, CONTENT_ZERO, NUMBER_SIZE, REMAINDER_SIZE } from './index-key.ts';

/** What is taken from the remainder when a key is written. */
const REMAINDER_ZERO = 0x8000;

/**
 * Reads a key.
 * @param key  without the id
 * @returns undefined when a value was cut, or has no order: then the key does not say it
 */
export function valuesOfKey(key: Uint8Array): PropertyValue[] | undefined {
  const values: PropertyValue[] = [];
  for (let at = 0; at < key.length; ) {
    const kind = key[at]!;
    at += 1;
    switch (kind) {
      case COMPONENT.false:
      case COMPONENT.true:
        values.push(kind === COMPONENT.true);
        break;
      case COMPONENT.number:
        values.push(numberAt(key, at));
        at += NUMBER_SIZE + REMAINDER_SIZE;
        break;
      case COMPONENT.date:
        values.push(new Date(doubleAt(key, at)));
        at += NUMBER_SIZE;
        break;
      case COMPONENT.text:
      case COMPONENT.bytes: {
        const content: number[] = [];
        while (key[at] !== 0 || key[at + 1] === CONTENT_ZERO) {
          content.push(key[at]!);
          at += key[at] === 0 ? 2 : 1;
        }
        if (key[at + 1] !== CONTENT_END) return undefined;
        at += 2;
        const bytes = Uint8Array.from(content);
        values.push(kind === COMPONENT.text ? decodeText(bytes, 0, bytes.length) : bytes);
        break;
      }
      default:
        return undefined;
    }
  }
  return values;
}

function numberAt(key: Uint8Array, at: number): number | bigint {
  const rounded = doubleAt(key, at);
  const remainder = key[at + NUMBER_SIZE]! * 256 + key[at + NUMBER_SIZE + 1]! - REMAINDER_ZERO;
  return remainder === 0 ? rounded : BigInt(rounded) + BigInt(remainder);
}

function doubleAt(key: Uint8Array, at: number): number {
  const bytes = new DataView(new ArrayBuffer(NUMBER_SIZE));
  const flip = key[at]! >= 0x80 ? 0 : 0xff;
  for (let i = 0; i < NUMBER_SIZE; i += 1) bytes.setUint8(i, key[at + i]! ^ flip);
  bytes.setUint8(0, flip === 0 ? key[at]! ^ 0x80 : key[at]! ^ 0xff);
  return bytes.getFloat64(0, false);
}
