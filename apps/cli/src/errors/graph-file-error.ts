/** Codes of what can be wrong with a file that holds a whole graph: GraphML, GEXF, graphology. */
export type GraphFileCode = 'SOMBRA_GRAPH_FILE_SYNTAX' | 'SOMBRA_GRAPH_FILE_VALUE' | 'SOMBRA_GRAPH_FILE_UNSUPPORTED';

/** A problem with such a file, before its place is known. */
export class GraphFileError extends Error {
  readonly code: GraphFileCode;
  /** Where it is, unless that is where the reader stands. */
  readonly line: number | undefined;

  constructor(code: GraphFileCode, message: string, line?: number) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

/** What is not as the format says. */
export function syntaxProblem(message: string, line?: number): GraphFileError {
  return new GraphFileError('SOMBRA_GRAPH_FILE_SYNTAX', message, line);
}

/** What the format has, and a database cannot keep. */
export function unsupportedProblem(message: string): GraphFileError {
  return new GraphFileError('SOMBRA_GRAPH_FILE_UNSUPPORTED', message);
}
