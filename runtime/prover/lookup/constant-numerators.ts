/**
 * The first round over a tree's leaves, and the layer above them. Most leaves have the numerator 1, or are absent: where
 * numerators are constants, sums of fractions take one product instead of three.
 */
import type { AnyTable, Device, FrVector } from '../../device/device.ts';
import { add, constant, evaluate, leading, mul, sub, table, type Expression } from '../../kernels/expression.ts';
import { add as plus, bitsFor, inv, mul as times, sub as minus } from '../../protocol/scalar.ts';
import type { DeviceLeaves } from './leaves.ts';

/** Positions [start, start + length), and the numerators there where they are constants. */
interface Run {
  readonly start: number;
  readonly length: number;
  readonly numerators: readonly bigint[] | undefined;
}

/** [start, start + length) in stretches where the numerators of all leaves `offsets` further on are constants, or are not. */
export function leafRuns(leaves: DeviceLeaves, start: number, length: number, offsets: readonly number[]): Run[] {
  if ([start, length, ...offsets].some((n) => n % leaves.block !== 0))
    return [{ start, length, numerators: undefined }];
  const out: Run[] = [];
  for (let at = start; at < start + length; at += leaves.block) {
    const found = offsets.map((o) => leaves.numerator(at + o));
    const numerators = found.every((n) => n !== undefined) ? found : undefined;
    const last = out.at(-1);
    if (last !== undefined && last.numerators?.join() === numerators?.join())
      out[out.length - 1] = { ...last, length: last.length + leaves.block };
    else out.push({ start: at, length: leaves.block, numerators });
  }
  return out;
}

/** p0 q1 + p1 q0 for constant numerators, over q0 - 1, q1 - 1 and the constants p0 + p1, p0, p1. */
export const constantSum = add(add(constant(0), mul(constant(1), table(1))), mul(constant(2), table(0)));
/** The same where both are 1. */
export const plainSum = add(add(constant(0), table(0)), table(1));

/** lambda^-1 of p0 q1 + q0 (p1 + lambda q1): over a, b and p0 / lambda + 1, p1 / lambda + 1, p0 p1 / lambda^2. */
const constantSummand = sub(mul(add(table(0), constant(0)), add(table(1), constant(1))), constant(2));

/** What a round sends at infinity, at the position itself: table k is the slope from table 2 k to table 2 k + 1. */
const slopes = (e: Expression): Expression =>
  evaluate<Expression>(e, {
    table: (k) => sub(table(2 * k + 1), table(2 * k)),
    constant,
    add,
    sub,
    mul,
  });
const fold = add(table(0), mul(constant(0), sub(table(1), table(0))));
const scaled = add(constant(0), mul(constant(1), table(0)));

/** The sumcheck over the leaves, up to its first challenge. */
export interface LeafSumcheck {
  /** g(0) and the leading coefficient; `rest`: the point of the weights. */
  round(rest: readonly bigint[]): Promise<[bigint, bigint]>;
  /** p0, p1 + lambda (q1 - 1), q0 - 1, q1 - 1 at x; the second and fourth may end early. */
  fold(x: bigint): Promise<FrVector[]>;
}

/**
 * Undefined where leaves are too few to be worth it.
 * @param summand over p0, p1, a, b and the constants lambda, 1
 * @param foldSum what p1 + lambda b is at x, over the ends of p1 and of b and the constants x, lambda, lambda x
 */
