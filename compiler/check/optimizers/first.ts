/** What a state is before the first step: a number, or the weight that it belongs to. */
import type * as ast from '../../../grammar/ast.ts';
import { formatRational, roundTo, signedBits } from '../../ir/numbers/rational.ts';
import type { TensorType } from '../../ir/tensor/program.ts';
import { formatType, typeRange } from '../context.ts';
import type { Frame, Session } from '../context.ts';
import { namesIn } from '../names/syntax.ts';
import { constantNumber } from '../numbers/constants.ts';

/** An integer of the state's type for every entry, or the weight's own numbers. */
export type First = { readonly kind: 'number'; readonly integer: bigint } | { readonly kind: 'weight' };

/** Reads the value of `state NAME: type = value`. */
export function readFirst(
  session: Session,
  frame: Frame,
  { value, span }: ast.State,
  type: TensorType,
  weight: string,
  weightType: TensorType,
): First {
  const { reporter } = session;
  if (type.kind !== 'fixed') return reporter.fail({ code: 'ZKL529', span, label: 'a state is `fixed<bits, frac>`' });
  if (value.kind === 'reference' && value.name.text === weight) {
    frame.scope.find(weight, value.name.span);
    const [own, other] = [type, weightType].map((t) => (t.kind === 'fixed' ? t.bits - t.frac : 0));
    if (own >= other) return { kind: 'weight' };
    const label = `\`${formatType(type)}\` does not hold every \`${formatType(weightType)}\``;
    return reporter.fail({ code: 'ZKL529', span, label });
  }
  const data = [...namesIn({ axes: [], value })].find((name) => frame.scope.find(name)?.kind === 'tensor');
  if (data !== undefined) return reporter.fail({ code: 'ZKL529', span: value.span, label: `\`${data}\` is a tensor` });
  const number = constantNumber(session, frame, value);
  const integer = roundTo(number, type.frac);
  const { lo, hi } = typeRange(type);
  if (integer >= lo && integer <= hi) return { kind: 'number', integer };
  const label = `${formatRational(number)} needs ${signedBits(integer)} bits`;
  return reporter.fail({ code: 'ZKL402', about: { type: formatType(type) }, span: value.span, label });
}

/**
 * The integers of a state before the first step.
 *
 * @param weight the integers of the weight, of the type `weightType`
 */
export function firstIntegers(
  first: First,
  type: TensorType,
  weight: readonly bigint[],
  weightType: TensorType,
): bigint[] {
  if (first.kind === 'number') return weight.map(() => first.integer);
  const [own, other] = [type, weightType].map((t) => (t.kind === 'fixed' ? t.frac : 0));
  const { hi } = typeRange(type);
  return weight.map((v) => {
    if (own >= other) return v << BigInt(own - other);
    const rounded = roundTo({ num: v, den: 1n << BigInt(other - own) }, 0);
    // The largest weight may round up to what the type just does not hold.
    return rounded > hi ? hi : rounded;
  });
}
