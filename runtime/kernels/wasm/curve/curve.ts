/**
 * G1 of BLS12-381 on pairs: complete projective formulas, square roots and the subgroup check.
 *
 * An affine point in a vector is x then y. Infinity has INFINITY_MARK as the lowest digit of x, which no normal digit reaches.
 */
import { f64, f64x2, i32, i64, i64x2, v128, type I32, type V128 } from '../emit/code.ts';
import { ZERO, type ScratchPlan } from '../emit/layout.ts';
import { scratchBase, type Callee, type ModuleBuilder } from '../emit/module.ts';
import type { Slot, Slots } from '../emit/slots.ts';
import { BETA, BLS_X, G1_B } from '../../../curve/params.ts';

/** In place of x's lowest digit. */
export const INFINITY_MARK = 2 ** 52;
const MARK_BITS = 0x4330000000000000n;

/** Whether the affine point at an address is the point at infinity. */
export const isInfinity = (point: I32): I32 => i64.eq(i64.load(point), MARK_BITS);

/** A reference's address, without its sign in bit 0. */
export const pointOf = (reference: I32): I32 => i32.and(reference, -2);

/** Bit 63 set where the reference is negative, one lane each. */
export function signMask(first: I32, second: I32): V128 {
  const sign = (reference: I32) => f64.reinterpret(i64.shl(i64.extend_u(reference), 63n));
  return f64x2.replaceLane(f64x2.splat(sign(first)), 1, sign(second));
}

/** x, y, z of a pair of projective points. */
type Projective = readonly [Slot, Slot, Slot];

export interface CurveFunctions {
  readonly double: Callee;
  readonly add: Callee;
}

const offsets = (slots: Slots, base: I32): Projective => {
  const size = slots.field.pairBytes;
  return [slots.at(base), slots.at(i32.add(base, size)), slots.at(i32.add(base, 2 * size))];
};

/**
 * `target = 2 a` and `target = a + b` for pairs of projective points in scratch memory (Renes, Costello, Batina, ePrint 2015/1060, algorithms 9 and 7,
 * a = 0). Complete: the curve has no point of order two.
 */
function emitFormulas(m: ModuleBuilder, slots: Slots): CurveFunctions {
  const t = Array.from({ length: 9 }, () => slots.slot());
  const b3 = Number(3n * G1_B);

  const double = m.function({ params: ['i32', 'i32'] }, (c, target, a) => {
    const [X, Y, Z] = offsets(slots, a);
    const [X3, Y3, Z3] = offsets(slots, target);
    const yy = slots.mul(c, t[0], Y, Y);
    const yy8 = slots.normalize(c, t[1], slots.scale(c, t[1], yy, 8));
    const zz = slots.mul(c, t[2], Z, Z);
    const bzz = slots.normalize(c, t[2], slots.scale(c, t[2], zz, b3));
    const yz = slots.mul(c, t[3], Y, Z);
    const xy = slots.mul(c, t[4], X, Y);
    const xy2 = slots.add(c, t[4], xy, xy);
    const sum = slots.add(c, t[5], yy, bzz);
    const bzz3 = slots.scale(c, t[6], bzz, 3);
    const rest = slots.sub(c, t[6], yy, bzz3);
    slots.mul(c, X3, rest, xy2);
    slots.twoProducts(c, Y3, rest, sum, bzz, yy8);
    slots.mul(c, Z3, yz, yy8);
  });

  const add = m.function({ params: ['i32', 'i32', 'i32'] }, (c, target, a, b) => {
    const [X1, Y1, Z1] = offsets(slots, a);
    const [X2, Y2, Z2] = offsets(slots, b);
    const [X3, Y3, Z3] = offsets(slots, target);
    const xx = slots.mul(c, t[0], X1, X2);
    const yy = slots.mul(c, t[1], Y1, Y2);
    const zz = slots.mul(c, t[2], Z1, Z2);
    const xy = slots.twoProducts(c, t[3], X1, Y2, X2, Y1);
    const yz = slots.twoProducts(c, t[4], Y1, Z2, Y2, Z1);
    const xz = slots.twoProducts(c, t[5], X1, Z2, X2, Z1);
    const bxz = slots.normalize(c, t[5], slots.scale(c, t[5], xz, b3));
    const bzz = slots.normalize(c, t[2], slots.scale(c, t[2], zz, b3));
    const sum = slots.add(c, t[6], yy, bzz);
    const difference = slots.sub(c, t[7], yy, bzz);
    const xx3 = slots.scale(c, t[0], xx, 3);
    const minus = slots.scale(c, t[8], yz, -1);
    slots.twoProducts(c, X3, xy, difference, minus, bxz);
    slots.twoProducts(c, Y3, sum, difference, xx3, bxz);
    slots.twoProducts(c, Z3, yz, sum, xx3, xy);
  });
  return { double, add };
}

