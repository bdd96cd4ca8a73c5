import { addJson } from '../shell/options.ts';
import type { Parts } from '../shell/program.ts';
import { readDatabase } from '../database/open-database.ts';
import { count, size, table } from '../shell/tables.ts';
import { oneLine } from '../values/text.ts';

/** `sombra stats`: what a database holds. */
export function addStats({ program, shell }: Parts): void {
  addJson(program.command('stats'))
    .description('what a database holds: nodes by label, edges by type, pages')
    .argument('<db>', 'path of the database')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const out = shell(json);
      const data = await readDatabase(path, out, (db) => {
        const { pager } = db.stats();
        return {
          path,
          nodes: db.nodeCount(),
          edges: db.edgeCount(),
          labels: db.labels().map((label) => ({ label, nodes: db.nodeCount(label) })),
          edgeTypes: db.edgeTypes().map((type) => ({ type, edges: db.edgeCount(type) })),
          propertyKeys: db.propertyKeys(),
          pageSize: pager.pageSize,
          pages: pager.pageCount,
          freePages: pager.freePages,
          bytes: pager.pageCount * pager.pageSize,
          lsn: pager.lsn,
        };
      });
      out.result(data, () =>
        [
          `${data.path}: ${count(data.nodes)} nodes, ${count(data.edges)} edges`,
          `${size(data.bytes)}: ${count(data.pages)} pages of ${count(data.pageSize)} bytes, ${count(data.freePages)} of them free; commit ${count(data.lsn)}`,
          '',
          table(
            out,
            ['label', 'nodes'],
            data.labels.map(({ label, nodes }) => [label, nodes]),
          ),
          '',
          table(
            out,
            ['edge type', 'edges'],
            data.edgeTypes.map(({ type, edges }) => [type, edges]),
          ),
          '',
          `property keys: ${data.propertyKeys.map(oneLine).join(', ') || 'none'}`,
        ].join('\n'),
      );
    });
}
