/** Short forms for polynomials over tensors. */
import type { Span } from '../../grammar/span.ts';
import { variable } from '../ir/indices/expression.ts';
import type { Factor, Term } from '../ir/tensor/program.ts';

/** Bits of an integer n >= 0; at least 1. */
export const bitLength = (n: bigint): number => Math.max(1, n.toString(2).length);

export const size = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** tensor[v0, v1, ...] for the first variables, in order. */
export const entry = (tensor: number, axes: number): Factor => ({
  tensor,
  at: Array.from({ length: axes }, (_, v) => variable(v)),
});

export const term = (coefficient: bigint, ...factors: readonly Factor[]): Term => ({
  coefficient,
  reduced: [],
  guards: [],
  factors,
});

/** coefficient * terms * factors; the factors read variables that are not reduced. */
export const times = (terms: readonly Term[], coefficient: bigint, ...factors: readonly Factor[]): Term[] =>
  coefficient === 0n
    ? []
    : terms.map((t) => ({ ...t, coefficient: coefficient * t.coefficient, factors: [...t.factors, ...factors] }));

export const constant = (value: bigint): Term[] => (value === 0n ? [] : [term(value)]);

/** Of what no text says. */
export const nowhere: Span = { source: '', start: 0, end: 0 };
