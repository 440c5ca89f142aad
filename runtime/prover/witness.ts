/**
 * The integers of every tensor of a program, from its inputs, by the program's steps. Exact: doubles where the proved
 * ranges fit 53 bits, the device's integers for matrix products up to 63, bigints elsewhere. A value that its tensor cannot take is an error that names tensor, index, value
 * and the bits that it would need.
 */
import type { GadgetProgram, GadgetStep, GadgetTensor } from '../../compiler/gadget/program.ts';
import type { Range } from '../../compiler/tensor/program.ts';
import type { Device } from '../device/device.ts';
import { allocate, fromBigints, setEntry, type IntegerArray } from '../protocol/integers.ts';
import { selectorEntries } from '../protocol/publics.ts';
import { digitMap, maskValues, viewMap } from '../protocol/views.ts';
import { entryOutside, placeOf, ValueError } from '../quantise.ts';
import { matrixProduct } from './products.ts';
import { fitsDouble, makeNumbers, sumTerms, type Numbers } from './sums.ts';

export type Inputs = ReadonlyMap<number, IntegerArray>;

/** All tensors of a program, evaluated. */
export interface Witness {
  /** Numbers as they were computed. */
  numbers(id: number): Numbers;
  /** In the storage of the tensor's range. */
  entries(id: number): IntegerArray;
}

/** `inputs`: all public and secret inputs and committed tensors, row-major, each inside its range. @throws ValueError */
export async function evaluateProgram(device: Device, program: GadgetProgram, inputs: Inputs): Promise<Witness> {
  const known = new Map<number, Numbers>();
  const stored = new Map<number, IntegerArray>(inputs);
  const numbers = (id: number): Numbers => {
    let v = known.get(id);
    if (v === undefined) {
      const given = stored.get(id);
      v = given ? asNumbers(given, program.tensors[id].range) : makeEntries(program, id, numbers);
      known.set(id, v);
    }
    return v;
  };
  const entries = (id: number): IntegerArray => {
    const v = stored.get(id) ?? asEntries(numbers(id), program.tensors[id].range);
    stored.set(id, v);
    return v;
  };
  for (const step of program.steps) {
    const target = step.kind === 'equation' ? program.equations[step.equation].target : step.target;
    if (inputs.has(target)) continue;
    const wide =
      step.kind === 'equation'
        ? await matrixProduct(device, program, program.tensors[target], program.equations[step.equation].terms, entries)
        : undefined;
    if (wide) stored.set(target, wide);
    else known.set(target, narrowed(runStep(program, step, numbers), program.tensors[target].range));
  }
  return { numbers, entries };
}

const asNumbers = (a: IntegerArray, range: Range): Numbers => {
  if (a instanceof Int16Array || a instanceof Int32Array) return a;
  return fitsDouble(range)
    ? Float64Array.from(a as ArrayLike<bigint>, Number)
    : Array.from(a as ArrayLike<bigint>, BigInt);
};

function asEntries(v: Numbers, range: Range): IntegerArray {
  const out = allocate(range, v.length);
  if (out instanceof Int16Array || out instanceof Int32Array) {
    if (v instanceof Int16Array || v instanceof Int32Array || v instanceof Float64Array) out.set(v);
    else for (let i = 0; i < v.length; i++) out[i] = Number(v[i]);
    return out;
  }
  for (let i = 0; i < v.length; i++) setEntry(out, i, BigInt(v[i]));
  return out;
}

/** Constants, selectors and views: what no step computes. */
function makeEntries(program: GadgetProgram, id: number, numbers: (id: number) => Numbers): Numbers {
  const t = program.tensors[id];
  const c = t.class;
  if (c.kind === 'constant')
    return c.values ? asNumbers(fromBigints(t.range, c.values), t.range) : maskValues(t.shape, c.guards ?? []);
  if (c.kind === 'selector') return selectorEntries(t.shape, numbers(c.of));
  if (c.kind !== 'view' && c.kind !== 'digits') throw new Error(`internal error: ${t.name} has no value`);
  const of = numbers(c.of);
  const { shape } = program.tensors[c.of];
  const map = c.kind === 'view' ? viewMap(t.shape, shape, c.at, c.guards) : digitMap(t.shape, shape, c.axes);
  const out = makeNumbers(program.tensors[c.of].range, map.length);
  for (const [i, position] of map.entries()) if (position >= 0) out[i] = of[position];
  return out;
}

function runStep(program: GadgetProgram, step: GadgetStep, numbers: (id: number) => Numbers): Numbers {
  if (step.kind === 'equation') {
    const { target, terms } = program.equations[step.equation];
    return sumTerms(program, program.tensors[target], terms, numbers);
  }
  const t = program.tensors[step.target];
  if (step.kind === 'sum') return sumTerms(program, t, step.terms, numbers);
  const of = numbers(step.of);
  switch (step.kind) {
    case 'floor':
      return checked(t, quotients(t, of, typeof step.by === 'bigint' ? step.by : numbers(step.by)));
    case 'root':
      return checked(t, roots(t, of, typeof step.by === 'bigint' ? step.by : numbers(step.by)));
    case 'limb':
      return limbs(t, of, step.from, step.sign, step.shift, step.bits);
    case 'clamp': {
      const out = makeNumbers(t.range, of.length);
      const [lo, hi] = [Number(step.lo), Number(step.hi)];
      for (let i = 0; i < of.length; i++) {
        const v = Number(of[i]);
        out[i] = v < lo ? lo : v > hi ? hi : v;
      }
      return out;
    }
    case 'isZero':
      return Int16Array.from({ length: of.length }, (_, i) => (Number(of[i]) === 0 ? 1 : 0));
    case 'table':
      return looked(program, step, t, of);
    case 'largest':
      return largest(of, step.over, step.mask === undefined ? undefined : numbers(step.mask));
    case 'after':
      return after(of, t.shape[t.shape.length - 1]);
    case 'select':
      return selectorEntries(t.shape, of);
  }
}

