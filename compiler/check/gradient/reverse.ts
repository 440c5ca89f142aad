/**
 * Reverse mode (Griewank and Walther, "Evaluating Derivatives", 2nd ed., chapter 3): the gradients of a loss as equations
 * behind those of the program. Equations are visited backwards; what flows to a tensor from all that reads it is added,
 * exactly, and is its cotangent once the equation that defines it is reached.
 *
 * A cotangent is rounded, under the calibration key of its tensor with `.grad`, where `plan.ts` says so; elsewhere it is the
 * exact sum of products, of any width the proof's field has room for. A `round` is passed straight through: its derivative
 * is that of what it rounds.
 */
import type { Span } from '../../../grammar/span.ts';
import { ONE } from '../../ir/numbers/rational.ts';
import type { Equation, TensorId } from '../../ir/tensor/program.ts';
import type { CallRecord, Session } from '../context.ts';
import { entryFactor } from '../equations/emit.ts';
import { differentiable } from '../names/syntax.ts';
import { addPoly, constantPoly, factorPoly } from '../numbers/polynomial.ts';
import type { Poly } from '../numbers/polynomial.ts';
import { readDerivative } from '../statements/derivatives.ts';
import { factorsOf, planReverse } from './plan.ts';
import { contributions } from './rules.ts';
import { axesOf, beside, flow, roundedCotangent } from './state.ts';
import type { Reverse } from './state.ts';
import { widthOf } from './width.ts';

/** Products of a cotangent have at most as many factors; beyond, it becomes a tensor of its own. */
const MAX_FACTORS = 4;
/** Exact cotangents have integers of at most as many bits; a wider one is rounded. */
const MAX_BITS = 200;

/**
 * Adds the equations of the gradients of a scalar by each of the trained weights.
 *
 * @param loss a scalar of the session
 * @param trained inputs
 * @returns the gradient of each weight that the loss depends on, rounded to the type of `SOURCE:NAME.grad`, in its shape
 */
export function differentiateLoss(
  session: Session,
  loss: TensorId,
  trained: readonly TensorId[],
  span: Span,
): Map<TensorId, TensorId> {
  const { reporter } = session;
  const equations = [...session.equations];
  const plan = planReverse(session, trained);
  const reverse: Reverse = {
    session,
    plan,
    flowed: new Map(),
    axes: new Map(),
    widths: new Map(),
    span,
  };
  if (!plan.active.has(loss))
    return reporter.fail({
      code: 'ZKL520',
      span,
      label: `\`${session.tensors[loss].name}\` is made of none of them`,
      help: 'add the adapter where the loss reads it: `lora<O, R>(x, alpha)`',
    });
  flow(reverse, loss, constantPoly(ONE));
  for (let end = equations.length; end > 0;) {
    const call = plan.calls.get(end);
    if (call !== undefined) {
      throughCall(reverse, call);
      end = call.equations.from;
      continue;
    }
    const equation = equations[--end];
    if (!plan.active.has(equation.target)) continue;
    const cotangent = settle(reverse, equation.target, equation);
    if (cotangent !== undefined) contributions(reverse, equation, cotangent);
  }
  const gradients = new Map<TensorId, TensorId>();
  for (const id of trained) {
    const p = total(reverse, id);
    if (p !== undefined) gradients.set(id, roundedCotangent(reverse, id, { p }));
  }
  return gradients;
}

/** The sum of what has flowed to a tensor; undefined where that is nothing. */
function total(reverse: Reverse, id: TensorId): Poly | undefined {
  const parts = reverse.flowed.get(id);
  reverse.flowed.delete(id);
  const sum = parts?.reduce(addPoly, []);
  return sum === undefined || sum.length === 0 ? undefined : sum;
}

/**
 * The cotangent of a tensor that all readers have been visited of, over the variables of its axes: a tensor's entry, or
 * a product of few factors, which is as cheap to multiply by as an entry.
 */
