import { sombra } from './cli.ts';
import { writeCsv } from './files.ts';

/** The files of a small graph with every kind of column, in the style of neo4j-admin. */
export function socialFiles(folder: string): { nodes: string[]; edges: string[] } {
  const persons = writeCsv(
    folder,
    'persons.csv',
    'id:ID(P),name,born:date,height:float,known:boolean,tags:string[],:LABEL\n' +
      'p1,Ada,1815-12-10,1.65,true,math;poetry,Author\n' +
      'p2,Charles,1791-12-26,,true,,\n' +
      'p3,"Mary ""M."" Somerville",,,,science,Author;Translator\n',
  );
  const cities = writeCsv(
    folder,
    'cities.csv.gz',
    'name:ID(C),people:long,since:datetime,stamp:bytes\nLondon,9007199254740993,1800-01-01T12:00:00Z,AAEC\n',
  );
  const knows = writeCsv(
    folder,
    'knows.csv',
    ':START_ID(P),:END_ID(P),:TYPE,since:int\np1,p2,KNOWS,1833\np3,p1,TAUGHT,1834\np1,p1,KNOWS,\n',
  );
  const lives = writeCsv(folder, 'lives.csv', ':START_ID(P),:END_ID(C),years:int[]\np1,London,1815;1852\np2,London,\n');
  return { nodes: [`Person=${persons}`, `City=${cities}`], edges: [knows, `LIVES_IN=${lives}`] };
}

/** Imports the small graph. */
export async function importSocial(folder: string, database: string): Promise<void> {
  const { nodes, edges } = socialFiles(folder);
  const { code, stderr } = await sombra(['import', database, '--nodes', ...nodes, '--edges', ...edges]);
  if (code !== 0) throw new Error(stderr);
}
