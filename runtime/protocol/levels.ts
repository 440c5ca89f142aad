/**
 * Equations, by level.
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
 * eq(p, .); a reduced index in several factors is summed. A summand with fewer variables than the level takes part in the
 * first rounds and is constant after them. Public factors the verifier evaluates; evaluations of open ones travel in the
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
import type {
  DigitSource,
  GadgetEquation,
  GadgetProgram,
  GadgetTensor,
  GadgetTerm,
} from '../../compiler/gadget/program.ts';
import type { Factor, ProtocolContext } from './context.ts';
import { combine, combineValues, known, value, zero, type Form, type Value } from './form.ts';
import { openTensor } from './layout.ts';
import type { SumClaim } from './program-lookups.ts';
import { bitsFor, eqEval, eqSum, half, mul, neg, powers, reduce } from './scalar.ts';
import { sumcheck, type RoundProver } from './sumcheck.ts';

/** One point (a challenge per variable) for each axis of a tensor. */
export type AxisPoints = readonly (readonly bigint[])[];

/** A summand of a level's sumcheck: one term of the equation of a claimed tensor, or a view. */
export interface Instance {
  readonly claim: AxisPoints;
  /** The challenge power, times the term's coefficient and what is known of it. */
  readonly weight: bigint;
  readonly source:
    | { readonly kind: 'term'; readonly term: GadgetTerm }
    /** sum over positions of `of`: (sum of eq(claim, i) over i with at(i) = position) * of[position] */
    | { readonly kind: 'view'; readonly view: number; readonly of: number };
  /** Lengths of the summed variables. */
  readonly variables: readonly number[];
  /** Total degree in a variable, before the weight by eq. */
  readonly factors: number;
  /** How many leading variables are weighted by eq, and the point of that weight, all variables' bits in one. */
  readonly weights: readonly bigint[];
}

/** What the prover computes at a level. */
export interface LevelProver extends RoundProver {
  /** After the last round: for each instance the value of each factor (a view: the weight, then the tensor). */
  finals(): Promise<bigint[][]>;
}

/** What is role-specific: evaluations of public tensors (verifier) and the prover's work. */
export interface LevelsRole {
  /** T~(point) of a public tensor. The prover takes these from its tables and returns undefined. */
  evaluate(tensor: number, point: AxisPoints): Promise<bigint> | undefined;
  /** sum over i of eq(claim, i) * eq(point, at(i)), likewise. */
  evaluateView(view: number, claim: AxisPoints, point: AxisPoints): Promise<bigint> | undefined;
  prover?(instances: readonly Instance[]): Promise<LevelProver>;
}

/** Far beyond any real program; claims can multiply from level to level in made-up ones. */
const mostSummands = 100_000;

/** `lookups`: what is left of the program's lookups. */
export async function proveLevels(
  ctx: ProtocolContext,
  program: GadgetProgram,
  role: LevelsRole,
  lookups?: SumClaim,
): Promise<void> {
  const first: SumClaim[] = lookups && lookups.parts.length > 0 ? [lookups] : [];
  const one = (target: number, point: AxisPoints, form: Form): SumClaim => ({
    form,
    parts: [{ target, point, weight: 1n }],
  });
  const defined = new Set(program.equations.filter((e) => e.level > 0).map((e) => e.target));
  for (const id of program.publics) {
    const t = program.tensors[id];
    if (t.class.kind !== 'output' || !defined.has(id)) continue;
    const point = t.shape.map((n) => ctx.point(`output ${t.name}`, bitsFor(n)));
    first.push(one(id, point, known((await role.evaluate(id, point)) ?? 0n)));
  }
  const bitsOf = (id: number): number => program.tensors[id].shape.reduce((n, d) => n + bitsFor(d), 0);
  const zeroPoint = ctx.point('zeros', Math.max(0, ...program.zeros.map(bitsOf)));
  for (const id of program.zeros) {
    let at = 0;
    const point = program.tensors[id].shape.map((n) => zeroPoint.slice(at, (at += bitsFor(n))));
    first.push(one(id, point, zero));
  }

  const claims = new Map<number, SumClaim[]>();
  const levelOf = new Map(program.equations.map((e) => [e.target, e.level]));
  for (const [id, t] of program.tensors.entries()) if (t.class.kind === 'view') levelOf.set(id, t.class.level);
  for (let level = 1; level <= program.levels; level++) {
    const here = [...claims.keys()].filter((id) => levelOf.get(id) === level).sort((a, b) => a - b);
    const own = here.flatMap((target) => claims.get(target) ?? []);
    if (level === 1) own.unshift(...first);
    if (own.length > 0) await proveLevel(ctx, program, role, claims, level, own);
  }
  if (program.levels === 0 && first.length > 0) await proveLevel(ctx, program, role, claims, 1, first);
}

