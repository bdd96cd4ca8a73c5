// Loads the world's air routes into one file and asks it questions. Runs the command line that `pnpm build` has built, and
// shows each command, so that you can repeat it: `node examples/air-routes/demo.js [FOLDER]`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const cli = fileURLToPath(new URL('../../apps/cli/dist/main.js', import.meta.url));
const folder = resolve(process.argv[2] ?? join(here, 'out'));
const database = join(folder, 'air-routes.db');
const data = (name) => short(join(here, 'data', name));

if (!existsSync(cli)) {
  console.error(`${short(cli)} is missing: run npx -y pnpm@10.34.9 demo, which builds it first`);
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
// The files of the last run, also of one that was cut off; nothing else in the folder.
for (const name of readdirSync(folder)) {
  if (/^air-routes\.db(-(\w+-)?\w+|\.tmp-\w+)?$/.test(name)) rmSync(join(folder, name));
}

console.log(`Below, sombra stands for: node ${short(cli)}`);
title('3,504 airports and 50,637 routes, in gzipped CSV files, become one database file');
sombra(
  ['import', short(database)],
  ['--nodes', `Airport=${data('airports.csv.gz')}`],
  [`Country=${data('countries.csv.gz')}`],
  [`Continent=${data('continents.csv.gz')}`],
  [`Version=${data('version.csv.gz')}`],
  ['--edges', `ROUTE=${data('route.csv.gz')}`],
  [`CONTAINS=${data('contains_country.csv.gz')}`],
  [`CONTAINS=${data('contains_continent.csv.gz')}`],
  ['--columns', 'id:int,runways:int,longest:int,elev:int,lat:float,lon:float,dist:int'],
);
title('What is in it?');
sombra(['stats', short(database)]);
title('Which airports have the most routes, those that leave and those that arrive together?');
sombra(
  ['degrees', short(database)],
  ['--label', 'Airport', '--type', 'ROUTE', '--direction', 'both', '--show', 'code,city'],
);
title('How many airports can be reached from Austin, and with how many flights?');
sombra(['bfs', short(database), 'code:AUS'], ['--type', 'ROUTE']);
title('Austin to Sydney with the fewest flights …');
sombra(['path', short(database), 'code:AUS', 'code:SYD'], ['--type', 'ROUTE', '--show', 'code,city']);
title('… and with the fewest miles');
sombra(
  ['path', short(database), 'code:AUS', 'code:SYD'],
  ['--type', 'ROUTE', '--weight', 'dist', '--show', 'code,city'],
);
title('What does it know about Austin?');
sombra(['find', short(database)], ['--label', 'Airport', '--where', 'code=AUS']);
title('Is every page, record and index as it must be?');
sombra(['verify', short(database)]);

console.log(`
The database is ${short(database)} (${(statSync(database).size / 2 ** 20).toFixed(1)} MiB). Try:
  node ${short(cli)} neighbors ${short(database)} code:WLG --type ROUTE --show code,city
  node ${short(cli)} find ${short(database)} --label Airport --where country=NZ --show code,city,elev
  node ${short(cli)} --help
From a program: apps/library/README.md.`);

/** A path as one would type it here. */
function short(path) {
  const name = relative(process.cwd(), path);
  return name.startsWith('..') ? path : name;
}

function title(text) {
  console.log(`\n── ${text}`);
}

/** Shows a command and runs it; ends the demo when it fails. */
function sombra(...parts) {
  const shown = parts.map((part) => part.map(quoted).join(' '));
  console.log(`\n$ sombra ${shown.join(' \\\n    ')}\n`);
  const { status, signal, error } = spawnSync(process.execPath, [cli, ...parts.flat()], { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`the command ended with ${error?.message ?? signal ?? status}`);
  process.exit(status ?? 1);
}

function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
