/**
 * The tables of one layer's sumcheck in a fraction tree: whole ones where memory has room for them, before that a stretch at
 * a time, made again from the layers that are there for each round.
 */
import type { AnyTable, Device, FrVector } from '../../device/device.ts';
import { add, constant, mul, sub, table } from '../../kernels/expression.ts';
import { add as plus, mul as times, sub as minus } from '../../protocol/scalar.ts';
import type { Held, HeldValue } from '../held.ts';
import type { TreeBudget, TreeLayers } from './tree-storage.ts';
import { leafSumcheck } from './constant-numerators.ts';

const one = constant(1);
/** p0 q1 + q0 (p1 + lambda q1) over the tables p0, p1, a = q0 - 1, b = q1 - 1 and the constants lambda, 1. */
const firstSummand = add(
  mul(table(0), add(table(3), one)),
  mul(add(table(2), one), add(table(1), mul(constant(0), add(table(3), one)))),
);
/** The same over p0, u = p1 + lambda b, a, b. */
const summand = add(mul(table(0), add(table(3), one)), mul(add(table(2), one), add(table(1), constant(0))));
const fold = add(table(0), mul(constant(0), sub(table(1), table(0))));
/** u over p1, b and the constant lambda. */
const withMultiple = add(table(0), mul(constant(0), table(1)));
/** u at x over the halves of p1 and of b, and the constants x, lambda, lambda x. */
const foldSum = add(add(fold, mul(constant(1), table(2))), mul(constant(2), sub(table(3), table(2))));

const identity = table(0);
/** The first entry of any table. */
export const readFirst = async (device: Device, t: AnyTable): Promise<bigint> => {
  const one = t.kind === 'fr' && t.length === 1 ? t : device.map(device.prepare(identity), [t], [], 1);
  return (await device.readFr(one))[0];
};

/** eq weights of `rest`, the last `innerBits` variables apart. */
const weightsOf = (device: Device, rest: readonly bigint[], innerBits: number) => ({
  outer: device.eq(rest.slice(0, rest.length - innerBits)),
  inner: device.eq(rest.slice(rest.length - innerBits)),
  innerBits,
});

/** p0, p1 or u, q0 - 1, q1 - 1. */
type Four<V = AnyTable> = readonly [V, V, V, V];

