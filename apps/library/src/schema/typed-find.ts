/** Finds with the types of a schema. Nothing here exists at run time. */
import type { OrderBy, Predicate } from '@sombra/graph';

type KeyOf<P> = keyof P & string;
/** A value that a condition may be without operators: everything but a map. */
type Plain<V> = V extends boolean | number | bigint | string | Uint8Array | Date | readonly unknown[] ? V : never;
type ElementOf<V> = V extends readonly (infer E)[] ? E : V extends string ? string : never;

/** Conditions on a property of type `V`; all that are given must hold. See `PropertyConditions`. */
export interface ConditionsOf<V> {
  readonly eq?: V;
  readonly ne?: V;
  readonly lt?: V;
  readonly le?: V;
  readonly gt?: V;
  readonly ge?: V;
  readonly between?: readonly [V, V];
  readonly in?: readonly V[];
  readonly prefix?: V & string;
  readonly contains?: ElementOf<V>;
  readonly exists?: boolean;
}

/** What records must fulfil. `P`: properties as read, `R`: the record, `Any`: the record without a schema. */
export type WhereOf<P, R, Any> =
  | { readonly [K in KeyOf<P>]?: Plain<NonNullable<P[K]>> | ConditionsOf<NonNullable<P[K]>> }
  | Predicate<Any>
  | ((record: R) => boolean);

type OrderOf<P> = KeyOf<P> | (OrderBy & { readonly key: KeyOf<P> });

/** Rows of a find, without the label or type. */
export interface RowsOf<P, R, Any> {
  readonly where?: WhereOf<P, R, Any> | undefined;
  readonly orderBy?: OrderOf<P> | readonly OrderOf<P>[] | undefined;
  readonly limit?: number | undefined;
  readonly skip?: number | undefined;
}

/** A row with the selected properties that it has. */
export interface SelectedOf<Id, P, K extends KeyOf<P>> {
  id: Id;
  properties: { [Key in K]?: NonNullable<P[Key]> };
}
