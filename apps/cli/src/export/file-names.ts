/** Names of the files of a CSV export, from labels and edge types, which may be any text. */

/** Characters of a name. */
const NAME_MAX = 100;

/** Gives names that no file system takes for the same. */
export class FileNames {
  private readonly taken = new Set<string>();
  private readonly ending: string;

  /** @param ending  for example `.csv.gz` */
  constructor(ending: string) {
    this.ending = ending;
  }

  /** `nodes-Person+Author.csv`; without names `nodes.csv`. */
  give(kind: 'nodes' | 'edges', names: readonly string[]): string {
    const words = names.map((name) => name.replaceAll(/[^A-Za-z0-9_-]/g, '_'));
    const stem = [kind, ...(words.length === 0 ? [] : [words.join('+')])].join('-').slice(0, NAME_MAX);
    let name = stem;
    for (let number = 2; this.taken.has(name.toLowerCase()); number += 1) name = `${stem}-${number}`;
    this.taken.add(name.toLowerCase());
    return name + this.ending;
  }
}
