import { join } from 'node:path';
import ts from 'typescript';
import { ROOT, type PackageFile } from './repository.ts';

/** What an entry point gives: values that can be imported, and methods of exported classes and interfaces. */
export interface PublicApi {
  readonly exports: string[];
  readonly methods: string[];
}

const isHidden = (symbol: ts.Symbol): boolean =>
  symbol.getJsDocTags().some(({ name }) => name === 'internal') ||
  (symbol.declarations ?? []).some(
    (declaration) =>
      (ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0,
  );

/** Does the language or Node declare it, as the statics that every Error has? */
const isPlatform = (file: string): boolean => /\/node_modules\/(typescript|@types\/node)\//.test(file);

/** Reads the sources that the packages' exports point at, all in one program. By name of the package. */
export function publicApis(packages: readonly PackageFile[]): Map<string, PublicApi> {
  const entries = packages.map(({ folder, json }) =>
    Object.values(json.exports ?? {}).flatMap((target) => {
      const source = typeof target === 'object' && (target as Record<string, string>)['sombra-source'];
      return source ? [join(ROOT, folder, source)] : [];
    }),
  );
  const { options } = ts.convertCompilerOptionsFromJson(
    ts.readConfigFile(join(ROOT, 'tooling/tsconfig/base.json'), ts.sys.readFile).config.compilerOptions,
    ROOT,
  );
  const program = ts.createProgram(entries.flat(), { ...options, types: ['node'] });
  return new Map(packages.map(({ folder, json }, at) => [json.name, apiOf(program, folder, entries[at]!)]));
}

function apiOf(program: ts.Program, folder: string, entries: readonly string[]): PublicApi {
  const checker = program.getTypeChecker();
  const exports = new Set<string>();
  const methods = new Set<string>();
  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry)!)!;
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const own = symbol.declarations?.some((each) => each.getSourceFile().fileName.includes(`/${folder}/`));
      if (!own || isHidden(symbol)) continue;
      if (symbol.flags & ts.SymbolFlags.Value) exports.add(exported.name);
      if (!(symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) continue;
      const statics = symbol.flags & ts.SymbolFlags.Class ? checker.getTypeOfSymbol(symbol).getProperties() : [];
      for (const member of [...checker.getDeclaredTypeOfSymbol(symbol).getProperties(), ...statics]) {
        if (!(member.flags & ts.SymbolFlags.Method) || member.name.startsWith('__') || isHidden(member)) continue;
        if (member.declarations?.every((each) => isPlatform(each.getSourceFile().fileName))) continue;
        methods.add(member.name);
      }
    }
  }
  return { exports: [...exports].sort(), methods: [...methods].sort() };
}

/** All words that stand in code in a markdown text: fenced blocks and spans. */
export function codeWords(markdown: string): Set<string> {
  const code = [...markdown.matchAll(/```[\s\S]*?```|`[^`\n]+`/g)].map(([text]) => text).join('\n');
  return new Set(code.match(/[A-Za-z_$][\w$]*/g));
}
