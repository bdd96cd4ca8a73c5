/** Text in XML 1.0, which has no way to write some characters. */

/** Characters that no XML document holds, not even as a reference. */
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/;
const ALL_FORBIDDEN = new RegExp(FORBIDDEN, 'g');
const SPECIAL = /[&<>"\t\n\r]/g;
const IN_TEXT: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#13;',
});

/** Can a document hold this text? */
export function isXmlText(text: string): boolean {
  return !FORBIDDEN.test(text);
}

/** The content of an element. A carriage return is a reference, since readers make line feeds of the others. */
export function xmlText(text: string): string {
  return text.replaceAll(SPECIAL, (character) => IN_TEXT[character] ?? character);
}

/** The value of an attribute, within double quotes. White space other than spaces is a reference, since readers make spaces of it. */
export function xmlAttribute(text: string): string {
  return text.replaceAll(SPECIAL, (character) =>
    character === '"' ? '&quot;' : (IN_TEXT[character] ?? reference(character)),
  );
}

function reference(character: string): string {
  return `&#${character.charCodeAt(0)};`;
}

/** A JSON document without characters that XML lacks: they stand in its texts only, where JSON can escape them. */
export function xmlJson(json: string): string {
  return json.replaceAll(ALL_FORBIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