/** The tables of the sumcheck with 2^j outputs: halves of layer j + 1, some variables bound. */
export async function layerSumcheck(
  device: Device,
  held: Held,
  layers: TreeLayers,
  budget: TreeBudget,
  j: number,
  lambda: bigint,
  releaseLayer: () => void,
) {
  const bound: bigint[] = [];
  const [foldKernel, foldSumKernel] = [fold, foldSum].map((e) => device.prepare(e));
  /** With all variables of `bound` bound, where they are there as a whole. */
  let folded: HeldValue<Four> | undefined;

  const own = j + 1 === layers.depth ? leafSumcheck(device, layers.leaves, lambda, firstSummand, foldSum) : undefined;
  const fours = <A, B>(of: Four<A>, make: (v: A) => B): Four<B> => [make(of[0]), make(of[1]), make(of[2]), make(of[3])];
  const space = (length: number): Four<FrVector> => fours([0, 0, 0, 0], () => device.space(length));
  const part = (of: Four<FrVector>, start: number, length: number): Four<FrVector> =>
    fours(of, (v) => device.slice(v, start, length));

  /** Positions [start, start + length) with nothing bound, as views. */
  const views = (start: number, length: number): Four => {
    const [lo, hi] = [layers.view(j + 1, start, length), layers.view(j + 1, start + 2 ** j, length)];
    return [lo.p, hi.p, lo.q, hi.q];
  };
  /** Of a layer that is kept: u, so that rounds have a product less. */
  const sum = layers.keeps(j + 1)
    ? await held.make(() => {
        const [, p1, , b] = views(0, 2 ** j);
        return device.map(device.prepare(withMultiple), [p1, b], [lambda], 2 ** j);
      })
    : undefined;

  /** Positions [start, start + length) with the first `count` variables of `bound` bound. */
  const fill = async (count: number, start: number, length: number, into: Four<FrVector>): Promise<void> => {
    if (count === 0) {
      await layers.fill(j + 1, start, length, { p: into[0], q: into[2] });
      await layers.fill(j + 1, start + 2 ** j, length, { p: into[1], q: into[3] });
      return;
    }
    await device.scope(async () => {
      const lo = await stretch(count - 1, start, length);
      const hi = await stretch(count - 1, start + 2 ** (j - count), length);
      const x = bound[count - 1];
      for (const k of [0, 1, 2, 3] as const)
        if (k === 1 && count === 1)
          device.map(foldSumKernel, [lo[1], hi[1], lo[3], hi[3]], [x, lambda, times(lambda, x)], length, into[1]);
        else device.map(foldKernel, [lo[k], hi[k]], [x], length, into[k]);
    });
  };
  const stretch = async (count: number, start: number, length: number): Promise<Four> => {
    if (count === 0 && layers.has(j + 1)) return views(start, length);
    const made = space(length);
    await fill(count, start, length, made);
    return made;
  };
  const variables = (): number => j - bound.length;
  const isWhole = (): boolean => folded !== undefined || (bound.length === 0 && layers.has(j + 1));
  /** All of the tables, where they are there. */
  const whole = (): Four | undefined => {
    if (folded || !isWhole()) return folded?.value;
    const [p0, p1, a, b] = views(0, 2 ** j);
    return [p0, sum?.value ?? p1, a, b];
  };
  /** Whether tables have u in the place of p1. */
  const summed = (): boolean => bound.length > 0 || sum !== undefined;

  /** The whole tables at x: as `device.fold`, and u where it begins. */
  const foldWhole = async ([p0, p1, a, b]: Four, x: bigint): Promise<Four> => {
    const left = variables();
    if (own && bound.length === 0) return (await own.fold(x)) as readonly FrVector[] as Four;
    if (summed()) return device.fold([p0, p1, a, b], left, x) as readonly FrVector[] as Four;
    const [p, q, r] = device.fold([p0, a, b], left, x);
    const [start, size] = [2 ** j, 2 ** (j - 1)];
    const ends = [layers.view(j + 1, start, size), layers.view(j + 1, start + size, size)];
    const length = Math.min(size, p1.length);
    const halves = [ends[0].p, ends[1].p, ends[0].q, ends[1].q];
    return [p, device.map(foldSumKernel, halves, [x, lambda, times(lambda, x)], length), q, r];
  };

  const all = (points: readonly (number | 'inf')[], rest: readonly bigint[], tables: Four): Promise<bigint[]> => {
    const weights = weightsOf(device, rest, rest.length - (rest.length >> 1));
    return device.round(kernel(), tables, [lambda, 1n], variables(), points, weights);
  };
  const kernel = () => device.prepare(summed() ? summand : firstSummand);

  /** The sum of a round, a stretch at a time. */
  const byStretches = async (points: readonly (number | 'inf')[], rest: readonly bigint[]): Promise<bigint[]> => {
    const bits = Math.min(budget.stretch, rest.length);
    const [half, length] = [2 ** rest.length, 2 ** bits];
    const { outer, inner, innerBits } = weightsOf(device, rest, Math.min(bits, rest.length - (rest.length >> 1)));
    const blocks = length / 2 ** innerBits;
    let sums = points.map(() => 0n);
    for (let start = 0; start < half; start += length)
      await device.scope(async () => {
        const tables = space(2 * length);
        await fill(bound.length, start, length, part(tables, 0, length));
        await fill(bound.length, start + half, length, part(tables, length, length));
        const weights = { outer: device.slice(outer, (start / length) * blocks, blocks), inner, innerBits };
        const values = await device.round(kernel(), tables, [lambda, 1n], bits + 1, points, weights);
        sums = sums.map((s, k) => plus(s, values[k]));
      });
    return sums;
  };

  const filled = async (left: number): Promise<Four> => {
    const out = space(2 ** left);
    const length = 2 ** Math.min(left, budget.stretch);
    for (let start = 0; start < 2 ** left; start += length)
      await device.scope(() => fill(bound.length, start, length, part(out, start, length)));
    return out;
  };
  const releaseTables = (): void => {
    if (folded) return folded.release();
    sum?.release();
    releaseLayer();
  };

  return {
    variables,
    round: (points: readonly (number | 'inf')[], rest: readonly bigint[]): Promise<bigint[]> =>
      device.scope(() => {
        if (own && bound.length === 0 && points.join() === '0,inf') return own.round(rest);
        const tables = whole();
        return tables ? all(points, rest, tables) : byStretches(points, rest);
      }),

    async bind(x: bigint): Promise<void> {
      const left = variables() - 1;
      // Tables that do not fit are made a stretch at a time from what they come from.
      const fits = left <= budget.fold;
      const next = fits && isWhole() ? await held.make(() => foldWhole(whole()!, x)) : undefined;
      bound.push(x);
      if (!fits) return;
      const made = next ?? (await held.make(() => filled(left)));
      releaseTables();
      folded = made;
    },

    /** p0, p1, q0, q1, with all variables bound. */
    last: () =>
      device
        .scope(async () => {
          const four = whole() ?? (await stretch(bound.length, 0, 1));
          const values: bigint[] = [];
          for (const t of four) values.push(await readFirst(device, t));
          const [p0, u, a, b] = values;
          const p1 = summed() ? minus(u, times(lambda, b)) : u;
          return [p0, p1, plus(1n, a), plus(1n, b)];
        })
        .finally(releaseTables),
  };
}