async function proveLevel(
  ctx: ProtocolContext,
  program: GadgetProgram,
  role: LevelsRole,
  claims: Map<number, SumClaim[]>,
  level: number,
  here: readonly SumClaim[],
): Promise<void> {
  const rho = powers(ctx.challenge(`level ${level} batch`, here.length - 1), here.length);
  const equations = new Map(program.equations.map((e) => [e.target, e] as const));
  // Counted before they are made: claims about equations of many terms can be far too many to hold.
  const count = here.reduce(
    (n, { parts }) => n + parts.reduce((m, { target }) => m + Math.max(1, equations.get(target)?.terms.length ?? 1), 0),
    0,
  );
  if (count > mostSummands)
    throw new RangeError(`level ${level} has ${count} summands, at most ${mostSummands} are proved`);
  const instances = here.flatMap(({ parts }, i) =>
    parts.flatMap(({ target, point, weight }) =>
      instancesOf(program, equations.get(target), target, point, mul(rho[i], weight)),
    ),
  );
  const claim = combine(here.map(({ form }, i) => [rho[i], form] as const));

  const prover = await role.prover?.(instances);
  const label = `level ${level}`;
  const { point, claim: last } = await sumcheck(ctx, label, claim, roundDegrees(instances), prover);
  const finals = await prover?.finals();

  const settle = settler(ctx, program, role, claims, label);
  const parts: [bigint, Value][] = [[neg(1n), value(last)]];
  for (const [i, instance] of instances.entries()) {
    const own = point.slice(0, bitCount(instance));
    const weighted = eqEval(instance.weights, own.slice(0, instance.weights.length));
    // A summand that ended early was spread evenly over the remaining rounds.
    const spread = powers(half, point.length - own.length + 1)[point.length - own.length];
    parts.push([mul(mul(instance.weight, weighted), spread), await settle(instance, own, finals?.[i])]);
  }
  ctx.assertZero(combineValues(parts));
}

