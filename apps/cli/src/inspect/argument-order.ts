/**
 * The order of arguments: `tool VERB DB`, and `tool DB VERB` as version 0.2.0 had it. Whichever of the first two is a verb is the
 * verb; a database whose name is a verb comes second.
 */

/** Arguments with the verb in front. */
export interface OrderedArguments {
  readonly args: readonly string[];
  /** They came in the older order. */
  readonly legacy: boolean;
}

/**
 * Puts the verb in front.
 * @param valued  options that take the argument behind them
 */
export function verbFirst(
  args: readonly string[],
  verbs: ReadonlySet<string>,
  valued: ReadonlySet<string>,
): OrderedArguments {
  const places = operands(args, valued).slice(0, 2);
  const at = places.find((place) => verbs.has(args[place]!));
  if (at === undefined) return { args, legacy: false };
  return { args: [args[at]!, ...args.slice(0, at), ...args.slice(at + 1)], legacy: at !== places[0] };
}

/** Places of arguments that are no options, up to `--`. */
function operands(args: readonly string[], valued: ReadonlySet<string>): number[] {
  const found: number[] = [];
  for (let at = 0; at < args.length && args[at] !== '--'; at += 1) {
    const arg = args[at]!;
    if (!arg.startsWith('-') || arg === '-') found.push(at);
    else if (valued.has(arg)) at += 1;
  }
  return found;
}
