import type { Metrics } from '../../src/index.ts';

/** What one sample of a scrape says, as `name{label="value"}`, and its value. */
export type Samples = ReadonlyMap<string, number>;

/** Reads the text that Prometheus reads. */
export function samplesOf(text: string): Samples {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** A scrape; labels are those of the one database. */
export async function scrape(metrics: Metrics, database: string): Promise<(name: string, labels?: string) => number> {
  const samples = samplesOf(await metrics.text());
  return (name, labels = '') => {
    const value = samples.get(`${name}{database="${database}"${labels === '' ? '' : `,${labels}`}}`);
    if (value === undefined) throw new Error(`no ${name} ${labels} in\n${[...samples.keys()].join('\n')}`);
    return value;
  };
}

/** Names of all families of a scrape, with their types. */
export function familiesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]));
}