function instancesOf(
  program: GadgetProgram,
  equation: GadgetEquation | undefined,
  target: number,
  claim: AxisPoints,
  rho: bigint,
): Instance[] {
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
    const weights = term.shared.flatMap((o) => claim[o]);
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

export const bitCount = (instance: Instance): number =>
  instance.variables.reduce((n, length) => n + bitsFor(length), 0);

/** The degree of each round: the largest of the summands that still have variables. */
export function roundDegrees(instances: readonly Instance[]): number[] {
  const rounds = Math.max(0, ...instances.map(bitCount));
  return Array.from({ length: rounds }, (_, i) => Math.max(...instances.map((s) => roundDegree(s, i))));
}

export const roundDegree = (s: Instance, round: number): number =>
  round >= bitCount(s) ? 0 : s.factors + (round < s.weights.length ? 1 : 0);

/** Returns what settles one instance at the end of its rounds: its product of factors as a value, with new claims recorded. */
function settler(
  ctx: ProtocolContext,
  program: GadgetProgram,
  role: LevelsRole,
  claims: Map<number, SumClaim[]>,
  label: string,
) {
  const sent = new Map<string, Factor | Form>();
  const recordClaim = (tensor: number, point: AxisPoints, form: Form): void => {
    const list = claims.get(tensor) ?? [];
    list.push({ form, parts: [{ target: tensor, point, weight: 1n }] });
    claims.set(tensor, list);
  };
  const keyOf = (tensor: number, point: AxisPoints): string => `${tensor}:${point.map((p) => p.join()).join(';')}`;
  const name = (tensor: number): string => `${label} value of ${program.tensors[tensor].name}`;

  /** The evaluation of a hidden tensor as a masked message that may become a factor. */
  const asFactor = (tensor: number, point: AxisPoints, v: bigint | undefined): Factor => {
    const key = `factor ${keyOf(tensor, point)}`;
    const known = sent.get(key) as Factor | undefined;
    if (known) return known;
    const f = ctx.sendFactor(name(tensor), v);
    sent.set(key, f);
    const t = program.tensors[tensor];
    if (isCommitted(t)) ctx.assertZero({ form: f.form, openings: openTensor(program.sources, t, point, neg(1n)) });
    else recordClaim(tensor, point, f.form);
    return f;
  };

  const single = (tensor: number, point: AxisPoints, v: bigint | undefined): Value => {
    const t = program.tensors[tensor];
    if (isCommitted(t)) return { form: zero, openings: openTensor(program.sources, t, point, 1n) };
    const key = `single ${keyOf(tensor, point)}`;
    let form = sent.get(key) as Form | undefined;
    if (!form) {
      form = ctx.send(name(tensor), v);
      sent.set(key, form);
      recordClaim(tensor, point, form);
    }
    return value(form);
  };

  /** The evaluation of an open tensor, which everybody could compute. */
  const inClear = (tensor: number, point: AxisPoints, v: bigint | undefined): bigint => {
    const key = `clear ${keyOf(tensor, point)}`;
    const before = sent.get(key) as Form | undefined;
    if (before) return before.constant;
    const c = ctx.sendClear(name(tensor), v);
    sent.set(key, known(c));
    const openings = openTensor(program.sources, program.tensors[tensor], point, neg(1n));
    ctx.assertZero({ form: known(c), openings });
    return c;
  };

  return async (instance: Instance, own: readonly bigint[], finals: readonly bigint[] | undefined): Promise<Value> => {
    let factor = 1n;
    const hidden: { tensor: number; point: AxisPoints; v: bigint | undefined }[] = [];
    for (const [k, at] of factorPoints(program, instance, own).entries()) {
      const v = finals?.[k];
      const { tensor, point, view } = at.view ? at : throughDigits(program, at);
      if (view) factor = mul(factor, v ?? (await role.evaluateView(tensor, instance.claim, point)) ?? 0n);
      else if (isPublic(program, tensor)) factor = mul(factor, v ?? (await role.evaluate(tensor, point)) ?? 0n);
      else hidden.push({ tensor, point, v });
    }
    // Open tensors are sent, but for one that is alone: that stays a linear form like any other.
    const isOpen = (h: { tensor: number }): boolean => isOpenTensor(program, h.tensor);
    const open = hidden.filter(isOpen);
    const secret = hidden.filter((h) => !isOpen(h));
    for (const h of secret.length > 0 ? open : open.slice(1)) factor = mul(factor, inClear(h.tensor, h.point, h.v));
    hidden.splice(0, hidden.length, ...(secret.length > 0 ? secret : open.slice(0, 1)));
    if (hidden.length === 0) return value(known(factor));
    if (hidden.length === 1) return combineValues([[factor, single(hidden[0].tensor, hidden[0].point, hidden[0].v)]]);
    // A product of more than two goes pairwise; each partial product but the last becomes a message of its own.
    let left = asFactor(hidden[0].tensor, hidden[0].point, hidden[0].v);
    let leftValue = hidden[0].v;
    for (const [k, h] of hidden.slice(1).entries()) {
      const form = ctx.product(left, asFactor(h.tensor, h.point, h.v));
      if (k === hidden.length - 2) return value(combine([[factor, form]]));
      leftValue = leftValue === undefined || h.v === undefined ? undefined : mul(leftValue, h.v);
      left = ctx.sendFactor(`${label} partial product`, leftValue);
      ctx.assertZero(
        value(
          combine([
            [1n, form],
            [neg(1n), left.form],
          ]),
        ),
      );
    }
    throw new Error('internal error: a product without a last factor');
  };
}

/** The point at which each factor's tensor is evaluated once the instance's variables are bound to `own`. */
export function factorPoints(
  program: GadgetProgram,
  instance: Instance,
  own: readonly bigint[],
): { tensor: number; point: AxisPoints; view?: boolean }[] {
  const ofVariable: bigint[][] = [];
  let at = 0;
  for (const length of instance.variables) ofVariable.push(own.slice(at, (at += bitsFor(length))));
  const { source } = instance;
  if (source.kind === 'view')
    return [
      { tensor: source.view, point: ofVariable, view: true },
      { tensor: source.of, point: ofVariable },
    ];
  return source.term.factors.map(({ tensor, axes }) => ({
    tensor,
    point: axes.map((a, j) => {
      if (a.kind === 'output') return instance.claim[a.output];
      if (a.kind === 'summed') return ofVariable[a.variable];
      return Array.from({ length: bitsFor(program.tensors[tensor].shape[j]) }, () => half);
    }),
  }));
}

/** A view by digits at a point is the tensor that it views at the point of the same digits. */
function throughDigits(
  program: GadgetProgram,
  { tensor, point }: { tensor: number; point: AxisPoints },
): { tensor: number; point: AxisPoints; view?: boolean } {
  const c = program.tensors[tensor].class;
  if (c.kind !== 'digits') return { tensor, point };
  const coordinate = (d: DigitSource): bigint => {
    if (typeof d === 'number') return BigInt(d);
    const own = point[d.variable];
    return own[own.length - 1 - d.bit];
  };
  return { tensor: c.of, point: c.axes.map((axis) => axis.map(coordinate)) };
}

export function isPublic(program: GadgetProgram, tensor: number): boolean {
  const c = program.tensors[tensor].class;
  return (
    c.kind === 'input' ||
    c.kind === 'output' ||
    c.kind === 'constant' ||
    c.kind === 'selector' ||
    (c.kind === 'view' && c.level === 0) ||
    (c.kind === 'digits' && isPublic(program, c.of))
  );
}

const isCommitted = (t: GadgetTensor): boolean => t.class.kind === 'committed' || t.class.kind === 'witness';

const isOpenTensor = (program: GadgetProgram, tensor: number): boolean => {
  const c = program.tensors[tensor].class;
  return c.kind === 'committed' && program.sources[c.source].open === true;
};
