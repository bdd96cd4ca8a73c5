import { InvalidArgumentError } from 'commander';

/** A number above 0, with a fraction or without. */
export function parsePositive(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('It is a number above 0.');
  return value;
}

/** A number of days, from 0. */
export function parseDays(text: string): number {
  if (!/^\d{1,5}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It is a number of days.');
  return Number(text);
}
