/** Property values as text for people, on one line and without control sequences. */
import type { PropertyValue } from '@sombra/db';
import { toJson } from './plain-json.ts';

/** A value for people, on one line. */
export function toText(value: PropertyValue): string {
  const json = toJson(value);
  return oneLine(typeof json === 'string' ? json : JSON.stringify(json));
}

/** Properties for people, `key=value key=value`. */
export function propertiesToText(properties: { readonly [key: string]: PropertyValue }): string {
  return Object.keys(properties)
    .map((key) => `${oneLine(key)}=${toText(properties[key]!)}`)
    .join('  ');
}

/** Text with control characters shown as escapes. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (control) => {
    if (control === '\n') return '\\n';
    if (control === '\t') return '\\t';
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** `oneLine` for each line of a text. */
export function printable(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}
