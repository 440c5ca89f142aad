/**
 * Index arithmetic over all entries of a shape at once. Most of it is a sum of functions of one index each, so that a table
 * for each index says everything, and an entry costs one addition.
 */
import type { DigitSource } from '../../../compiler/ir/gadget/program.ts';
import { indexFunction } from '../../../compiler/ir/indices/evaluate.ts';
import { summands } from '../../../compiler/ir/indices/summands.ts';
import type { IndexExpr } from '../../../compiler/ir/tensor/program.ts';

/** base + the sum over v of tables[v][index v]; a table that is not there is 0. */
export interface Additive {
  readonly base: number;
  readonly tables: readonly (Float64Array | undefined)[];
}

/** An expression over the indices of a shape as such a sum, where it is one. */
export function additive(e: IndexExpr, shape: readonly number[]): Additive | undefined {
  const terms = summands(e);
  if (!terms) return undefined;
  const index = shape.map(() => 0);
  const tables = shape.map((): Float64Array | undefined => undefined);
  let base = 0;
  // A stranger's expression may have many terms: each goes into its variable's one table at once.
  for (const { factor, of, variable: v } of terms) {
    const value = indexFunction(of);
    if (v === undefined) {
      base += factor * value(index);
      continue;
    }
    const table = (tables[v] ??= new Float64Array(shape[v]));
    for (let i = 0; i < table.length; i++) {
      index[v] = i;
      table[i] += factor * value(index);
    }
    index[v] = 0;
  }
  return { base, tables };
}

/** An index that is made of digits, most significant first. */
export function digitIndex(digits: readonly DigitSource[], shape: readonly number[]): Additive {
  let base = 0;
  const tables = shape.map((n): Float64Array | undefined => (n === 0 ? new Float64Array(0) : undefined));
  for (const [k, d] of digits.entries()) {
    const weight = 2 ** (digits.length - 1 - k);
    if (typeof d === 'number') {
      base += d * weight;
      continue;
    }
    const table = (tables[d.variable] ??= new Float64Array(shape[d.variable]));
    for (let i = 0; i < table.length; i++) table[i] += weight * ((i >> d.bit) & 1);
  }
  return { base, tables };
}

export const sumOf = (terms: readonly Additive[], by: readonly number[]): Additive => {
  const tables: (Float64Array | undefined)[] = [];
  let base = 0;
  for (const [k, term] of terms.entries()) {
    base += by[k] * term.base;
    for (const [v, table] of term.tables.entries()) {
      if (!table) continue;
      const sum = (tables[v] ??= new Float64Array(table.length));
      for (let i = 0; i < sum.length; i++) sum[i] += by[k] * table[i];
    }
  }
  return { base, tables };
};

/** A bound on the absolute value of every partial sum. */
export const reach = ({ base, tables }: Additive): number =>
  tables.reduce((n, table) => n + (table?.reduce((m, v) => Math.max(m, Math.abs(v)), 0) ?? 0), Math.abs(base));

/** Whether it is in [0, size) at every index. */
export function isInside({ base, tables }: Additive, size: number): boolean {
  let [least, most] = [base, base];
  for (const table of tables) {
    if (!table) continue;
    least += table.reduce((m, v) => Math.min(m, v), Infinity);
    most += table.reduce((m, v) => Math.max(m, v), -Infinity);
  }
  return least >= 0 && most < size;
}

/** At every entry of the shape, row-major. */
export function expand({ base, tables }: Additive, shape: readonly number[]): Float64Array {
  let values = Float64Array.of(base);
  for (const [v, length] of shape.entries()) {
    const table = tables[v];
    const next = new Float64Array(values.length * length);
    for (let k = 0, n = 0; k < values.length; k++) {
      const first = values[k];
      if (table) for (let i = 0; i < length; i++) next[n++] = first + table[i];
      else for (let i = 0; i < length; i++) next[n++] = first;
    }
    values = next;
  }
  return values;
}