/** @param one address of the element 1. @param invert see `emitInverse`. */
export function emitCurve(
  m: ModuleBuilder,
  slots: Slots,
  scratch: ScratchPlan,
  one: number,
  invert: Callee,
): CurveFunctions {
  const { field } = slots;
  const functions = emitFormulas(m, slots);
  const size = 3 * field.pairBytes;
  const projective = () => i32.add(scratchBase, scratch.allocate(size));
  const [p, q, r] = [projective(), projective(), projective()];

  /** target := the affine points that two references name, 0 or a marked point being infinity. */
  const loadAffine = m.function({ params: ['i32', 'i32', 'i32'] }, (c, target, first, second) => {
    const [X, Y, Z] = offsets(slots, target);
    const at = [first, second].map((reference) => {
      const point = c.let(pointOf(reference));
      const infinite = c.let(i32.select(1, isInfinity(point), i32.eqz(point)));
      return {
        x: c.let(i32.select(ZERO, point, infinite)),
        y: c.let(i32.select(one, i32.add(point, field.bytes), infinite)),
        z: c.let(i32.select(ZERO, one, infinite)),
      };
    });
    slots.gather(c, X, at[0].x, at[1].x);
    const y = field.gather(c, at[0].y, at[1].y);
    field.store(c, Y.address, field.flip(c, y, c.let(signMask(first, second))));
    slots.gather(c, Z, at[0].z, at[1].z);
  });

  // horner(target, first, second, count): sum of 2^i P_i for two lists of `count` addresses of affine points (0: none), projective, in scratch layout.
  m.function({ name: 'horner', params: ['i32', 'i32', 'i32', 'i32'] }, (c, target, first, second, count) => {
    c.call(loadAffine, p, 0, 0);
    const i = c.let(i32.shl(count, 2));
    c.while(
      () => i32.gt_s(i, 0),
      () => {
        c.inc(i, -4);
        c.call(functions.double, q, p);
        c.call(loadAffine, r, i32.load(i32.add(first, i)), i32.load(i32.add(second, i)));
        c.call(functions.add, p, q, r);
      },
    );
    c.copy(target, p, size);
  });

  // toAffine(target, source, count): pairs of projective points to affine ones, lane 0 and 1 one after the other; (0, 0) for infinity.
  const [depth, swapped, product, affine] = [slots.slot(), slots.slot(), slots.slot(), slots.slot()] as const;
  m.function({ name: 'toAffine', params: ['i32', 'i32', 'i32'] }, (c, target, source, count) => {
    c.for(0, count, (k) => {
      const [X, Y, Z] = offsets(slots, c.let(i32.add(source, i32.mul(k, size))));
      const at = c.let(i32.add(target, i32.mul(k, 4 * field.bytes)));
      const second = i32.add(at, 2 * field.bytes);
      // One inversion for both lanes; where z is 0 it is taken for 1, and the point is cleared.
      const z = field.load(c, Z.address);
      const infinite = field.isZero(c, z);
      field.store(c, depth.address, field.select(c, field.constant(1n), z, infinite));
      slots.swap(c, swapped, depth);
      slots.mul(c, product, depth, swapped);
      c.call(invert, product.address, product.address);
      slots.mul(c, product, product, swapped);
      for (const [coordinate, offset] of [
        [X, 0],
        [Y, field.bytes],
      ] as const) {
        const value = field.load(c, slots.mul(c, affine, coordinate, product).address);
        const limbs = value.limbs.map((limb) => c.let(v128.andnot(limb, infinite)));
        field.scatter(c, at, second, { limbs, slack: 1 }, offset);
      }
    });
  });

  emitRoots(m, slots);
  emitSubgroup(m, slots, functions, { p, q, r, loadAffine });
  return functions;
}

