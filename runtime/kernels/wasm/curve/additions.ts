/**
 * Batches of affine additions that share one inversion (Montgomery's trick): six products per addition. Four chains of prefix
 * products, two lanes times two, keep the multiplier busy.
 *
 * A job is 16 bytes: addresses of the two points, with bit 0 set to take the negative, address of the sum, kind. Any two points may meet: equal,
 * opposite and infinite ones are found by the lowest digit of x2 - x1 and handled one by one.
 */
import { f64, f64x2, i32, v128, type I32, type V128 } from '../emit/code.ts';
import { INFINITY_MARK, isInfinity, pointOf, signMask } from './curve.ts';
import { balancedDigits } from '../field/digits.ts';
import { JOB_BYTES, JOB_KIND, type ScratchPlan } from '../emit/layout.ts';
import { call, scratchBase, type Callee, type Code, type ModuleBuilder } from '../emit/module.ts';
import type { Slot, Slots } from '../emit/slots.ts';

const KIND = JOB_KIND;
const KIND_AT = 12;

export function emitAdditions(m: ModuleBuilder, slots: Slots, scratch: ScratchPlan, invert: Callee): void {
  const { field } = slots;
  const classify = emitClassify(m, slots, scratch);
  const pairBytes = field.pairBytes;
  const running = [slots.slot(), slots.slot()] as const;
  const [d, product, swapped, inverse] = [slots.slot(), slots.slot(), slots.slot(), slots.slot()] as const;
  const [lambda, numerator, xSum, x3, ySigned] = [
    slots.slot(),
    slots.slot(),
    slots.slot(),
    slots.slot(),
    slots.slot(),
  ] as const;
  const [p0] = balancedDigits(field.p, field.w, field.n).map((digit) => Math.abs(Number(digit))) as [number];

  // Lowest digits of x2 - x1 that multiples of p in (-2p, 2p) have, and those of infinity.
  const suspicious = (c: Code, digit: V128): I32 => {
    const size = c.let(f64x2.abs(digit));
    const is = (x: number) => f64x2.eq(size, f64x2.splat(f64.const(x)));
    const large = f64x2.ge(size, f64x2.splat(f64.const(2 ** field.w)));
    return v128.any_true([is(0), is(p0), is(2 ** field.w - p0), large].reduce((a, b) => v128.or(a, b)));
  };

  // forward(jobs, work, count): for each pair of jobs k, work[k] = (difference of x, product of those before it in its chain).
  const forwardStep = m.function({ params: ['i32', 'i32', 'i32'] }, (c, job, work, chain) => {
    const [a0, b0, a1, b1] = [0, 4, JOB_BYTES, JOB_BYTES + 4].map((at) => c.let(pointOf(i32.load(job, at))));
    const kinds = c.let(i32.load(job, KIND_AT));
    const doubles = i32.and(i32.eq(kinds, KIND.double), i32.eq(i32.load(job, JOB_BYTES + KIND_AT), KIND.double));
    c.if(
      doubles,
      () => {
        const signs = c.let(signMask(i32.load(job), i32.load(job, JOB_BYTES)));
        const y = field.flip(c, field.gather(c, a0, a1, field.bytes), signs);
        field.store(c, work, field.add(c, y, y));
      },
      () => {
        const difference = field.sub(c, field.gather(c, b0, b1), field.gather(c, a0, a1));
        field.store(c, work, difference);
        c.if(suspicious(c, difference.limbs[0]), () => {
          for (const lane of [0, 1]) c.call(classify, i32.add(job, lane * JOB_BYTES), i32.add(work, 8 * lane));
        });
      },
    );
    const before = field.load(c, chain);
    field.store(c, work, before, pairBytes);
    field.release(c, before);
    slots.mulLoose(c, slots.at(chain), slots.at(chain), slots.at(work, 2));
  });

  const backwardStep = m.function({ params: ['i32', 'i32', 'i32'] }, (c, job, work, chain) => {
    const references = [0, 4, JOB_BYTES, JOB_BYTES + 4].map((at) => c.let(i32.load(job, at)));
    const [a0, b0, a1, b1] = references.map((reference) => c.let(pointOf(reference)));
    const [ra0, rb0, ra1, rb1] = [references[0], references[1], references[2], references[3]];
    // 1 / difference, and on with the chain.
    const inverted = slots.mulLoose(c, inverse, slots.at(chain), slots.at(i32.add(work, pairBytes)));
    slots.mulLoose(c, slots.at(chain), slots.at(chain), slots.at(work, 2));
    const ya = field.flip(c, field.gather(c, a0, a1, field.bytes), c.let(signMask(ra0, ra1)));
    const yb = field.flip(c, field.gather(c, b0, b1, field.bytes), c.let(signMask(rb0, rb1)));
    field.store(c, ySigned.address, ya);
    field.store(c, numerator.address, field.sub(c, yb, ya));
    const special = c.let(i32.or(i32.load(job, KIND_AT), i32.load(job, JOB_BYTES + KIND_AT)));
    c.if(special, () => {
      slots.gather(c, d, a0, a1);
      const xx = slots.mul(c, d, d, d);
      const xx3 = slots.normalize(c, d, slots.scale(c, d, xx, 3));
      for (const lane of [0, 1])
        c.if(i32.eq(i32.load(job, lane * JOB_BYTES + KIND_AT), KIND.double), () => {
          for (let i = 0; i < field.n; i++)
            c.store64(numerator.address, f64.load(xx3.address, 16 * i + 8 * lane), 16 * i + 8 * lane);
        });
    });
    const slope = slots.mulLoose(c, lambda, { ...numerator, slack: 2 }, inverted);
    const xa = field.gather(c, a0, a1);
    field.store(c, xSum.address, field.add(c, xa, field.gather(c, b0, b1)));
    const x = slots.mulSub(c, x3, slope, slope, { ...xSum, slack: 2 });
    field.store(c, xSum.address, field.sub(c, xa, field.load(c, x.address)));
    const y = slots.mulSub(c, numerator, slope, { ...xSum, slack: 2 }, ySigned);
    const [first, second] = [c.let(i32.load(job, 8)), c.let(i32.load(job, JOB_BYTES + 8))];
    c.if(
      special,
      () => {
        // Copies read their points before any sum is stored.
        for (const lane of [0, 1])
          storeSpecial(c, slots, i32.add(job, lane * JOB_BYTES), lane ? second : first, x, y, lane);
      },
      () => {
        slots.scatter(c, first, second, x);
        slots.scatter(c, first, second, y, field.bytes);
      },
    );
  });

  // addBatch(jobs, work, count): count is a multiple of JOB_GROUP; work has 2 pairs of room for each two jobs. Sums go to fresh places.
  m.function({ name: 'addBatch', params: ['i32', 'i32', 'i32'] }, (c, jobs, work, count) => {
    const stride = 2 * JOB_BYTES;
    const workStride = 2 * pairBytes;
    for (const chain of running) slots.constant(c, chain, 1n);
    const job = c.let(jobs);
    const at = c.let(work);
    const end = c.let(i32.add(jobs, i32.mul(count, JOB_BYTES)));
    c.while(
      () => i32.lt_u(job, end),
      () => {
        for (const chain of running) {
          c.call(forwardStep, job, at, chain.address);
          c.inc(job, stride);
          c.inc(at, workStride);
        }
      },
    );
    // One inversion for four running products.
    slots.mul(c, product, running[0], running[1]);
    slots.swap(c, swapped, product);
    slots.mul(c, d, product, swapped);
    c.call(invert, inverse.address, d.address);
    slots.mul(c, inverse, inverse, swapped);
    slots.mul(c, d, inverse, running[1]);
    slots.mul(c, running[1], inverse, running[0]);
    slots.copy(c, running[0], d);
    c.while(
      () => i32.gt_u(job, jobs),
      () => {
        for (const chain of [...running].reverse()) {
          c.inc(job, -stride);
          c.inc(at, -workStride);
          c.call(backwardStep, job, at, chain.address);
        }
      },
    );
  });
}

