/** Between floats and the integers of a program. */
import { requireNumbers, requireObject } from '../../compiler/ir/arguments.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { GadgetTensor } from '../../compiler/ir/gadget/program.ts';
import type { TensorType } from '../../compiler/ir/tensor/program.ts';
import { allocate, entry, setEntry, type IntegerArray } from './arrays.ts';
import { bitsOf, HiddenValueError, indexAt, placeOf } from './errors.ts';

/**
 * Floats as integers of `fixed<bits, frac>`: floor(x 2^frac + 1/2), exactly.
 *
 * @param secret whether a number that does not fit is not to be said: HiddenValueError then
 * @throws ValueError for NaN, infinities and numbers outside the type.
 */
export function quantise(
  name: string,
  shape: readonly number[],
  type: TensorType,
  values: ArrayLike<number>,
  secret = false,
): IntegerArray {
  requireObject('type', type, '{ kind: "fixed", bits, frac } or { kind: "index", size }');
  requireNumbers('values', values);
  const entries = shape.reduce((n, d) => n * d, 1);
  if (values.length !== entries)
    throw new ValueError(`${name} has ${values.length} entries, its shape [${shape.join(', ')}] has ${entries}`, {
      tensor: name,
      problem: { kind: 'shape', expected: shape, given: [values.length] },
    });
  const range =
    type.kind === 'fixed'
      ? { lo: -(2n ** BigInt(type.bits - 1)), hi: 2n ** BigInt(type.bits - 1) - 1n }
      : { lo: 0n, hi: BigInt(type.size) - 1n };
  const scale = type.kind === 'fixed' ? 2 ** type.frac : 1;
  const [lo, hi] = [Number(range.lo), Number(range.hi)];
  const out = allocate(range, entries);
  const wide = out instanceof BigInt64Array || Array.isArray(out);
  for (let i = 0; i < entries; i++) {
    const x = values[i] * scale;
    const floor = Math.floor(x);
    // x - floor is exact, which x + 1/2 would not always be.
    const rounded = x - floor >= 0.5 ? floor + 1 : floor;
    const fits = rounded >= lo && rounded <= hi && (type.kind === 'fixed' || rounded === x);
    if (!fits && secret && Number.isFinite(values[i])) throw hidden(name, shape, i, values[i], type);
    if (!(rounded >= lo && rounded <= hi)) throw outside(name, indexAt(shape, i), values[i], rounded, type);
    if (!fits)
      throw new ValueError(`${placeOf({ name, shape }, i)} is ${values[i]}, which is no index`, {
        tensor: name,
        problem: { kind: 'number', index: indexAt(shape, i) },
      });
    if (wide) setEntry(out, i, BigInt(rounded));
    else out[i] = rounded;
  }
  return out;
}

/** A number that somebody gives as a secret. */
const hidden = (
  name: string,
  shape: readonly number[],
  position: number,
  value: number,
  type: TensorType,
): ValueError =>
  new HiddenValueError(
    { name, shape },
    position,
    'range',
    type.kind === 'fixed'
      ? `does not fit the ${type.bits} bits of its type, fixed<${type.bits}, ${type.frac}>`
      : `is no index<${type.size}>`,
    `it is ${value}`,
  );

function outside(
  tensor: string,
  index: readonly number[],
  value: number,
  rounded: number,
  type: TensorType,
): ValueError {
  const where = index.length === 0 ? tensor : `${tensor}[${index.join(', ')}]`;
  const data = { tensor, problem: { kind: 'number', index } } as const;
  if (!Number.isFinite(value))
    return new ValueError(`${where} is ${value}; every entry has to be a finite number`, data);
  if (type.kind === 'index') return new ValueError(`${where} is ${value}, outside index<${type.size}>`, data);
  const needed = bitsOf(BigInt(rounded));
  return new ValueError(
    `${where} is ${value}, which needs ${needed} bits with ${type.frac} after the point; fixed<${type.bits}, ${type.frac}> has ${type.bits}. ` +
      `Use fixed<${needed}, ${type.frac}>, or fewer bits after the point`,
    { tensor, problem: { ...data.problem, bits: needed } },
  );
}

/** The error for a computed integer that its tensor cannot take. */
export function entryOutside(t: GadgetTensor, position: number, v: bigint): HiddenValueError {
  if (t.type?.kind !== 'fixed')
    return new HiddenValueError(
      t,
      position,
      'range',
      `does not fit [${t.range.lo}, ${t.range.hi}]`,
      `it is the integer ${v}`,
    );
  const { bits, frac } = t.type;
  const origin = t.key === undefined ? ', as the program writes it' : `, by calibration under "${t.key}"`;
  const needed = bitsOf(v);
  return new HiddenValueError(
    t,
    position,
    'range',
    `does not fit the ${bits} bits of its type, fixed<${bits}, ${frac}>${origin}`,
    `it is ${dequantise(t, [v])[0]}, which needs ${needed} bits with ${frac} after the point`,
  );
}

/** The numbers that a tensor's integers stand for, as the nearest floats. */
export function dequantise(tensor: Pick<GadgetTensor, 'scale'>, values: IntegerArray): Float64Array {
  requireObject('tensor', tensor, '{ scale }');
  const { num, den } = tensor.scale;
  // Numerator and denominator may be beyond a float's range; their quotient is not.
  const shift = BigInt(Math.max(0, den.toString(2).length - num.toString(2).length + 64));
  const scale = Number((num << shift) / den) * 2 ** -Number(shift);
  return Float64Array.from({ length: values.length }, (_, i) => Number(entry(values, i)) * scale);
}
