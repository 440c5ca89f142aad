/**
 * Inversion by division steps (Bernstein, Yang, ePrint 2019/266), thirty at a time on the lowest words of f and g, in variable time. The shape is that
 * of libsecp256k1's `modinv32_var`: numbers are limbs of 30 bits, all but the top one non-negative.
 */
import { f64, i32, i64, type I32, type I64, type Local } from '../emit/code.ts';
import type { Field } from './field.ts';
import type { ScratchPlan } from '../emit/layout.ts';
import { call, scratchBase, type Callee, type Code, type ModuleBuilder } from '../emit/module.ts';
import { canonicalDigits, digitOfLimbs } from './words.ts';
import { inverse as inverseOf } from '../../../field/spec.ts';

type Quad = [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
type Factors = [Local<'i64'>, Local<'i64'>, Local<'i64'>, Local<'i64'>];

const BITS = 30;
const MASK = 2n ** 30n - 1n;

/** Defines `fqInvert(target, source)` on pairs whose lanes are equal: 1 / source in Montgomery form, 0 for 0. */
export function emitInverse(m: ModuleBuilder, name: string, field: Field, scratch: ScratchPlan): Callee {
  // Two bits to spare: d and e stay between -2p and p.
  const limbs = Math.ceil((field.p.toString(2).length + 2) / BITS);
  const number = () => scratch.allocate(4 * limbs);
  const [f, g, d, e] = [number(), number(), number(), number()];
  const matrix = scratch.allocate(16);
  const pair = scratch.allocate(field.pairBytes);
  const modulus = Array.from({ length: limbs }, (_, i) => (field.p >> BigInt(BITS * i)) & MASK);
  const minusInverse = inverseOf(field.p, 2n ** 30n);
  const limb = (at: number, i: number): I64 => i64.load32_s(scratchBase, at + 4 * i);
  const setLimb = (c: Code, at: number, i: number, value: I64) => c.store32(scratchBase, i32.wrap(value), at + 4 * i);

  const steps = emitSteps(m, { f, g, matrix });
  const factors = (c: Code) => Array.from({ length: 4 }, (_, i) => c.let(limb(matrix, i))) as Factors;

  /** (f, g) := matrix (f, g) / 2^30. */
  const updateFG = m.function({ params: [] }, (c) => {
    const [u, v, q, r] = factors(c);
    const [cf, cg] = [c.let(i64.const(0n)), c.let(i64.const(0n))];
    for (let i = 0; i < limbs; i++) {
      const [fi, gi] = [c.let(limb(f, i)), c.let(limb(g, i))];
      c.set(cf, i64.add(cf, i64.add(i64.mul(u, fi), i64.mul(v, gi))));
      c.set(cg, i64.add(cg, i64.add(i64.mul(q, fi), i64.mul(r, gi))));
      if (i > 0) {
        setLimb(c, f, i - 1, i64.and(cf, MASK));
        setLimb(c, g, i - 1, i64.and(cg, MASK));
      }
      c.set(cf, i64.shr_s(cf, BigInt(BITS)));
      c.set(cg, i64.shr_s(cg, BigInt(BITS)));
      c.release(fi, gi);
    }
    setLimb(c, f, limbs - 1, cf);
    setLimb(c, g, limbs - 1, cg);
  });

  /** (d, e) := matrix (d, e) / 2^30 modulo p, both between -2p and p. */
  const updateDE = m.function({ params: [] }, (c) => {
    const [u, v, q, r] = factors(c);
    const [signD, signE] = [d, e].map((at) => c.let(i64.shr_s(limb(at, limbs - 1), 63n))) as [
      Local<'i64'>,
      Local<'i64'>,
    ];
    const start = (a: I64, b: I64) => c.let(i64.add(i64.and(a, signD), i64.and(b, signE)));
    const [md, me] = [start(u, v), start(q, r)];
    const [cd, ce] = [c.let(i64.const(0n)), c.let(i64.const(0n))];
    for (let i = 0; i < limbs; i++) {
      const [di, ei] = [c.let(limb(d, i)), c.let(limb(e, i))];
      c.set(cd, i64.add(cd, i64.add(i64.mul(u, di), i64.mul(v, ei))));
      c.set(ce, i64.add(ce, i64.add(i64.mul(q, di), i64.mul(r, ei))));
      if (i === 0)
        // Multiples of p that make the lowest 30 bits vanish.
        for (const [m_, carry] of [
          [md, cd],
          [me, ce],
        ] as const)
          c.set(m_, i64.sub(m_, i64.and(i64.add(i64.mul(i64.const(minusInverse), carry), m_), MASK)));
      if (modulus[i] !== 0n) {
        c.set(cd, i64.add(cd, i64.mul(i64.const(modulus[i]), md)));
        c.set(ce, i64.add(ce, i64.mul(i64.const(modulus[i]), me)));
      }
      if (i > 0) {
        setLimb(c, d, i - 1, i64.and(cd, MASK));
        setLimb(c, e, i - 1, i64.and(ce, MASK));
      }
      c.set(cd, i64.shr_s(cd, BigInt(BITS)));
      c.set(ce, i64.shr_s(ce, BigInt(BITS)));
      c.release(di, ei);
    }
    setLimb(c, d, limbs - 1, cd);
    setLimb(c, e, limbs - 1, ce);
  });

  return m.function({ name, params: ['i32', 'i32'] }, (c, target, source) => {
    const digits = canonicalDigits(c, field, source, 16);
    for (let i = 0; i < limbs; i++) {
      setLimb(c, f, i, i64.const(modulus[i]));
      setLimb(c, g, i, digitOfLimbs(digits, field.w, BITS, i));
      setLimb(c, d, i, i64.const(0n));
      setLimb(c, e, i, i64.const(i === 0 ? 1n : 0n));
    }
    const eta = c.let(i32.const(-1));
    const rest = c.local('i32');
    const isZero = (at: number): I32 => {
      c.set(rest, i32.const(0));
      for (let i = 0; i < limbs; i++) c.set(rest, i32.or(rest, i32.load(scratchBase, at + 4 * i)));
      return i32.eqz(rest);
    };
    c.block((leave) =>
      c.loop((again) => {
        leave(isZero(g));
        c.set(eta, call('i32', steps, eta));
        c.call(updateDE);
        c.call(updateFG);
        again();
      }),
    );
    // f is 1 or -1: the inverse is d with f's sign. Digits of d, each below 2^w, the top one signed.
    const sign = c.let(f64.convert_i64(i64.or(i64.shr_s(limb(f, limbs - 1), 63n), 1n)));
    const dLimbs = Array.from({ length: limbs }, (_, i) => c.let(limb(d, i)));
    for (let i = 0; i < field.n; i++) {
      const digit = f64.mul(f64.convert_i64(digitOfLimbs(dLimbs, BITS, field.w, i, i === field.n - 1)), sign);
      for (const lane of [0, 8]) c.store64(scratchBase, digit, pair + 16 * i + lane);
    }
    const x = { ...field.load(c, scratchBase, pair), slack: 4 };
    field.store(c, target, field.mul(c, x, field.constant(field.R ** 2n), { normal: true }));
  });
}

/** Thirty division steps on the lowest limbs: leaves the transition matrix u, v, q, r in scratch and returns the new eta = -delta. */
function emitSteps(m: ModuleBuilder, at: { readonly f: number; readonly g: number; readonly matrix: number }): Callee {
  return m.function({ params: ['i32'], result: 'i32' }, (c, eta) => {
    const [f, g] = [c.let(i32.load(scratchBase, at.f)), c.let(i32.load(scratchBase, at.g))];
    const [u, v, q, r] = [1, 0, 0, 1].map((x) => c.let(i32.const(x))) as Quad;
    const left = c.let(i32.const(BITS));
    const zeros = c.local('i32');
    const old = c.local('i32');
    const limit = c.local('i32');
    /** (a, b) := (b, -a). */
    const turn = (a: Local<'i32'>, b: Local<'i32'>) => {
      c.set(old, a);
      c.set(a, b);
      c.set(b, i32.sub(0, old));
    };
    c.block((leave) =>
      c.loop((again) => {
        // Halve g while it is even, at most as often as steps are left.
        c.set(zeros, i32.ctz(i32.or(g, i32.shl(-1, left))));
        c.set(g, i32.shr_u(g, zeros));
        c.set(u, i32.shl(u, zeros));
        c.set(v, i32.shl(v, zeros));
        c.set(eta, i32.sub(eta, zeros));
        c.set(left, i32.sub(left, zeros));
        leave(i32.eqz(left));
        c.if(i32.lt_s(eta, 0), () => {
          c.set(eta, i32.sub(0, eta));
          turn(f, g);
          turn(u, q);
          turn(v, r);
        });
        // Cancel up to six low bits of g at once: f (f^2 - 2) is -1 / f modulo 64.
        c.set(limit, i32.add(eta, 1));
        c.set(limit, i32.select(left, limit, i32.gt_s(limit, left)));
        const mask = i32.and(i32.shr_u(-1, i32.sub(32, limit)), 63);
        c.set(old, i32.and(i32.mul(i32.mul(f, g), i32.sub(i32.mul(f, f), 2)), mask));
        c.set(g, i32.add(g, i32.mul(f, old)));
        c.set(q, i32.add(q, i32.mul(u, old)));
        c.set(r, i32.add(r, i32.mul(v, old)));
        again();
      }),
    );
    [u, v, q, r].forEach((x, i) => c.store32(scratchBase, x, at.matrix + 4 * i));
    c.return(eta);
  });
}
