/** What a prover computes entry by entry: quotients, roots, limbs, entries of tables, and what picks a largest entry. */
import { floorDiv, integerSqrt } from '../../../compiler/ir/numbers/rational.ts';
import type { GadgetProgram, GadgetStep, GadgetTensor } from '../../../compiler/ir/gadget/program.ts';
import { tableDoubles } from '../tensor/tables.ts';
import { selectorEntries } from '../../protocol/statement/publics.ts';
import { entryOutside } from '../../integers/quantise.ts';
import { HiddenValueError } from '../../integers/errors.ts';
import {
  isSmall,
  allocateComputed,
  MAX_DOUBLE,
  shiftedDown,
  wordsOf,
  type ComputedIntegers,
  type SmallIntegers,
} from '../../integers/arrays.ts';

type Step<Kind extends GadgetStep['kind']> = GadgetStep & { readonly kind: Kind };

/** @throws HiddenValueError for a value that the target cannot take, naming it */
export function runStep(
  program: GadgetProgram,
  step: Exclude<GadgetStep, Step<'equation' | 'sum'>>,
  numbers: (id: number) => ComputedIntegers,
): ComputedIntegers {
  const t = program.tensors[step.target];
  const of = numbers(step.of);
  switch (step.kind) {
    case 'floor':
      return checked(t, quotients(t, of, typeof step.by === 'bigint' ? step.by : numbers(step.by)));
    case 'root':
      return checked(t, roots(t, of, typeof step.by === 'bigint' ? step.by : numbers(step.by)));
    case 'limb':
      return limbs(t, of, step);
    case 'clamp':
      return clamped(of, Number(step.lo), Number(step.hi));
    case 'isZero':
      return zeros(of);
    case 'table':
      return looked(program, step, of);
    case 'largest':
      return largest(of, step.over, step.mask === undefined ? undefined : numbers(step.mask));
    case 'after':
      return after(of, t.shape[t.shape.length - 1]);
    case 'select':
      return selectorEntries(t.shape, indices(program.tensors[step.of], of));
  }
}

/** Values inside a tensor's range, or an error for the first that is not. */
function checked(t: GadgetTensor, v: ComputedIntegers): ComputedIntegers {
  if (isSmall(v)) {
    const [lo, hi] = [Number(t.range.lo), Number(t.range.hi)];
    for (let i = 0; i < v.length; i++) if (v[i] < lo || v[i] > hi) throw entryOutside(t, i, BigInt(v[i]));
  } else for (let i = 0; i < v.length; i++) if (v[i] < t.range.lo || v[i] > t.range.hi) throw entryOutside(t, i, v[i]);
  return v;
}

/** What a selector is of: numbers of a source may be in its type, and no indices. */
function indices(t: GadgetTensor, of: ComputedIntegers): ComputedIntegers {
  const size = t.type?.kind === 'index' ? t.type.size : 0;
  for (let i = 0; i < of.length; i++)
    if (of[i] < 0 || of[i] >= size) throw new HiddenValueError(t, i, 'range', `is no index<${size}>`, `it is ${of[i]}`);
  return of;
}

function quotients(t: GadgetTensor, of: ComputedIntegers, by: bigint | ComputedIntegers): ComputedIntegers {
  const divisor = (i: number): bigint => {
    const d = typeof by === 'bigint' ? by : BigInt(by[i]);
    if (d > 0n) return d;
    throw new HiddenValueError(t, i, 'divisor', 'is a quotient whose divisor is not positive', `the divisor is ${d}`);
  };
  if (typeof by === 'bigint' && by > 0n) {
    // A quotient of doubles that are exact is never rounded up to an integer that it does not reach.
    if (isSmall(of) && by < MAX_DOUBLE) return smallQuotients(of, Number(by));
    const shift = trailingZeros(by);
    if (of instanceof BigInt64Array && shift >= 11 && by >> shift < MAX_DOUBLE)
      return smallQuotients(shiftedDown(of, Number(shift)), Number(by >> shift));
  }
  if (isSmall(of) && typeof by !== 'bigint' && isSmall(by)) {
    const out = new Float64Array(of.length);
    for (let i = 0; i < out.length; i++) {
      if (by[i] <= 0) divisor(i);
      out[i] = Math.floor(of[i] / by[i]);
    }
    return out;
  }
  return Array.from({ length: of.length }, (_, i) => floorDiv(BigInt(of[i]), divisor(i)));
}

function smallQuotients(of: SmallIntegers, by: number): Float64Array {
  const out = new Float64Array(of.length);
  for (let i = 0; i < out.length; i++) out[i] = Math.floor(of[i] / by);
  return out;
}

const trailingZeros = (n: bigint): bigint => BigInt(n.toString(2).length - n.toString(2).lastIndexOf('1') - 1);

/** floor(sqrt(of / by) + 1/2) = floor((floor(sqrt(4 of / by)) + 1) / 2) */
function roots(t: GadgetTensor, of: ComputedIntegers, by: bigint | ComputedIntegers): ComputedIntegers {
  return Array.from({ length: of.length }, (_, i) => {
    const d = typeof by === 'bigint' ? by : BigInt(by[i]);
    const x = BigInt(of[i]);
    if (d <= 0n || x < 0n)
      throw new HiddenValueError(t, i, 'divisor', 'is a root of what is not positive', `it is the root of ${x} / ${d}`);
    return (integerSqrt((4n * x) / d) + 1n) >> 1n;
  });
}

