/** The end of a level: what the factors of its stacks are at the sumcheck's point, as messages, openings and new claims. */
import type { DigitSource, GadgetProgram } from '../../../compiler/ir/gadget/program.ts';
import type { MaskedFactor, ProtocolContext } from '../context.ts';
import { combine, constantForm, value, zeroForm, type Form, type Value } from '../form.ts';
import type { Opening } from '../commitment/hyrax.ts';
import { openGathered } from '../commitment/gathered.ts';
import { openingSize, openTensor } from '../commitment/layout.ts';
import type { SumClaim } from '../lookup/tensor-lookups.ts';
import { add, bitsFor, eqEval, eqTable, half, mul, neg } from '../scalar.ts';
import {
  isCommitted,
  isOpen,
  isPublic,
  memberBits,
  pointNumbers,
  tensorsOf,
  type AxisPoints,
  type Stack,
  type Summand,
} from './stacks.ts';

/** What is known of public tensors. Evaluations are the verifier's: the prover takes these from its tables and returns undefined. */
export interface PublicEvaluations {
  /** Entries of a public input of indices, each in its range: which rows of a source are gathered. */
  indices(tensor: number): ArrayLike<number | bigint>;
  /** T~(point) of a public tensor. */
  evaluate(tensor: number, point: AxisPoints): Promise<bigint> | undefined;
  /** sum over i of eq(claim, i) * eq(point, at(i)). */
  evaluateView(view: number, claim: AxisPoints, point: AxisPoints): Promise<bigint> | undefined;
}

/** A factor of a stack once all variables are bound: the weighted sum of these tensors at one point. */
interface BoundFactor {
  readonly tensors: readonly number[];
  readonly weights: readonly bigint[];
  readonly point: AxisPoints;
  /** The prover's. */
  readonly v: bigint | undefined;
}

/**
 * Returns a function that gives a stack's value at the sumcheck's point, given the prover's `finals`, one of each factor. New
 * claims, about tensors that are neither public nor committed, go to `claim`.
 */