function settle(reverse: Reverse, id: TensorId, equation: Equation): Poly | undefined {
  const p = total(reverse, id);
  if (p === undefined) return undefined;
  const entry = (made: TensorId): Poly => factorPoly(entryFactor(made, axesOf(reverse, id)));
  if (reverse.plan.rounded.has(id) || widthOf(reverse, p) > MAX_BITS)
    return entry(roundedCotangent(reverse, id, { p }));
  const [term] = p;
  const isProduct = p.length === 1 && term.reduced.length === 0;
  return isProduct && term.factors.length + factorsBeside(equation) <= MAX_FACTORS ? p : entry(exact(reverse, id, p));
}

/** As many factors stand beside another in the equation's products, or do in the rule of what it rounds. */
function factorsBeside({ definition }: Equation): number {
  switch (definition.kind) {
    case 'polynomial':
      return Math.max(0, ...definition.polynomial.terms.map((t) => t.factors.length - 1));
    case 'round':
      return definition.form === 'P'
        ? Math.max(0, ...definition.p.terms.map((t) => t.factors.length - 1))
        : MAX_FACTORS;
    default:
      return 1;
  }
}

/** The exact cotangent of a tensor, as a tensor. */
function exact(reverse: Reverse, of: TensorId, p: Poly): TensorId {
  const id = beside(reverse, of, '.grad', { kind: 'polynomial', p });
  reverse.widths.set(id, widthOf(reverse, p));
  return id;
}

/** A call with a derivative: its statements, in the scope of the call, with the cotangent of the result. */
function throughCall(reverse: Reverse, call: CallRecord): void {
  const { session, plan } = reverse;
  const { reporter } = session;
  const [result] = call.results;
  const p = total(reverse, result);
  if (p === undefined) return;
  const { derivative } = call.block;
  if (derivative === undefined) throw new Error('internal error: a call without a derivative');
  reporter.calls.push(...call.spans);
  try {
    refuseTrained(reverse, call);
    const cotangent =
      widthOf(reverse, p) > MAX_BITS
        ? roundedCotangent(reverse, result, { p })
        : (asTensor(reverse, result, p) ?? exact(reverse, result, p));
    const results = readDerivative(session, call, derivative, [cotangent]);
    for (const [k, param] of differentiable(call.block).entries()) {
      const id = call.arguments.get(param);
      if (id === undefined || !plan.active.has(id)) continue;
      flow(reverse, id, factorPoly(entryFactor(results[k], axesOf(reverse, id))));
    }
  } finally {
    reporter.calls.length -= call.spans.length;
  }
}

/** The tensor whose entries a cotangent is, where it is one. */
function asTensor(reverse: Reverse, id: TensorId, p: Poly): TensorId | undefined {
  const [term] = p;
  if (p.length !== 1 || term.factors.length !== 1 || term.guards.length + term.reduced.length > 0) return undefined;
  const [factor] = term.factors;
  const axes = axesOf(reverse, id);
  const bare = factor.at.length === axes.length && factor.at.every((e, k) => e.kind === 'var' && e.var === axes[k]);
  return bare && term.coefficient.num === 1n && term.coefficient.den === 1n ? factor.tensor : undefined;
}

/** What is trained inside a block whose derivative is given would get no gradient. */
function refuseTrained({ session, plan }: Reverse, { block, equations }: CallRecord): void {
  for (let k = equations.from; k < equations.to; k++) {
    const inside = factorsOf(session.equations[k]).find((id) => plan.trained.has(id));
    if (inside === undefined) continue;
    session.reporter.fail({
      code: 'ZKL523',
      about: { name: block.name.text },
      span: session.tensors[inside].span,
      label: 'trained, and read inside the block',
      notes: [{ span: block.name.span, text: 'the block has a `derivative`, which speaks of its parameters alone' }],
      help: 'give the weight to the block as a parameter, or leave its `derivative` out',
    });
  }
}
