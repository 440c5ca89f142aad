/** Prints expressions as WGSL: the same trees that the reference device interprets and the WASM generator emits. */
import type { SumcheckPoint } from '../../device/device.ts';
import { evaluate, type Expression } from '../../device/expression.ts';
import type { WgslField } from './field.ts';

/** Statements of a function body, each value a `let`; equal operations are made once. */
export class Statements {
  readonly lines: string[] = [];
  readonly #known = new Map<string, string>();

  /** The name of `fr_op(a, b)`. */
  apply(op: 'add' | 'sub' | 'mul', a: string, b: string): string {
    return this.let(`fr_${op}(${a}, ${b})`);
  }

  let(value: string): string {
    let name = this.#known.get(value);
    if (name === undefined) {
      name = `v${this.#known.size}`;
      this.#known.set(value, name);
      this.lines.push(`let ${name} = ${value};`);
    }
    return name;
  }
}

/** The name of the expression's value; `tables` and `constants` name what it reads. */
export const printValue = (
  out: Statements,
  e: Expression,
  tables: readonly string[],
  constants: readonly string[],
): string =>
  evaluate<string>(e, {
    table: (i) => tables[i],
    constant: (i) => constants[i],
    add: (a, b) => out.apply('add', a, b),
    sub: (a, b) => out.apply('sub', a, b),
    mul: (a, b) => out.apply('mul', a, b),
  });

/** Up to here a multiple of the slope is made by additions. */
const SMALL = 8;

/** lo + X (hi - lo), or the slope at infinity. Nearby points share their additions. */
export function valueAt(out: Statements, field: WgslField, lo: string, hi: string, x: SumcheckPoint): string {
  if (x === 0) return lo;
  if (x === 1) return hi;
  const slope = out.apply('sub', hi, lo);
  if (x === 'inf') return slope;
  if (Math.abs(x) > SMALL) {
    const scale = out.let(field.literal(BigInt.asUintN(64, BigInt(Math.abs(x)))));
    const multiple = out.apply('mul', slope, scale);
    return out.apply(x > 0 ? 'add' : 'sub', lo, multiple);
  }
  return x > 0
    ? out.apply('add', valueAt(out, field, lo, hi, x - 1), slope)
    : out.apply('sub', valueAt(out, field, lo, hi, x + 1), slope);
}