function limbs(t: GadgetTensor, of: ComputedIntegers, { from, sign, shift, bits }: Step<'limb'>): ComputedIntegers {
  const out = allocateComputed(t.range, of.length);
  if (isSmall(of) && isSmall(out)) {
    const [start, by, most] = [Number(from), 2 ** shift, 2 ** bits];
    for (let i = 0; i < of.length; i++) {
      const v = sign * (of[i] - start);
      if (v > 0) out[i] = Math.floor(v / by) % most;
    }
    return out;
  }
  if (of instanceof BigInt64Array && isSmall(out)) {
    limbsOfWords(of, out, { from, sign, shift, bits });
    return out;
  }
  const mask = 2n ** BigInt(bits) - 1n;
  return Array.from({ length: of.length }, (_, i) => {
    const v = BigInt(sign) * (BigInt(of[i]) - from);
    return v > 0n ? (v >> BigInt(shift)) & mask : 0n;
  });
}

/** As `limbs`, in halves of 32 bits: reading a 64-bit entry allocates. */
function limbsOfWords(
  of: BigInt64Array,
  out: SmallIntegers,
  { from, sign, shift, bits }: Pick<Step<'limb'>, 'from' | 'sign' | 'shift' | 'bits'>,
): void {
  const words = wordsOf(of);
  const [fromHigh, fromLow] = [Number(from >> 32n), Number(BigInt.asUintN(32, from))];
  const WORD = 2 ** 32;
  const [by, most] = [2 ** Math.min(shift, 32), 2 ** bits];
  // The upper half as far as the limb reaches into it.
  const [down, reach, up] = [2 ** Math.max(shift - 32, 0), 2 ** Math.max(shift + bits - 32, 0), WORD / by];
  for (let i = 0; i < of.length; i++) {
    let low = sign * ((words[2 * i] >>> 0) - fromLow);
    let high = sign * (words[2 * i + 1] - fromHigh);
    const carried = Math.floor(low / WORD);
    low -= carried * WORD;
    high += carried;
    if (high >= 0) out[i] = (Math.floor((high % reach) / down) * up + Math.floor(low / by)) % most;
  }
}

function clamped(of: ComputedIntegers, lo: number, hi: number): ComputedIntegers {
  const out = new Float64Array(of.length);
  if (isSmall(of)) for (let i = 0; i < of.length; i++) out[i] = of[i] < lo ? lo : of[i] > hi ? hi : of[i];
  else for (let i = 0; i < of.length; i++) out[i] = Math.min(Math.max(Number(of[i]), lo), hi);
  return out;
}

function zeros(of: ComputedIntegers): Int16Array {
  const out = new Int16Array(of.length);
  if (isSmall(of)) for (let i = 0; i < of.length; i++) out[i] = of[i] === 0 ? 1 : 0;
  else for (let i = 0; i < of.length; i++) out[i] = of[i] === 0n ? 1 : 0;
  return out;
}

function looked(
  program: GadgetProgram,
  { table, offset, of: argument }: Step<'table'>,
  of: ComputedIntegers,
): ComputedIntegers {
  const own = program.tables[table];
  if (own.kind !== 'function') throw new Error('internal error: a range has no values');
  const values = tableDoubles(own.values);
  const out = new Float64Array(of.length);
  const first = Number(offset);
  for (let i = 0; i < of.length; i++) {
    const k = Number(of[i]) + first;
    if (!(k >= 0 && k < values.length))
      throw new HiddenValueError(
        program.tensors[argument],
        i,
        'range',
        `is outside what the table ${own.name} has values for: [${-offset}, ${BigInt(values.length - 1) - offset}]`,
        `it is the integer ${of[i]}`,
      );
    out[i] = values[k];
  }
  return out;
}

/** 1 at the first largest entry of each run of `over` entries among those where the mask is not 0. */
function largest(of: ComputedIntegers, over: number, mask: ComputedIntegers | undefined): ComputedIntegers {
  const out = new Int16Array(of.length);
  const off = mask && zeros(mask);
  for (let start = 0; start < of.length; start += over) {
    const best = isSmall(of) ? largestSmall(of, start, over, off) : largestWide(of, start, over, off);
    if (best >= 0) out[best] = 1;
  }
  return out;
}

function largestSmall(of: SmallIntegers, start: number, over: number, off: Int16Array | undefined): number {
  let best = -1;
  for (let i = start; i < start + over; i++)
    if ((off === undefined || off[i] === 0) && (best < 0 || of[i] > of[best])) best = i;
  return best;
}

function largestWide(of: BigInt64Array | bigint[], start: number, over: number, off: Int16Array | undefined): number {
  let best = -1;
  for (let i = start; i < start + over; i++)
    if ((off === undefined || off[i] === 0) && (best < 0 || of[i] > of[best])) best = i;
  return best;
}

function after(of: ComputedIntegers, length: number): ComputedIntegers {
  const out = new Int16Array(of.length);
  for (let start = 0; start < of.length; start += length)
    for (let i = length - 2, sum = 0; i >= 0; i--) out[start + i] = sum += Number(of[start + i + 1]);
  return out;
}
