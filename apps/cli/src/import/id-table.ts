/** Where the ids of the files stand among the imported nodes. */

/** Entries of one Map, which takes 2^24 at most. */
const PART_MAX = 8_000_000;

/** The ids of one group, each with the position of its node. */
export class IdGroup {
  private readonly parts: Map<string, number>[] = [new Map()];

  /** @returns false when the id is known already; then nothing changes */
  add(id: string, position: number): boolean {
    if (this.get(id) !== undefined) return false;
    let part = this.parts.at(-1)!;
    if (part.size >= PART_MAX) this.parts.push((part = new Map()));
    part.set(id, position);
    return true;
  }

  get(id: string): number | undefined {
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