/** classify(job, difference): decides a job's kind and puts what must be inverted into one lane of the difference. */
function emitClassify(m: ModuleBuilder, slots: Slots, scratch: ScratchPlan): Callee {
  const { field } = slots;
  const [u, v] = [slots.slot(), slots.slot()] as const;
  const zeroMask = i32.add(scratchBase, scratch.allocate(16));
  /** Whether the pair at u, of slack 2, is 0 modulo p, in both lanes alike. */
  const isZero = m.function({ params: [], result: 'i32' }, (c) => {
    const one = slots.constant(c, v, 1n);
    const reduced = slots.mul(c, u, { ...u, slack: 2 }, one);
    c.store128(zeroMask, field.isZero(c, field.load(c, reduced.address)));
    c.return(i32.load(zeroMask));
  });
  const setLane = (c: Code, difference: I32, from: Slot) => {
    for (let i = 0; i < field.n; i++) c.store64(difference, f64.load(from.address, 16 * i), 16 * i);
  };
  return m.function({ params: ['i32', 'i32'] }, (c, job, difference) => {
    const [ra, rb] = [c.let(i32.load(job)), c.let(i32.load(job, 4))];
    const [a, b] = [c.let(pointOf(ra)), c.let(pointOf(rb))];
    const decide = (kind: number) => {
      c.store32(job, kind, KIND_AT);
      setLane(c, difference, slots.constant(c, v, 1n));
      c.return();
    };
    c.if(isInfinity(b), () => decide(KIND.copyFirst));
    c.if(isInfinity(a), () => decide(KIND.copySecond));
    field.store(c, u.address, field.sub(c, field.splat(c, b), field.splat(c, a)));
    c.if(i32.eqz(call('i32', isZero)), () => c.return());
    const ya = field.flip(c, field.splat(c, a, field.bytes), c.let(signMask(ra, ra)));
    const yb = field.flip(c, field.splat(c, b, field.bytes), c.let(signMask(rb, rb)));
    field.store(c, u.address, field.add(c, ya, yb));
    c.if(call('i32', isZero), () => decide(KIND.infinity));
    c.store32(job, KIND.double, KIND_AT);
    field.store(c, u.address, field.add(c, ya, ya));
    setLane(c, difference, u);
  });
}

