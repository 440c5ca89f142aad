/** Polynomials over tensors at all points of their outputs, in doubles: exact integers, or reals. */
import { guardVariables } from '../../compiler/ir/indices/guards.ts';
import type { Compare, Polynomial, Term } from '../../compiler/ir/tensor/program.ts';
import { contract } from './contract.ts';
import { guardFunction, type Point } from './indices.ts';
import { maskOf, operandOf, variablesIn, type Operand, type OperandSource } from './operands.ts';
import { EXACT, sizeOf, TooWide } from './values.ts';

/** What a coefficient is multiplied by and how numbers are checked. */
export interface Arithmetic {
  /** Integers, which have to stay below 2^53, or reals. */
  readonly exact: boolean;
  /** The number that a term's coefficient stands for. */
  coefficient(term: Term): number;
}

/**
 * The values of a polynomial, row-major over `outputs`.
 *
 * @throws TooWide in exact arithmetic, where an integer would not be exact as a double
 */
export function evaluatePolynomial(
  p: Polynomial,
  outputs: readonly number[],
  source: OperandSource,
  arithmetic: Arithmetic,
): Float64Array {
  const out = new Float64Array(sizeOf(outputs));
  for (const term of p.terms) {
    const largest = addTerm(out, term, outputs, source, arithmetic);
    // A sum that is rounded is not below 2^53 at the point where it is.
    if (arithmetic.exact && !(largest < EXACT)) throw new TooWide();
  }
  return out;
}

/** Adds a term to the sums; the largest magnitude among the products and the sums it was added to. */
function addTerm(
  out: Float64Array,
  term: Term,
  outputs: readonly number[],
  source: OperandSource,
  { exact, coefficient }: Arithmetic,
): number {
  const sizes = [...outputs, ...term.reduced.map((v) => v.size)];
  const reduced = term.reduced.map((_, k) => outputs.length + k);
  const isReduced = (id: number): boolean => id >= outputs.length;
  const inner = term.guards.filter((g) => [...guardVariables([g])].some(isReduced));
  const outer = term.guards.filter((g) => !inner.includes(g));
  const operands = term.factors.map((f) => operandOf(f, sizes, source));
  const summed = operands.filter((x) => variablesIn(x).some(isReduced));
  const plain = operands.filter((x) => !summed.includes(x));
  if (reduced.length > 0) {
    const masks = inner.map((g) => maskOf([g], sizes, source));
    plain.push(contract([...summed, ...masks], reduced, sizes, exact));
  }
  return accumulate(out, coefficient(term), plain, outputs, outer, source);
}

/** out[point] += factor * the product of the operands there, where the guards hold. */
function accumulate(
  out: Float64Array,
  factor: number,
  operands: readonly Operand[],
  outputs: readonly number[],
  guards: readonly Compare[],
  source: OperandSource,
): number {
  const last = outputs.length - 1;
  const length = last < 0 ? 1 : outputs[last];
  const zeros = new Int32Array(length);
  const tables = operands.map((x) => x.tables.get(last) ?? zeros);
  const arrays = operands.map((x) => x.values);
  const inRow = guards.filter((g) => usesVariable(g, last));
  const rowHolds = guardFunction(
    guards.filter((g) => !inRow.includes(g)),
    source,
  );
  const holds = inRow.length === 0 ? undefined : guardFunction(inRow, source);
  const at: Point = outputs.map(() => 0);
  const starts = new Int32Array(operands.length);
  let largest = 0;
  for (let row = 0; row < out.length; row += length) {
    for (let rest = row / length, k = last - 1; k >= 0; k--) {
      at[k] = rest % outputs[k];
      rest = Math.floor(rest / outputs[k]);
    }
    if (!rowHolds(at)) continue;
    for (const [k, { base, tables: own }] of operands.entries()) {
      let start = base;
      for (const [id, table] of own) if (id < last) start += table[at[id]];
      starts[k] = start;
    }
    largest = Math.max(largest, addRow(out, row, length, factor, arrays, starts, tables, at, last, holds));
  }
  return largest;
}

function addRow(
  out: Float64Array,
  row: number,
  length: number,
  factor: number,
  arrays: readonly ArrayLike<number>[],
  starts: Int32Array,
  tables: readonly Int32Array[],
  at: Point,
  last: number,
  holds: ((at: Point) => boolean) | undefined,
): number {
  let largest = 0;
  const count = arrays.length;
  for (let x = 0; x < length; x++) {
    if (holds !== undefined) {
      at[last] = x;
      if (!holds(at)) continue;
    }
    let product = factor;
    for (let k = 0; k < count; k++) product *= arrays[k][starts[k] + tables[k][x]];
    const sum = out[row + x] + product;
    out[row + x] = sum;
    const size = Math.max(Math.abs(product), Math.abs(sum));
    if (size > largest) largest = size;
  }
  return largest;
}

const usesVariable = (g: Compare, id: number): boolean => guardVariables([g]).has(id);
