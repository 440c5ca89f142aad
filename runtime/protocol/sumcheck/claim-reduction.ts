/**
 * Claim reduction: equations, by level.
 *
 * # Statement
 * Every public output, every looked-up value, and every tensor between them and the committed ones, is what its equation
 * says; the tensors in `zeros` are 0.
 *
 * # Protocol
 * A claim is "the sum of weights times T~(p) is v" for multilinear extensions T~ of tensors and points p. The first ones
 * are those of the lookups, all in one; of every public output, at a point the verifier draws, where it evaluates the
 * output; and of every tensor that has to be 0, at one point for all. At each level, all claims about tensors of the level
 * are combined with powers of a challenge and replaced, by one batched sumcheck, with claims about the factors of their
 * equations at the sumcheck's point (Thaler's matrix product sumcheck, "Proofs, Arguments and Zero-Knowledge", section
 * 4.4, for any equation): an output index in one factor is bound at p at once; one in several is summed, weighted by
 * eq(p, .); a reduced index in several factors is summed. Summands that differ only in their tensors, as those of equal
 * layers do, are stacked along one more variable, the last (`stacks.ts`). A summand with fewer variables than the level
 * takes part in the first rounds and is constant after them. Public factors the verifier evaluates; evaluations of open ones travel in the
 * clear, those of hidden ones masked. A committed tensor that is a summand's only hidden factor is not sent at all: it
 * stays a linear form on its rows. So does a committed or public tensor that a claim names directly.
 *
 * # Soundness
 * Per level (claims - 1) / r for the combination, plus the sum of round degrees / r; per output, and once for the zeros,
 * variables / r.
 *
 * # Zero knowledge
 * Whoever knows the challenges and the open tensors can compute what travels in the clear.
 */
import type { GadgetEquation, GadgetProgram, GadgetTerm } from '../../../compiler/ir/gadget/program.ts';
import type { ProtocolContext } from '../context.ts';
import { combine, combineValues, constantForm, value, zeroForm, type Form, type Value } from '../form.ts';
import type { SumClaim } from '../lookup/tensor-lookups.ts';
import { bitsFor, eqSum, mul, neg, powers, reduce, largest } from '../scalar.ts';
import { stackEvaluator, type PublicEvaluations } from './final-evaluations.ts';
import { roundDegrees, stackSummands, type AxisPoints, type Stack, type Summand } from './stacks.ts';
import { sumcheck, type RoundProver } from './sumcheck.ts';

/** What the prover computes at a level. */
export interface LevelProver extends RoundProver {
  /** After the last round: for each stack the value of each factor (a view: the weight, then the tensor). */
  finals(): Promise<bigint[][]>;
}

/** What is role-specific: evaluations of public tensors (verifier) and the prover's work. */
export interface ClaimReductionRole extends PublicEvaluations {
  prover?(stacks: readonly Stack[]): Promise<LevelProver>;
}

/** Far beyond any real program; claims can multiply from level to level in made-up ones. */
const MAX_SUMMANDS = 100_000;

/** `lookups`: what is left of the program's lookups. */
export async function claimReduction(
  ctx: ProtocolContext,
  program: GadgetProgram,
  role: ClaimReductionRole,
  lookups?: SumClaim,
): Promise<void> {
  const first: SumClaim[] = lookups && lookups.parts.length > 0 ? [lookups] : [];
  const one = (tensor: number, point: AxisPoints, form: Form): SumClaim => ({
    form,
    parts: [{ tensor, point, weight: 1n }],
  });
  const defined = new Set(program.equations.filter((e) => e.level > 0).map((e) => e.target));
  for (const id of program.publics) {
    const t = program.tensors[id];
    if (t.class.kind !== 'output' || !defined.has(id)) continue;
    const point = t.shape.map((n) => ctx.point(`output ${t.name}`, bitsFor(n)));
    first.push(one(id, point, constantForm((await role.evaluate(id, point)) ?? 0n)));
  }
  const bitsOf = (id: number): number => program.tensors[id].shape.reduce((n, d) => n + bitsFor(d), 0);
  const zeroPoint = ctx.point('zeros', largest(program.zeros.map(bitsOf)));
  for (const id of program.zeros) {
    let at = 0;
    const point = program.tensors[id].shape.map((n) => zeroPoint.slice(at, (at += bitsFor(n))));
    first.push(one(id, point, zeroForm));
  }

  const claims = new Map<number, SumClaim[]>();
  const equations = new Map(program.equations.map((e) => [e.target, e] as const));
  const levelOf = new Map(program.equations.map((e) => [e.target, e.level]));
  for (const [id, t] of program.tensors.entries()) if (t.class.kind === 'view') levelOf.set(id, t.class.level);
  let current = 0;
  const claim = (c: SumClaim): void => {
    const level = levelOf.get(c.parts[0].tensor) ?? 0;
    // A claim that no later level settles would be believed.
    if (level <= current || level > program.levels || c.parts.some((p) => levelOf.get(p.tensor) !== level))
      throw new Error(`internal error: a claim of level ${current} about ${program.tensors[c.parts[0].tensor].name}`);
    const list = claims.get(level);
    if (list) list.push(c);
    else claims.set(level, [c]);
  };
  for (let level = 1; level <= Math.max(1, program.levels); level++) {
    current = level;
    const here = [...(level === 1 ? first : []), ...(claims.get(level) ?? [])];
    if (here.length > 0) await reduceLevel(ctx, program, equations, role, claim, level, here);
  }
}

