/** Prints expressions as WGSL: the same trees that the reference device interprets and the WASM generator emits. */
import type { SumcheckPoint } from '../../expression.ts';
import { evaluate, type Expression } from '../../expression.ts';
import type { WgslField } from '../field/field.ts';
import { SMALL_BOUND } from '../field/small.ts';
import { u32 } from '../source.ts';

/** What a table holds: field elements, positions of field elements, or of two that are added, or integers of so many bytes. */
export type TableType = 'fr' | 'indexed' | 'split' | 2 | 4 | 8;

/** The position of a table's descriptor in the arguments, and of that of the elements that its positions are of. */
export interface TableAt {
  readonly d: number;
  readonly entries: number;
}

/** A named value: a field element, or a 32-bit integer with a bound of its absolute value. */
export type Operand =
  | { readonly kind: 'fr'; readonly name: string }
  | { readonly kind: 'small'; readonly name: string; readonly bound: number };

/** Statements of a function body, each value a `let`; equal operations are made once. */
export class Statements {
  readonly lines: string[] = [];
  #known = new Map<string, string>();
  #outside: Map<string, string> | undefined;
  #count = 0;

  let(value: string): string {
    let name = this.#known.get(value);
    if (name === undefined) {
      name = `v${this.#count++}`;
      this.#known.set(value, name);
      this.lines.push(`let ${name} = ${value};`);
    }
    return name;
  }

  /** Begins a block with `lines`: what is made in it is not known after `close`. */
  open(lines: readonly string[]): void {
    this.lines.push(...lines);
    this.#outside = this.#known;
    this.#known = new Map(this.#known);
  }

  /** Ends a block, if one is open, with `lines`. */
  close(lines: readonly string[]): void {
    this.lines.push(...lines);
    this.#known = this.#outside ?? this.#known;
    this.#outside = undefined;
  }

  /** An entry of a table. */
  entry({ d, entries }: TableAt, type: TableType, at: string): Operand {
    if (type === 'split') return { kind: 'fr', name: this.let(`fr_split_at(${u32(d)}, ${u32(entries)}, ${at})`) };
    if (type === 'indexed') return { kind: 'fr', name: this.let(`fr_indexed_at(${u32(d)}, ${u32(entries)}, ${at})`) };
    if (type === 2) return { kind: 'small', name: this.let(`small_at(${u32(d)}, ${at})`), bound: 2 ** 15 };
    const load = type === 'fr' ? 'fr_at' : `fr_int${type}_at`;
    return { kind: 'fr', name: this.let(`${load}(${u32(d)}, ${at})`) };
  }

  /** The operand as a field element. */
  element(a: Operand): string {
    return a.kind === 'fr' ? a.name : this.let(`fr_from_small(${a.name})`);
  }

  sum(op: 'add' | 'sub', a: Operand, b: Operand): Operand {
    if (a.kind === 'small' && b.kind === 'small' && a.bound + b.bound <= SMALL_BOUND)
      return {
        kind: 'small',
        name: this.let(`${a.name} ${op === 'add' ? '+' : '-'} ${b.name}`),
        bound: a.bound + b.bound,
      };
    return { kind: 'fr', name: this.let(`fr_${op}(${this.element(a)}, ${this.element(b)})`) };
  }

  product(a: Operand, b: Operand): Operand {
    if (a.kind === 'small' && b.kind === 'small') {
      if (a.bound * b.bound <= SMALL_BOUND)
        return { kind: 'small', name: this.let(`${a.name} * ${b.name}`), bound: a.bound * b.bound };
      return { kind: 'fr', name: this.let(`fr_times(${this.element(a)}, ${b.name})`) };
    }
    if (a.kind === 'small') return this.product(b, a);
    const product = b.kind === 'small' ? `fr_times(${a.name}, ${b.name})` : `fr_mul(${a.name}, ${b.name})`;
    return { kind: 'fr', name: this.let(product) };
  }
}

/** The expression's value; `tables` and `constants` are what it reads. */
export const printValue = (
  out: Statements,
  e: Expression,
  tables: readonly Operand[],
  constants: readonly Operand[],
): Operand =>
  evaluate<Operand>(e, {
    table: (i) => tables[i],
    constant: (i) => constants[i],
    add: (a, b) => out.sum('add', a, b),
    sub: (a, b) => out.sum('sub', a, b),
    mul: (a, b) => out.product(a, b),
  });

/** Up to here a multiple of the slope is made by additions. */
const FEW = 8;

/** lo + X (hi - lo), or the slope at infinity. Nearby points share their additions. */
export function valueAt(out: Statements, field: WgslField, lo: Operand, hi: Operand, x: SumcheckPoint): Operand {
  if (x === 0) return lo;
  if (x === 1) return hi;
  const slope = out.sum('sub', hi, lo);
  if (x === 'inf') return slope;
  if (Math.abs(x) > FEW) {
    const scale: Operand = { kind: 'fr', name: out.let(field.literal(BigInt(Math.abs(x)))) };
    return out.sum(x > 0 ? 'add' : 'sub', lo, out.product(scale, slope));
  }
  return x > 0
    ? out.sum('add', valueAt(out, field, lo, hi, x - 1), slope)
    : out.sum('sub', valueAt(out, field, lo, hi, x + 1), slope);
}
