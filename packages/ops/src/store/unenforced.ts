/**
 * What `put` does with a condition that its place does not enforce. `refuse`: nothing is written, SOMBRA_CONDITION_UNENFORCED.
 * `check-first`: it looks, then writes; two writers at once may both succeed, and the later one wins.
 */
export type UnenforcedConditions = 'refuse' | 'check-first';
