/** The properties of all nodes, or all edges, with their types, learnt from a first reading; formats of XML declare them before the graph. */
import type { Properties } from '@sombra/db';
import { DataError } from '@sombra/vfs';
import { quote } from '../values/scalar.ts';
import { isXmlText } from './escape.ts';
import type { XmlType } from './xml-kinds.ts';
import { addXmlKinds, xmlKindsOf, xmlTypeOf } from './xml-kinds.ts';

const WIDE = xmlKindsOf(2n ** 60n);

/** A property. */
export interface LearnedKey {
  /** Its id in the document. */
  readonly id: string;
  readonly name: string;
  readonly type: XmlType;
  /** Are there integers beyond 2^53? */
  readonly wide: boolean;
}

/** Properties by name. */
export class LearnedKeys {
  private readonly kinds = new Map<string, number>();
  private keys: Map<string, LearnedKey> | undefined;
  private readonly prefix: string;
  private readonly format: string;

  /** @param prefix  of the ids in the document @param format  for messages */
  constructor(prefix: string, format: string) {
    this.prefix = prefix;
    this.format = format;
  }

  /** Takes up the properties of a row. @throws DataError SOMBRA_EXPORT_VALUE for a key that XML cannot hold */
  learn(properties: Properties, what: string): void {
    for (const name of Object.keys(properties)) {
      const before = this.kinds.get(name);
      if (before === undefined) checkXmlName(name, 'the key', what, this.format);
      this.kinds.set(name, addXmlKinds(before, xmlKindsOf(properties[name]!)));
    }
  }

  /** All of them, when everything has been learnt. */
  all(): ReadonlyMap<string, LearnedKey> {
    this.keys ??= new Map(
      [...this.kinds].map(([name, kinds], at) => [name, keyOf(`${this.prefix}${at}`, name, kinds)]),
    );
    return this.keys;
  }
}

function keyOf(id: string, name: string, kinds: number): LearnedKey {
  return { id, name, type: xmlTypeOf(kinds), wide: (kinds & WIDE) !== 0 };
}

/** @throws DataError SOMBRA_EXPORT_VALUE when no document can hold the name of a key or a type */
export function checkXmlName(name: string, role: string, what: string, format: string): void {
  if (isXmlText(name)) return;
  const message = `${what}: ${role} ${quote(name)} holds a control character, which XML has no way to write: export as csv or jsonl`;
  throw new DataError('SOMBRA_EXPORT_VALUE', message, { details: { format, what } });
}
