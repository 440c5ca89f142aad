/**
 * A gadget program while it is made: what holds and how the prover finds it, but neither the level at which anything is
 * proved (`levels.ts`) nor where anything lies (`placement.ts`).
 */
import type { GadgetEquation, GadgetProgram, GadgetTensor, GadgetTensorClass } from '../ir/gadget/program.ts';
import type { RangeUse } from './gadgets/limbs.ts';

/** `Omit` for each member of a union by itself. */
export type Without<T, Keys extends string> = T extends unknown ? Omit<T, Keys> : never;

/** A tensor's class without its place. */
export type UnplacedClass = Exclude<GadgetTensorClass, { readonly kind: 'witness' }> | { readonly kind: 'witness' };

/**
 * A tensor's class without place and level. What is `defined` has an equation, or none: then it is the prover's alone, or
 * a declared tensor that was inlined.
 */
export type DraftClass = Without<UnplacedClass, 'level'>;

export type DraftTensor<Class = DraftClass> = Omit<GadgetTensor, 'class'> & { readonly class: Class };

export type DraftEquation = Omit<GadgetEquation, 'level'>;

/** Steps count into `equations`. */
export interface Draft extends Pick<GadgetProgram, 'tables' | 'lookups' | 'zeros' | 'steps'> {
  readonly tensors: readonly DraftTensor[];
  readonly equations: readonly DraftEquation[];
  /** What was looked up in ranges: from it follows which widths of tables cost least. */
  readonly uses: readonly RangeUse[];
}
