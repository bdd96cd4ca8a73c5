import type { Command } from 'commander';
import type { NodeRecord } from '@sombra/db';
import { findIds, parseCondition } from '../node-selector.ts';
import { addJson, addLimit, addShow, collect, cut, oneMore } from '../options.ts';
import { readDatabase } from '../open-database.ts';
import type { Shell } from '../shell.ts';
import { nodeCard, nodeTable, plural } from '../tables.ts';
import { usageError } from '../usage-error.ts';
import { nodeToJson } from '../values.ts';

interface Options {
  readonly json?: boolean;
  readonly label?: string;
  readonly where: string[];
  readonly limit: number;
  readonly show?: string[];
}

/** `sombra find`: nodes by label and properties. */
export function addFind(program: Command, shell: (json: boolean | undefined) => Shell): void {
  addLimit(addShow(addJson(program.command('find'))))
    .description('find nodes by label and properties')
    .argument('<db>', 'path of the database')
    .option('--label <label>', 'only nodes with this label')
    .option('--where <key=value>', 'only nodes with this property; repeat it for several', collect, [])
    .action((path: string, { json, label, where, limit, show }: Options) => {
      const out = shell(json);
      const conditions = where.map((text) => {
        const condition = parseCondition(text);
        if (condition === undefined)
          throw usageError(`--where ${JSON.stringify(text)} cannot be read: write key=value`);
        return condition;
      });
      const found = readDatabase(path, out, (db) => {
        const nodes: NodeRecord[] = [];
        const most = oneMore(limit);
        for (const id of findIds(db, label, conditions)) {
          if (nodes.push(db.getNode(id)!) >= most) break;
        }
        return nodes;
      });
      const { rows, truncated } = cut(found, limit);
      out.result({ nodes: rows.map(nodeToJson), truncated }, () => {
        if (rows.length === 0) return 'no node found';
        return rows.length === 1 && show === undefined ? nodeCard(out, rows[0]!) : nodeTable(out, rows, show);
      });
      if (truncated) out.note(`only the first ${plural(limit, 'node')}; --limit 0 shows all`);
    });
}
