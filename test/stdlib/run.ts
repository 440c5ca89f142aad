/** Runs a block of the standard library on drawn numbers, for comparison with what tests work out by themselves. */
import { expect } from 'vitest';
import { interpret } from '../../compiler/interpret/index.ts';
import type { IntTensor } from '../../compiler/interpret/index.ts';
import type { Rational } from '../../compiler/ir/tensor/program.ts';
import { multiply, rational } from '../../compiler/ir/numbers/rational.ts';
import { calibrateAll } from '../compiler/standard.ts';

/** Bits and fraction bits of everything that a test leaves to calibration. */
export const TYPE = { bits: 16, frac: 11 } as const;

/** A tensor of the program after a run: its integers and its numbers. */
export interface Result {
  readonly shape: readonly number[];
  readonly integers: readonly bigint[];
  /** integer * scale */
  readonly scale: Rational;
  readonly values: readonly number[];
}

/**
 * Runs the only model of a text. `draw(name, size)` gives the integers of an input.
 *
 * @returns every tensor by name, inputs included
 */
export function run(
  text: string,
  draw: (name: string, size: number) => readonly bigint[],
  type: { readonly bits: number; readonly frac: number } = TYPE,
): (name: string) => Result {
  const { programs, all } = calibrateAll(text, type);
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  const [program] = programs;
  const inputs = new Map<number, IntTensor>();
  for (const { id, name, shape, role } of program.tensors) {
    if (role !== 'input') continue;
    const size = shape.reduce((n, length) => n * length, 1);
    inputs.set(id, { shape, values: [...draw(name, size)] });
  }
  const found = interpret(program, inputs);
  return (name) => {
    const tensor = program.tensors.find((t) => t.name === name);
    const integers = tensor && found.get(tensor.id)?.values;
    if (tensor === undefined || integers === undefined)
      throw new Error(`no tensor ${name} among ${program.tensors.map((t) => t.name).join(', ')}`);
    const { scale, shape } = tensor;
    return { shape, integers, scale, values: integers.map((v) => toNumber(multiply(rational(v), scale))) };
  };
}

const toNumber = ({ num, den }: Rational): number => Number(num) / Number(den);

/** Integers of up to `bits` bits, the same for the same seed and name. */
export function integers(seed: number, bits: number): (name: string, size: number) => bigint[] {
  return (name, size) => {
    let state = [...name].reduce((n, c) => Math.imul(n, 31) + c.charCodeAt(0), seed) >>> 0;
    const next = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    return Array.from({ length: size }, () => BigInt(Math.floor((next() - 0.5) * 2 ** bits)));
  };
}

/** floor(x / 2^drop + 1/2): what `round` makes of an integer when it drops fraction bits. */
export function dropBits(x: bigint, drop: number): bigint {
  return drop <= 0 ? x << BigInt(-drop) : (x + (1n << BigInt(drop - 1))) >> BigInt(drop);
}

/** floor(x * 2^frac + 1/2) for a number that is not near a tie. */
export const near = (x: number, frac: number): bigint => BigInt(Math.floor(x * 2 ** frac + 0.5));

/** An array of a shape's size, filled row-major from an index. */
export function fill<T>(shape: readonly number[], entry: (...at: number[]) => T): T[] {
  const out: T[] = [];
  const go = (at: number[]): void => {
    if (at.length === shape.length) out.push(entry(...at));
    else for (let i = 0; i < shape[at.length]; i++) go([...at, i]);
  };
  go([]);
  return out;
}

export const sum = <T extends bigint | number>(n: number, zero: T, term: (i: number) => T): T => {
  let total: bigint | number = zero;
  for (let i = 0; i < n; i++) total = (total as number) + (term(i) as number);
  return total as T;
};

export function expectClose(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const worst = Math.max(...expected.map((value, k) => Math.abs(value - actual[k])));
  expect(worst).toBeLessThan(tolerance);
}
