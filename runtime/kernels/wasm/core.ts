/**
 * The module every device instance starts with: all kernels that do not depend on a program.
 */
import type { SumcheckPoint } from '../expression.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../field/params.ts';
import { BETA } from '../../curve/params.ts';
import { emitAdditions } from './curve/additions.ts';
import { emitBuckets } from './curve/buckets.ts';
import { Constants } from './emit/constants.ts';
import { emitContractKernels } from './vectors/contract.ts';
import { emitCurve, isInfinity } from './curve/curve.ts';
import { emitRound, emitMap } from './vectors/expression.ts';
import type { TableKind } from './vectors/tables.ts';
import { Field } from './field/field.ts';
import { emitInverse } from './field/inverse.ts';
import { emitIntegerKernels } from './vectors/integers.ts';
import { CONSTANTS, CONSTANTS_BYTES, FQ_LIMBS, FR_LIMBS, ScratchPlan } from './emit/layout.ts';
import { ModuleBuilder } from './emit/module.ts';
import { Pairs } from './emit/pairs.ts';
import { emitProductKernels } from './vectors/products.ts';
import { emitRealProducts } from './vectors/reals.ts';
import { emitScalarKernels } from './vectors/scalar.ts';
import { Slots } from './emit/slots.ts';
import { emitWords } from './field/words.ts';
import { f64, f64x2, i32, v128 } from './emit/code.ts';
import type { Expression } from '../expression.ts';

/** How the memory that modules import was made. */
export interface MemoryType {
  readonly shared: boolean;
  readonly maximumPages: number;
}

export interface Core {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly constants: Constants;
  readonly fr: Field;
  readonly fq: Field;
  /** Address of the element 1 of Fr. */
  readonly one: number;
  /** Module exporting `round` for an expression at points over tables of such kinds, or `map`. Constants may be added: flush them before use. */
  round(expression: Expression, points: readonly SumcheckPoint[], kinds: readonly TableKind[]): Uint8Array<ArrayBuffer>;
  map(expression: Expression, kinds: readonly TableKind[]): Uint8Array<ArrayBuffer>;
  /** Module exporting `multiplyReals`, which no proof needs. */
  reals(): Uint8Array<ArrayBuffer>;
}

/** Tries it: engines without relaxed SIMD refuse the module, processors without the instruction round twice. */
export function hasFusedMultiplyAdd(): boolean {
  const m = new ModuleBuilder();
  m.function({ name: 'probe', params: [], result: 'i32' }, (c) => {
    const x = f64x2.splat(f64.const(2 ** 27 + 1));
    const square = f64x2.relaxed_madd(x, x, f64x2.splat(f64.const(-(2 ** 54) - 2 ** 28)));
    c.return(v128.any_true(square));
  });
  const bytes = m.bytes({ shared: false, maximumPages: 1 });
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { probe } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, scratch: 0 } }).exports;
  return (probe as () => number)() !== 0;
}

/** @param fused whether to use fused multiply-add; see `hasFusedMultiplyAdd`. */
export function buildCore(memory: MemoryType, fused: boolean): Core {
  const constants = new Constants(CONSTANTS, CONSTANTS_BYTES, fused);
  const fr = new Field(FR_MODULUS, FR_LIMBS.w, FR_LIMBS.n, constants);
  const fq = new Field(FQ_MODULUS, FQ_LIMBS.w, FQ_LIMBS.n, constants);
  const scratch = new ScratchPlan();
  const m = new ModuleBuilder();
  const frPairs = new Pairs(fr, scratch);
  const fqPairs = new Pairs(fq, scratch);

  emitWords(m, 'fr', 4, frPairs, scratch);
  emitWords(m, 'fq', 6, fqPairs, scratch);
  emitScalarKernels(m, frPairs, scratch);
  emitContractKernels(m, frPairs, scratch.fork());
  emitIntegerKernels(m);
  emitProductKernels(m);

  const slots = new Slots(m, fq, scratch);
  const one = constants.run(fq.digits(1n));
  const invert = emitInverse(m, 'fqInvert', fq, scratch);
  emitCurve(m, slots, scratch, one, invert);
  emitAdditions(m, slots, scratch, invert);
  emitBuckets(m, 2 * fq.bytes);

  // endomorphism(target, source, from, to): -phi(P) = (beta x, -y).
  const size = 2 * fq.bytes;
  m.function({ name: 'endomorphism', params: ['i32', 'i32', 'i32', 'i32'] }, (c, target, source, from, to) => {
    c.for(from, to, (i) => {
      const at = c.let(i32.add(source, i32.mul(i, size)));
      const out = c.let(i32.add(target, i32.mul(i, size)));
      const x = fq.splat(c, at);
      const y = fq.splat(c, at, fq.bytes);
      const minusY = fq.scale(c, y, -1);
      const betaX = fq.mul(c, x, fq.constant(BETA), { normal: true });
      [betaX, minusY].forEach((pair, k) =>
        pair.limbs.forEach((limb, j) => c.storeLane(out, limb, 0, k * fq.bytes + 8 * j)),
      );
      c.if(isInfinity(at), () => c.copy(out, at, size));
      fq.release(c, x, y, minusY, betaX);
      c.release(at, out);
    });
  });

  const build = (emit: (module: ModuleBuilder, pairs: Pairs, plan: ScratchPlan) => void) => {
    const module = new ModuleBuilder();
    const plan = scratch.fork();
    emit(module, new Pairs(fr, plan), plan);
    return module.bytes(memory);
  };
  return {
    bytes: m.bytes(memory),
    constants,
    fr,
    fq,
    one: constants.run(fr.digits(1n)),
    round: (expression, points, kinds) =>
      build((module, pairs, plan) => emitRound(module, pairs, plan, expression, points, kinds)),
    map: (expression, kinds) => build((module, pairs) => emitMap(module, pairs, expression, kinds)),
    reals: () => build(emitRealProducts),
  };
}
