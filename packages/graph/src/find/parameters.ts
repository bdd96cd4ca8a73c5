/** Values that a prepared find gets when it is run. */
import { DataError } from '@sombra/vfs';
import { describe } from '../model/options.ts';

/** Stands for a value in a prepared find; see `param`. */
export class Parameter {
  readonly name: string;
  /** Tells it from other objects with a name, maps among values for example; never there. */
  declare private readonly isParameter: true;

  /** @internal Use `param`. */
  constructor(name: string) {
    this.name = name;
  }
}

/** Values by the names of parameters. */
export type ParameterValues = Readonly<Record<string, unknown>>;

/**
 * In the place of a value of a prepared find: the value that `all`, `first` and so on are given under this name.
 * @throws DataError SOMBRA_OPTION
 */
export function param(name: string): Parameter {
  if (typeof name === 'string' && name !== '') return new Parameter(name);
  throw new DataError('SOMBRA_OPTION', `param takes the name of a parameter, not ${describe(name)}`);
}

/** Is this a parameter, or a list with one? */
export function hasParameter(given: unknown): boolean {
  return given instanceof Parameter || (Array.isArray(given) && given.some((one) => one instanceof Parameter));
}

/** Adds the names of the parameters in a value to a set. */
export function namesIn(given: unknown, into: Set<string>): void {
  if (given instanceof Parameter) into.add(given.name);
  else if (Array.isArray(given)) for (const one of given) if (one instanceof Parameter) into.add(one.name);
}

/** The value with parameters replaced. @throws DataError SOMBRA_OPTION for one that is not given */
export function resolved(given: unknown, values: ParameterValues): unknown {
  if (given instanceof Parameter) return valueOf(given, values);
  if (!hasParameter(given)) return given;
  return (given as unknown[]).map((one) => (one instanceof Parameter ? valueOf(one, values) : one));
}

function valueOf({ name }: Parameter, values: ParameterValues): unknown {
  if (Object.hasOwn(values, name) && values[name] !== undefined) return values[name];
  throw new DataError('SOMBRA_OPTION', `parameter '${name}' has no value: give it, as in { ${name}: … }`);
}
