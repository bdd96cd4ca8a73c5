// Goal: twenty thousand rows go in and out in bounded memory: what grows is the table of ids of an import, nothing with the rows.
// Method: files of so many rows, the built command as a process of its own, its peak memory below what docs/reference/cli.md
// says.
import { it } from 'vitest';
import { temporaryFolder } from './support/files.ts';
import { thereAndBack } from './support/many-rows.ts';

const folder = temporaryFolder();

it('20_000 rows, there and back, by CSV and by JSON Lines', () => thereAndBack(folder, 20_000));
