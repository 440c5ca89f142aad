/** One term of a polynomial equation as a summand of a sumcheck: which variables are bound, weighted, summed or counted. */
import { renaming, variablesOfAll } from '../../ir/indices/expression.ts';
import { mapGuard, sidesOf } from '../../ir/indices/guards.ts';
import type { Compare, Factor, IndexExpr, Term } from '../../ir/tensor/program.ts';
import { digitsOf, inDigits } from './digits.ts';
import type { GadgetFactor, GadgetTerm } from '../../ir/gadget/program.ts';

/** Makes (or finds) the tensors that a term needs besides those of the program. */
export interface ViewMaker {
  /** V[i] = of[at(i)] where the guards hold, else 0; `at` and `guards` over the axes of V. */
  view(shape: readonly number[], of: number, at: readonly IndexExpr[], guards: readonly Compare[]): number;
  /** 1 where the guards hold, else 0. */
  mask(shape: readonly number[], guards: readonly Compare[]): number;
  /** 0, 1, 2, ... */
  counting(length: number): number;
  shape(tensor: number): readonly number[];
}

/** A factor with every axis a variable of the term (its outputs first, then its reduced indices), all different. */
interface BareFactor {
  readonly tensor: number;
  readonly variables: readonly number[];
}

/** The term over `outputs` (lengths of the output indices). */
export function lowerTerm(term: Term, outputs: readonly number[], make: ViewMaker): GadgetTerm {
  const lengths = [...outputs, ...term.reduced.map((v) => v.size)];
  const factors = bareFactors(term, lengths, make);
  const uses = lengths.map((_, v) => factors.filter((f) => f.variables.includes(v)).length);

  let coefficient = term.coefficient;
  const [shared, summed, free]: [number[], number[], number[]] = [[], [], []];
  for (const [v, count] of uses.entries())
    if (v < outputs.length) {
      if (count === 0) free.push(v);
      if (count > 1) shared.push(v);
    } else if (count === 0) coefficient *= BigInt(lengths[v]);
    else if (count === 1) coefficient *= BigInt(2 ** bitsFor(lengths[v]));
    else summed.push(v);
  const variables = [...shared, ...summed];
  return {
    coefficient,
    variables: variables.map((v) => lengths[v]),
    shared,
    free,
    factors: factors.map((f): GadgetFactor => ({
      tensor: f.tensor,
      axes: f.variables.map((v) => {
        if (uses[v] > 1) return { kind: 'summed', variable: variables.indexOf(v) };
        return v < outputs.length ? { kind: 'output', output: v } : { kind: 'half' };
      }),
    })),
  };
}

const bitsFor = (length: number): number => (length <= 1 ? 0 : 32 - Math.clz32(length - 1));

function bareFactors(term: Term, lengths: readonly number[], make: ViewMaker): BareFactor[] {
  // A guard that only concerns one view's variables becomes part of the view; the others become one 0/1 factor.
  let guards = [...term.guards];
  const factors = term.factors.map((f): BareFactor => {
    const bare = asBare(f, lengths, make.shape(f.tensor));
    if (bare) return bare;
    const variables = variablesOfAll(f.at);
    const digits = byDigits(f, guards, lengths, variables, make);
    if (digits) return digits;
    const own = guards.filter((g) => variablesOfAll(sidesOf([g])).every((v) => variables.includes(v)));
    guards = guards.filter((g) => !own.includes(g));
    const local = renaming((v) => variables.indexOf(v));
    const at = f.at.map(local);
    const tensor = make.view(
      variables.map((v) => lengths[v]),
      f.tensor,
      at,
      own.map((g) => mapGuard(g, local)),
    );
    return { tensor, variables };
  });
  if (guards.length === 0) return factors;
  const variables = variablesOfAll(sidesOf(guards));
  const local = renaming((v) => variables.indexOf(v));
  const tensor = make.mask(
    variables.map((v) => lengths[v]),
    guards.map((g) => mapGuard(g, local)),
  );
  return [...factors, { tensor, variables }];
}

/**
 * A view by digits takes no sumcheck of its own, so guards on its variables are left to a 0/1 factor: where they fail it may
 * read what it likes.
 */
function byDigits(
  f: Factor,
  guards: readonly Compare[],
  lengths: readonly number[],
  variables: readonly number[],
  make: ViewMaker,
): BareFactor | undefined {
  const local = renaming((v) => variables.indexOf(v));
  const at = inDigits(f.at, guards, lengths).map(local);
  const shape = variables.map((v) => lengths[v]);
  return digitsOf(shape, make.shape(f.tensor), at) && { tensor: make.view(shape, f.tensor, at, []), variables };
}

function asBare(f: Factor, lengths: readonly number[], shape: readonly number[]): BareFactor | undefined {
  const variables: number[] = [];
  for (const [axis, e] of f.at.entries()) {
    if (e.kind !== 'var' || lengths[e.var] !== shape[axis] || variables.includes(e.var)) return undefined;
    variables.push(e.var);
  }
  return { tensor: f.tensor, variables };
}