/** Stores one lane's result by its job's kind. */
function storeSpecial(c: Code, slots: Slots, job: I32, target: I32, x: Slot, y: Slot, lane: number): void {
  const { field } = slots;
  const kind = c.let(i32.load(job, KIND_AT));
  const copyFrom = (at: number) => {
    const reference = c.let(i32.load(job, at));
    c.copy(target, pointOf(reference), 2 * field.bytes);
    c.if(i32.and(reference, 1), () => {
      for (let i = 0; i < field.n; i++) {
        const place = field.bytes + 8 * i;
        c.store64(target, f64.neg(f64.load(target, place)), place);
      }
    });
  };
  const storeSum = () => {
    for (let i = 0; i < field.n; i++) {
      c.store64(target, f64.load(x.address, 16 * i + 8 * lane), 8 * i);
      c.store64(target, f64.load(y.address, 16 * i + 8 * lane), field.bytes + 8 * i);
    }
  };
  c.if(i32.eq(kind, KIND.copyFirst), () => copyFrom(0));
  c.if(i32.eq(kind, KIND.copySecond), () => copyFrom(4));
  c.if(i32.eq(kind, KIND.infinity), () => {
    c.fill(target, 0, 2 * field.bytes);
    c.store64(target, f64.const(INFINITY_MARK));
  });
  c.if(i32.or(i32.eq(kind, KIND.add), i32.eq(kind, KIND.double)), storeSum);
}
