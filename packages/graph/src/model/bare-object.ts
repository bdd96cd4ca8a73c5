/**
 * Prototype of everything that is decoded into an object with keys from data: frozen, without any text key, itself without
 * a prototype. So `__proto__`, `constructor` and `toString` are ordinary keys, and yet objects keep V8's fast layout, which
 * `Object.create(null)` does not give.
 */
const bare: object = Object.freeze(
  Object.create(null, {
    // Consoles show such an object as a plain one.
    [Symbol.for('nodejs.util.inspect.custom')]: {
      value(this: object): object {
        return { ...this };
      },
    },
  }) as object,
);

/** Makes an empty object of the kind above. */
export const BareObject = function BareObject(this: object) {} as unknown as new () => Record<string, never>;
(BareObject as unknown as { prototype: object }).prototype = bare;

/** Is this prototype that of a plain object: `{}`, `Object.create(null)`, or a decoded one? */
export function isPlainPrototype(prototype: unknown): boolean {
  return prototype === Object.prototype || prototype === null || prototype === bare;
}
