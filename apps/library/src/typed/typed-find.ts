/** Finds with the types of a schema. Nothing here exists at run time. */
import type { Figures, Properties, RowQuery } from '@sombra/graph';

type KeyOf<P> = keyof P & string;

/** Rows of a find, without the label or type. `R`: the record that it gives. */
export type RowsOf<R extends { readonly properties: object }> = RowQuery<R>;

/** A row with the selected properties that it has. */
export interface SelectedOf<Id, P, K extends KeyOf<P>> {
  id: Id;
  properties: { [Key in K]?: NonNullable<P[Key]> };
}

type NumberKeyOf<P> = { [K in KeyOf<P>]: NonNullable<P[K]> extends number | bigint ? K : never }[KeyOf<P>];

/** Figures over records with the properties `P`; only numbers add up. */
export interface FiguresOf<P> extends Figures<KeyOf<P>> {
  readonly sum?: readonly NumberKeyOf<P>[] | undefined;
  readonly avg?: readonly NumberKeyOf<P>[] | undefined;
}

type GroupKey<F> = F extends { readonly groupBy: infer G } ? (G extends readonly (infer K)[] ? K : G) : never;
type Some<P, Keys> = { [K in Extract<Keys, KeyOf<P>>]?: NonNullable<P[K]> };
type Totals<Keys, T> = { [K in Extract<Keys, string>]?: T };

/** One group, typed by what was asked for. */
export type GroupOf<P, F> = { group: [GroupKey<F>] extends [never] ? Properties : Some<P, GroupKey<F>> } & (F extends {
  readonly count: true;
}
  ? { count: number }
  : unknown) &
  (F extends { readonly sum: readonly (infer K)[] } ? { sum: Totals<K, number | bigint> } : unknown) &
  (F extends { readonly avg: readonly (infer K)[] } ? { avg: Totals<K, number> } : unknown) &
  (F extends { readonly min: readonly (infer K)[] } ? { min: Some<P, K> } : unknown) &
  (F extends { readonly max: readonly (infer K)[] } ? { max: Some<P, K> } : unknown);