/** Values inside a tensor's range, or an error for the first that is not. */
function checked(t: GadgetTensor, v: Numbers): Numbers {
  const exact = Array.isArray(v);
  const [lo, hi] = [Number(t.range.lo), Number(t.range.hi)];
  for (let i = 0; i < v.length; i++) {
    const bad = exact ? v[i] < t.range.lo || v[i] > t.range.hi : v[i] < lo || v[i] > hi;
    if (bad) throw entryOutside(t, i, BigInt(v[i]));
  }
  return v;
}

/** In the narrowest storage for a range that the values are known to keep. */
function narrowed(v: Numbers, range: Range): Numbers {
  if (Array.isArray(v) ? !fitsDouble(range) : v instanceof Int16Array) return v;
  const out = makeNumbers(range, v.length);
  if (out.constructor === v.constructor) return v;
  for (let i = 0; i < v.length; i++) out[i] = Number(v[i]);
  return out;
}

function quotients(t: GadgetTensor, of: Numbers, by: bigint | Numbers): Numbers {
  const small = !Array.isArray(of) && (typeof by === 'bigint' ? by < 2n ** 53n : !Array.isArray(by));
  const divisor = (i: number): bigint => {
    const d = typeof by === 'bigint' ? by : BigInt(by[i]);
    if (d > 0n) return d;
    throw new ValueError(`${placeOf(t, i)} is a quotient by ${d}; a divisor has to be positive`);
  };
  if (small) {
    const out = new Float64Array(of.length);
    const constant = typeof by === 'bigint' ? Number(by) : 0;
    for (let i = 0; i < out.length; i++) {
      const d = typeof by === 'bigint' ? constant : Number(by[i]);
      if (d <= 0) divisor(i);
      out[i] = Math.floor(Number(of[i]) / d);
    }
    return out;
  }
  return Array.from({ length: of.length }, (_, i) => floorDivide(BigInt(of[i]), divisor(i)));
}

function floorDivide(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

/** floor(sqrt(of / by) + 1/2) = floor((floor(sqrt(4 of / by)) + 1) / 2) */
function roots(t: GadgetTensor, of: Numbers, by: bigint | Numbers): Numbers {
  return Array.from({ length: of.length }, (_, i) => {
    const d = typeof by === 'bigint' ? by : BigInt(by[i]);
    const x = BigInt(of[i]);
    if (d <= 0n || x < 0n) throw new ValueError(`${placeOf(t, i)} is a root of ${x} / ${d}; both have to be positive`);
    return (integerRoot((4n * x) / d) + 1n) >> 1n;
  });
}

/** Largest integer whose square is at most n >= 0. */
function integerRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

function limbs(t: GadgetTensor, of: Numbers, from: bigint, sign: 1 | -1, shift: number, bits: number): Numbers {
  const out = makeNumbers(t.range, of.length);
  if (!Array.isArray(of)) {
    const [start, by, most] = [Number(from), 2 ** shift, 2 ** bits];
    for (let i = 0; i < of.length; i++) {
      const v = sign * (of[i] - start);
      if (v > 0) out[i] = Math.floor(v / by) % most;
    }
    return out;
  }
  const mask = 2n ** BigInt(bits) - 1n;
  for (let i = 0; i < of.length; i++) {
    const v = BigInt(sign) * (of[i] - from);
    if (v > 0n) out[i] = Number((v >> BigInt(shift)) & mask);
  }
  return out;
}

function looked(
  program: GadgetProgram,
  { table, offset, of: argument }: GadgetStep & { kind: 'table' },
  t: GadgetTensor,
  of: Numbers,
): Numbers {
  const found = program.tables[table];
  if (found.kind !== 'function') throw new Error('internal error: a range has no values');
  const values = Float64Array.from(found.values, Number);
  const out = makeNumbers(t.range, of.length);
  const first = Number(offset);
  for (let i = 0; i < of.length; i++) {
    const k = Number(of[i]) + first;
    if (!(k >= 0 && k < values.length)) {
      const a = program.tensors[argument];
      throw new ValueError(
        `${placeOf(a, i)} is ${of[i]}, outside what the table ${found.name} has values for: [${-offset}, ${BigInt(values.length - 1) - offset}]`,
      );
    }
    out[i] = values[k];
  }
  return out;
}

/** 1 at the first largest entry of each run of `over` entries among those where the mask is not 0. */
function largest(of: Numbers, over: number, mask: Numbers | undefined): Numbers {
  const out = new Int16Array(of.length);
  for (let start = 0; start < of.length; start += over) {
    let best = -1;
    for (let i = start; i < start + over; i++)
      if ((mask === undefined || Number(mask[i]) !== 0) && (best < 0 || of[i] > of[best])) best = i;
    if (best >= 0) out[best] = 1;
  }
  return out;
}

function after(of: Numbers, length: number): Numbers {
  const out = new Int16Array(of.length);
  for (let start = 0; start < of.length; start += length)
    for (let i = length - 2; i >= 0; i--) out[start + i] = out[start + i + 1] + Number(of[start + i + 1]);
  return out;
}
