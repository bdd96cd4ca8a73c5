/** The names and definitions that are left of a damaged dictionary. A name that is lost gets a placeholder that says so. */
import { CorruptionError, decodeUtf8 } from '@sombra/vfs';
import { decodeDefinition, type IndexDefinition } from '../indexes/definition.ts';
import {
  DICTIONARY_KEY_SIZE,
  INDEX_KIND,
  NAME_KIND,
  type NameKind,
  readDictionaryNumber,
} from '../names/dictionary.ts';
import type { RecordNames } from '../records/record-shape.ts';

/** A name that records have, and that is lost. */
export interface LostName {
  readonly kind: 'label' | 'edge type' | 'property key';
  /** Its number in the damaged file. */
  readonly number: number;
  /** What stands in its place. */
  readonly placeholder: string;
}

const WORDS = { 1: 'label', 2: 'edge type', 3: 'property key' } as const;

/** See the top of the file. */
export class SalvagedNames implements RecordNames {
  readonly definitions: IndexDefinition[] = [];
  /** Definitions that are damaged. */
  readonly lostDefinitions: number[] = [];
  private readonly names = { 1: new Map<number, string>(), 2: new Map<number, string>(), 3: new Map<number, string>() };
  private readonly used = new Set<string>();
  private readonly missing = new Map<string, LostName>();

  /** Takes an entry of the dictionary. */
  take(key: Uint8Array, value: Uint8Array | undefined): void {
    if (key.length !== DICTIONARY_KEY_SIZE) return;
    const kind = key[0]!;
    const number = readDictionaryNumber(key);
    if (kind === INDEX_KIND) this.takeDefinition(number, value);
    else if (value !== undefined && (kind === 1 || kind === 2 || kind === 3)) {
      const name = decodeUtf8(value, 0, value.length);
      if (name === undefined) return;
      this.names[kind].set(number, name);
      this.used.add(name);
    }
  }

  /** Names that records have, and that are lost. */
  get lost(): LostName[] {
    return [...this.missing.values()];
  }

  labelName(id: number): string {
    return this.name(NAME_KIND.label, id);
  }

  keyName(id: number): string {
    return this.name(NAME_KIND.propertyKey, id);
  }

  typeName(id: number): string {
    return this.name(NAME_KIND.edgeType, id);
  }

  private name(kind: NameKind, id: number): string {
    const known = this.names[kind].get(id);
    if (known !== undefined) return known;
    const key = `${kind}/${id}`;
    let lost = this.missing.get(key);
    if (lost === undefined) {
      let placeholder = `lost ${WORDS[kind]} ${id}`;
      while (this.used.has(placeholder)) placeholder = `${placeholder}'`;
      this.used.add(placeholder);
      lost = { kind: WORDS[kind], number: id, placeholder };
      this.missing.set(key, lost);
    }
    return lost.placeholder;
  }

  private takeDefinition(number: number, value: Uint8Array | undefined): void {
    try {
      if (value === undefined) this.lostDefinitions.push(number);
      else this.definitions.push(decodeDefinition(number, value));
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.lostDefinitions.push(number);
    }
  }
}