export function stackEvaluator(
  ctx: ProtocolContext,
  program: GadgetProgram,
  role: PublicEvaluations,
  label: string,
  claim: (c: SumClaim) => void,
): (stack: Stack, point: readonly bigint[], finals: readonly bigint[] | undefined) => Promise<Value> {
  const sent = new Map<string, MaskedFactor | Form>();
  const numbers = pointNumbers();
  const keyOf = (f: BoundFactor): string =>
    [f.tensors.join(), f.tensors.length > 1 ? numbers(f.weights) : '', ...f.point.map(numbers)].join(';');
  const name = ({ tensors: [first, ...others] }: BoundFactor): string =>
    `${label} value of ${program.tensors[first].name}${others.length > 0 ? ` and ${others.length} like it` : ''}`;
  const once = <T extends MaskedFactor | Form>(kind: string, f: BoundFactor, make: () => T): T => {
    const key = `${kind} ${keyOf(f)}`;
    const made = (sent.get(key) as T | undefined) ?? make();
    sent.set(key, made);
    return made;
  };
  const openings = (f: BoundFactor, scale: bigint): Opening[] =>
    f.tensors.flatMap((id, i) => {
      const t = program.tensors[id];
      const own = mul(scale, f.weights[i]);
      const open = (): Opening[] =>
        t.class.kind === 'gathered'
          ? openGathered(program, t, role.indices(t.class.indices), f.point, own)
          : openTensor(program, t, f.point, own);
      return ctx.open(openingSize(program, t), open);
    });
  const claimed = (f: BoundFactor, form: Form): void =>
    claim({ form, parts: f.tensors.map((tensor, i) => ({ tensor, point: f.point, weight: f.weights[i] })) });

  /** A hidden factor as a masked message that takes part in products. */
  const asFactor = (f: BoundFactor): MaskedFactor =>
    once('factor', f, () => {
      const message = ctx.sendFactor(name(f), f.v);
      if (isCommitted(program, f.tensors[0])) ctx.assertZero({ form: message.form, openings: openings(f, neg(1n)) });
      else claimed(f, message.form);
      return message;
    });

  /** The only hidden factor of its stack, times a coefficient. */
  const single = (f: BoundFactor, coefficient: bigint): Value => {
    if (isCommitted(program, f.tensors[0])) return { form: zeroForm, openings: openings(f, coefficient) };
    const sent = once('single', f, () => {
      const form = ctx.send(name(f), f.v);
      claimed(f, form);
      return form;
    });
    return value(combine([[coefficient, sent]]));
  };

  /** The evaluation of an open factor, which everybody could compute. */
  const inClear = (f: BoundFactor): bigint =>
    once('clear', f, () => {
      const form = constantForm(ctx.sendClear(name(f), f.v));
      ctx.assertZero({ form, openings: openings(f, neg(1n)) });
      return form;
    }).constant;

  const publicValue = async (f: BoundFactor): Promise<bigint> => {
    if (f.v !== undefined) return f.v;
    let sum = 0n;
    for (const [i, id] of f.tensors.entries())
      sum = add(sum, mul(f.weights[i], (await role.evaluate(id, f.point)) ?? 0n));
    return sum;
  };

  /** A product of more than two goes pairwise; each partial product but the last becomes a message of its own. */
  const product = (factors: readonly BoundFactor[]): Form => {
    let left = asFactor(factors[0]);
    let v = factors[0].v;
    for (const [k, f] of factors.slice(1).entries()) {
      const form = ctx.product(left, asFactor(f));
      if (k === factors.length - 2) return form;
      v = v === undefined || f.v === undefined ? undefined : mul(v, f.v);
      left = ctx.sendFactor(`${label} partial product`, v);
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

  const halves = [1n];
  return async (stack, point, finals) => {
    const { members, varying } = stack;
    const own = point.slice(0, memberBits(stack));
    const end = own.length + bitsFor(members.length);
    const eq = eqTable(point.slice(own.length, end), members.length);
    const [first] = members;
    let coefficient =
      members.length === 1 ? first.weight : members.reduce((sum, m, l) => add(sum, mul(eq[l], m.weight)), 0n);
    if (first.weights.length > 0)
      coefficient = mul(coefficient, eqEval(first.weights, own.slice(0, first.weights.length)));
    // A stack that ended early was spread evenly over the remaining rounds.
    while (halves.length <= point.length - end) halves.push(mul(halves[halves.length - 1], half));
    coefficient = mul(coefficient, halves[point.length - end]);

    const points = factorPoints(program, first, own);
    const hidden: BoundFactor[] = [];
    for (const [k, bound] of points.entries()) {
      const v = finals?.[k];
      if (bound.view) {
        coefficient = mul(coefficient, v ?? (await role.evaluateView(bound.tensor, first.claim, bound.point)) ?? 0n);
        continue;
      }
      const those = varying[k] ? members : [first];
      const f = throughDigits(program, {
        tensors: those.map((m) => tensorsOf(m)[k]),
        weights: varying[k] ? eq : [1n],
        point: bound.point,
        v,
      });
      if (isPublic(program, f.tensors[0])) coefficient = mul(coefficient, await publicValue(f));
      else hidden.push(f);
    }
    // Open factors are sent, but for one that is alone: that stays a linear form like any other.
    const open = hidden.filter((f) => isOpen(program, f.tensors[0]));
    const secret = hidden.filter((f) => !isOpen(program, f.tensors[0]));
    for (const f of secret.length > 0 ? open : open.slice(1)) coefficient = mul(coefficient, inClear(f));
    const left = secret.length > 0 ? secret : open.slice(0, 1);
    if (left.length === 0) return value(constantForm(coefficient));
    if (left.length === 1) return single(left[0], coefficient);
    return value(combine([[coefficient, product(left)]]));
  };
}

/** The point at which each factor's tensor is evaluated once the summand's variables are bound to `own`. */
function factorPoints(
  program: GadgetProgram,
  summand: Summand,
  own: readonly bigint[],
): { tensor: number; point: AxisPoints; view?: boolean }[] {
  const ofVariable: bigint[][] = [];
  let at = 0;
  for (const length of summand.variables) ofVariable.push(own.slice(at, (at += bitsFor(length))));
  const { source } = summand;
  if (source.kind === 'view')
    return [
      { tensor: source.view, point: ofVariable, view: true },
      { tensor: source.of, point: ofVariable },
    ];
  return source.term.factors.map(({ tensor, axes }) => ({
    tensor,
    point: axes.map((a, j) => {
      if (a.kind === 'output') return summand.claim[a.output];
      if (a.kind === 'summed') return ofVariable[a.variable];
      return Array.from({ length: bitsFor(program.tensors[tensor].shape[j]) }, () => half);
    }),
  }));
}

/** Views by digits at a point are the tensors that they view at the point of the same digits. */
function throughDigits(program: GadgetProgram, f: BoundFactor): BoundFactor {
  const c = program.tensors[f.tensors[0]].class;
  if (c.kind !== 'digits') return f;
  const coordinate = (d: DigitSource): bigint => {
    if (typeof d === 'number') return BigInt(d);
    const own = f.point[d.variable];
    return own[own.length - 1 - d.bit];
  };
  const seen = f.tensors.map((id) => {
    const { class: own } = program.tensors[id];
    return own.kind === 'digits' ? own.of : id;
  });
  return { ...f, tensors: seen, point: c.axes.map((axis) => axis.map(coordinate)) };
}
