/** Views of tensors, masks and other constants that terms need besides; equal ones are made once. */
import { guardVariables } from '../ir/indices/guards.ts';
import type { DraftTensor } from './draft.ts';
import { digitsOf } from './rewrite/digits.ts';
import { nowhere } from './expressions.ts';
import type { ViewMaker } from './rewrite/terms.ts';

/** Appends views and masks to the tensors; equal ones are made once. */
export function viewMaker(tensors: readonly DraftTensor[], append: (t: DraftTensor) => number): ViewMaker {
  const made = new Map<string, number>();
  const once = (key: unknown, build: () => DraftTensor): number => {
    const text = JSON.stringify(key);
    const known = made.get(text);
    if (known !== undefined) return known;
    const id = append(build());
    made.set(text, id);
    return id;
  };
  return {
    shape: (tensor) => tensors[tensor].shape,
    view: (shape, of, at, guards) =>
      once(['view', shape, of, at, guards], () => {
        const { name, range, scale, span } = tensors[of];
        const withZero = { lo: range.lo < 0n ? range.lo : 0n, hi: range.hi > 0n ? range.hi : 0n };
        const axes = guards.length === 0 ? digitsOf(shape, tensors[of].shape, at) : undefined;
        if (axes)
          return {
            name: `digits ${made.size} of ${name}`,
            shape,
            scale,
            range,
            span,
            class: { kind: 'digits', of, axes },
          };
        return {
          name: `view ${made.size} of ${name}`,
          shape,
          scale,
          range: withZero,
          span,
          class: { kind: 'view', of, at, guards },
        };
      }),
    counting: (length) =>
      once(['counting', length], () => ({
        name: `0 .. ${length - 1}`,
        shape: [length],
        scale: { num: 1n, den: 1n },
        range: { lo: 0n, hi: BigInt(length - 1) },
        span: nowhere,
        class: { kind: 'constant', values: Array.from({ length }, (_, i) => BigInt(i)) },
      })),
    mask: (shape, guards) =>
      once(['mask', shape, guards], () => ({
        name: `mask ${made.size} over ${guardVariables(guards).size} indices`,
        shape,
        scale: { num: 1n, den: 1n },
        range: { lo: 0n, hi: 1n },
        span: nowhere,
        class: { kind: 'constant', guards },
      })),
  };
}