async function reduceLevel(
  ctx: ProtocolContext,
  program: GadgetProgram,
  equations: ReadonlyMap<number, GadgetEquation>,
  role: ClaimReductionRole,
  newClaim: (c: SumClaim) => void,
  level: number,
  here: readonly SumClaim[],
): Promise<void> {
  const rho = powers(ctx.challenge(`level ${level} batch`, here.length - 1), here.length);
  // Counted before they are made: claims about equations of many terms can be far too many to hold.
  const count = here.reduce(
    (n, { parts }) => n + parts.reduce((m, { tensor }) => m + Math.max(1, equations.get(tensor)?.terms.length ?? 1), 0),
    0,
  );
  if (count > MAX_SUMMANDS)
    throw new RangeError(`level ${level} has ${count} summands, at most ${MAX_SUMMANDS} are proved`);
  ctx.meter?.summands(
    count,
    here.reduce((n, { parts }) => n + parts.reduce((m, { tensor }) => m + factorsOf(equations.get(tensor)), 0), 0),
  );
  const summands = here.flatMap(({ parts }, i) =>
    parts.flatMap(({ tensor, point, weight }) =>
      summandsOf(program, equations.get(tensor), tensor, point, mul(rho[i], weight)),
    ),
  );
  const stacks = stackSummands(program, summands);
  const claim = combine(here.map(({ form }, i) => [rho[i], form] as const));

  // The claim's form is carried through all rounds, and those of the rounds are added to it.
  const degrees = roundDegrees(stacks);
  const rounds = degrees.length;
  ctx.meter?.pads(rounds * claim.pads.size + rounds * degrees.reduce((n, d) => n + d, 0));
  const prover = await role.prover?.(stacks);
  const label = `level ${level}`;
  const { point, claim: last } = await sumcheck(ctx, label, claim, degrees, prover);
  const finals = await prover?.finals();

  const evaluateStack = stackEvaluator(ctx, program, role, label, newClaim);
  const parts: [bigint, Value][] = [[neg(1n), value(last)]];
  for (const [i, stack] of stacks.entries()) parts.push([1n, await evaluateStack(stack, point, finals?.[i])]);
  ctx.assertZero(combineValues(parts));
}

const factorsOf = (e: GadgetEquation | undefined): number =>
  Math.max(1, e?.terms.reduce((n, t) => n + t.factors.length, 0) ?? 1);

function summandsOf(
  program: GadgetProgram,
  equation: GadgetEquation | undefined,
  target: number,
  claim: AxisPoints,
  rho: bigint,
): Summand[] {
  const t = program.tensors[target];
  if (t.class.kind === 'view' && t.class.level > 0) {
    const variables = program.tensors[t.class.of].shape;
    const source = { kind: 'view', view: target, of: t.class.of } as const;
    return [{ claim, weight: rho, source, variables, factors: 2, weights: [] }];
  }
  const terms = equation && equation.level > 0 ? equation.terms : [itself(target, t.shape.length)];
  return terms.map((term) => {
    const free = term.free.map((o) => eqSum(claim[o], t.shape[o]));
    const weight = free.reduce(mul, mul(rho, reduce(term.coefficient)));
    // The point itself where it is one: equal points are found sooner.
    const weights = term.shared.length === 1 ? claim[term.shared[0]] : term.shared.flatMap((o) => claim[o]);
    return {
      claim,
      weight,
      source: { kind: 'term', term },
      variables: term.variables,
      factors: term.factors.length,
      weights,
    };
  });
}

/** A claim about a committed or public tensor is a summand of no variables: the tensor at the claim's point. */
const itself = (tensor: number, axes: number): GadgetTerm => ({
  coefficient: 1n,
  variables: [],
  shared: [],
  free: [],
  factors: [{ tensor, axes: Array.from({ length: axes }, (_, output) => ({ kind: 'output', output })) }],
});
