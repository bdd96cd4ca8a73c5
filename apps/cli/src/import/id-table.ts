/** Where the ids of the files stand among the imported nodes. */

/** Entries of one Map, which takes 2^24 at most. */
const PART_MAX = 8_000_000;

/** An id in a file. */
export type FileId = string | number;

const NUMBER = /^(?:0|[1-9]\d{0,14})$/;

/** A text as an id. Digits become a number, which takes less memory; no other text becomes the same one. */
export function compactId(text: string): FileId {
  return NUMBER.test(text) ? Number(text) : text;
}

/** The ids of one group, each with the position of its node. */
export class IdGroup {
  private readonly parts: Map<FileId, number>[] = [new Map()];

  /** @returns false when the id is known already; then nothing changes */
  add(id: FileId, position: number): boolean {
    if (this.get(id) !== undefined) return false;
    let part = this.parts.at(-1)!;
    if (part.size >= PART_MAX) this.parts.push((part = new Map()));
    part.set(id, position);
    return true;
  }

  get(id: FileId): number | undefined {
    for (const part of this.parts) {
      const position = part.get(id);
      if (position !== undefined) return position;
    }
    return undefined;
  }
}

/** Groups by name; the group without a name is ''. */
export class IdTable {
  private readonly groups = new Map<string, IdGroup>();

  /** The group of a name, empty when it is new. */
  group(name: string): IdGroup {
    let group = this.groups.get(name);
    if (group === undefined) this.groups.set(name, (group = new IdGroup()));
    return group;
  }
}