/** roots(points, good, from, to): fills in y, some root of x^3 + 4, and good[i] = 1 where there is one. */
function emitRoots(m: ModuleBuilder, slots: Slots): void {
  const { field } = slots;
  const [x, square, root, check] = [slots.slot(), slots.slot(), slots.slot(), slots.slot()] as const;
  m.function({ name: 'roots', params: ['i32', 'i32', 'i32', 'i32'] }, (c, points, good, from, to) => {
    c.for(
      from,
      to,
      (i) => {
        const first = c.let(i32.add(points, i32.mul(i, 2 * field.bytes)));
        const second = c.let(i32.add(first, i32.mul(2 * field.bytes, i32.lt_s(i32.add(i, 1), to))));
        slots.gather(c, x, first, second);
        const b = slots.constant(c, check, field.p - G1_B);
        slots.mul(c, square, x, x);
        slots.mulSub(c, square, square, x, b);
        slots.power(c, root, square, (field.p + 1n) / 4n);
        slots.mulSub(c, check, root, root, square);
        slots.scatter(c, first, second, root, field.bytes);
        const zero = field.isZero(c, field.load(c, check.address));
        c.store32(i32.add(good, i32.shl(i, 2)), i32.wrap(i64x2.lane(zero, 0)));
        c.if(i32.lt_s(i32.add(i, 1), to), () =>
          c.store32(i32.add(good, i32.shl(i, 2)), i32.wrap(i64x2.lane(zero, 1)), 4),
        );
      },
      2,
    );
  });
}

/** inSubgroup(points, good, from, to): good[i] = whether phi(P) = -[x^2] P (Scott, ePrint 2021/1130, section 4), for points on the curve. */
function emitSubgroup(
  m: ModuleBuilder,
  slots: Slots,
  { double, add }: CurveFunctions,
  { p, q, r, loadAffine }: { readonly p: I32; readonly q: I32; readonly r: I32; readonly loadAffine: Callee },
): void {
  const { field } = slots;
  const size = 3 * field.pairBytes;
  /** p := |x| q, with q left alone. */
  const timesX = m.function({ params: [] }, (c) => {
    c.copy(p, q, size);
    let pending = 0;
    const flush = () => {
      if (pending > 0) c.for(0, pending, () => c.call(double, p, p));
      pending = 0;
    };
    for (const bit of BLS_X.toString(2).slice(1)) {
      pending++;
      if (bit === '1') {
        flush();
        c.call(add, p, p, q);
      }
    }
    flush();
  });
  const [u, v] = [slots.slot(), slots.slot()] as const;
  m.function({ name: 'inSubgroup', params: ['i32', 'i32', 'i32', 'i32'] }, (c, points, good, from, to) => {
    c.for(
      from,
      to,
      (i) => {
        const first = c.let(i32.add(points, i32.mul(i, 2 * field.bytes)));
        const second = c.let(i32.add(first, i32.mul(2 * field.bytes, i32.lt_s(i32.add(i, 1), to))));
        c.call(loadAffine, r, first, second);
        c.copy(q, r, size);
        c.call(timesX);
        c.copy(q, p, size);
        c.call(timesX);
        // (X : Y : Z) = [x^2] P against (beta x : -y : 1): both cross products vanish. Infinity is (0 : 1 : 0) on both sides; on one side only,
        // the second product does not vanish.
        const [X, Y, Z] = offsets(slots, p);
        const [x, y, z] = offsets(slots, r);
        const betaX = slots.mul(c, u, x, slots.constant(c, u, BETA));
        const minusX = slots.scale(c, v, X, -1);
        const sameX = field.isZero(c, field.load(c, slots.twoProducts(c, u, betaX, Z, minusX, z).address));
        const sameY = field.isZero(c, field.load(c, slots.twoProducts(c, u, y, Z, Y, z).address));
        const ok = c.let(v128.and(sameX, sameY));
        c.store32(i32.add(good, i32.shl(i, 2)), i32.wrap(i64x2.lane(ok, 0)));
        c.if(i32.lt_s(i32.add(i, 1), to), () =>
          c.store32(i32.add(good, i32.shl(i, 2)), i32.wrap(i64x2.lane(ok, 1)), 4),
        );
      },
      2,
    );
  });
}
