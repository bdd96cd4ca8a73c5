/**
 * Texts without regard to case: each is put into lower case, then into upper case, by the rules of Unicode for no language in
 * particular. So 'ß' and 'SS', 'ς' and 'σ', 'ſ' and 's' are the same; accents stay.
 */
import { decodeText, encodeText } from '@sombra/vfs';
import { KIND, type OrderedValue } from '../values/ordered-value.ts';

/** The text that all texts have in common which differ in case only. */
export function foldText(text: string): string {
  return text.toLowerCase().toUpperCase();
}

/** Makes folded copies of texts that lie in pages. One that is ASCII takes no memory of its own. */
export class TextFolder {
  private bytes = new Uint8Array(64);

  /** Puts the folded text in the place of the value, which must be a text. */
  fold(value: OrderedValue): void {
    const { bytes: from, from: start, size } = value;
    if (this.bytes.length < size) this.bytes = new Uint8Array(size * 2);
    const { bytes } = this;
    for (let i = 0; i < size; i += 1) {
      const byte = from[start + i]!;
      if (byte >= 0x80) {
        const folded = encodeText(foldText(decodeText(from, start, start + size)));
        value.setBytes(KIND.text, folded, 0, folded.length);
        return;
      }
      bytes[i] = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
    }
    value.setBytes(KIND.text, bytes, 0, size);
  }
}