export function leafSumcheck(
  device: Device,
  leaves: DeviceLeaves,
  lambda: bigint,
  summand: Expression,
  foldSum: Expression,
): LeafSumcheck | undefined {
  const size = 2 ** (leaves.depth - 2);
  if (size < leaves.block || lambda === 0n) return undefined;
  /** Where the lower and upper halves of p0 and of p1 begin. */
  const offsets = [0, size, 2 * size, 3 * size];
  const runs = leafRuns(leaves, 0, size, offsets);
  const inverse = inv(lambda);
  const kernels = {
    general: device.prepare(summand),
    generalSlope: device.prepare(slopes(leading(summand))),
    constant: device.prepare(constantSummand),
    constantSlope: device.prepare(slopes(constantSummand)),
    fold: device.prepare(fold),
    foldSum: device.prepare(foldSum),
    scaled: device.prepare(scaled),
    fill: device.prepare(constant(0)),
  };
  const ends = ({ start, length }: Run) => offsets.map((o) => leaves.stretch(start + o, length));
  const factors = (p0: bigint, p1: bigint, shift: bigint): bigint[] => [
    plus(times(p0, inverse), shift),
    plus(times(p1, inverse), shift),
    times(times(p0, p1), times(inverse, inverse)),
  ];

  return {
    async round(rest) {
      const innerBits = Math.min(rest.length - (rest.length >> 1), Math.log2(leaves.block));
      const outer = device.eq(rest.slice(0, rest.length - innerBits));
      const inner = device.eq(rest.slice(rest.length - innerBits));
      let [at0, top] = [0n, 0n];
      for (const run of runs)
        await device.scope(async () => {
          const [lo0, hi0, lo1, hi1] = ends(run);
          const block = device.slice(outer, run.start / 2 ** innerBits, run.length / 2 ** innerBits);
          const sum = async (kernel: { expression: Expression }, tables: AnyTable[], constants: bigint[]) => {
            const weights = { outer: block, inner, innerBits };
            return (await device.round(kernel, tables, constants, bitsFor(run.length) + 1, [0], weights))[0];
          };
          if (run.numerators === undefined) {
            at0 = plus(at0, await sum(kernels.general, [lo0.p, lo1.p, lo0.q, lo1.q], [lambda, 1n]));
            const tables = [lo0.p, hi0.p, lo1.p, hi1.p, lo0.q, hi0.q, lo1.q, hi1.q];
            top = plus(top, await sum(kernels.generalSlope, tables, [lambda, 1n]));
            return;
          }
          const [p0, r0, p1, r1] = run.numerators;
          const lower = await sum(kernels.constant, [lo0.q, lo1.q], factors(p0, p1, 1n));
          at0 = plus(at0, times(lambda, lower));
          const change = factors(minus(r0, p0), minus(r1, p1), 0n);
          const upper = await sum(kernels.constantSlope, [lo0.q, hi0.q, lo1.q, hi1.q], change);
          top = plus(top, times(lambda, upper));
        });
      return [at0, top];
    },

    async fold(x) {
      const short = leaves.stretch(2 * size, size).q.length;
      const [p0, u, a, b] = [size, short, size, short].map((n) => device.space(n));
      for (const run of runs)
        await device.scope(async () => {
          const [lo0, hi0, lo1, hi1] = ends(run);
          const count = Math.max(0, Math.min(run.length, short - run.start));
          const part = (v: FrVector, n: number): FrVector => device.slice(v, Math.min(run.start, v.length), n);
          const into = (
            e: { expression: Expression },
            tables: AnyTable[],
            constants: bigint[],
            v: FrVector,
            n: number,
          ) => device.map(e, tables, constants, n, part(v, n));
          into(kernels.fold, [lo0.q, hi0.q], [x], a, run.length);
          if (count > 0) into(kernels.fold, [lo1.q, hi1.q], [x], b, count);
          if (run.numerators === undefined) {
            into(kernels.fold, [lo0.p, hi0.p], [x], p0, run.length);
            const halves = [lo1.p, hi1.p, lo1.q, hi1.q];
            if (count > 0) into(kernels.foldSum, halves, [x, lambda, times(lambda, x)], u, count);
            return;
          }
          const at = (lo: bigint, hi: bigint): bigint => plus(lo, times(x, minus(hi, lo)));
          const [q0, r0, q1, r1] = run.numerators;
          into(kernels.fill, [], [at(q0, r0)], p0, run.length);
          if (count > 0) into(kernels.scaled, [part(b, count)], [at(q1, r1), lambda], u, count);
        });
      return [p0, u, a, b];
    },
  };
}
