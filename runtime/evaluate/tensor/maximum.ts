/** Maxima over some of the axes of an array, and the places that attain them. */
import type { Compare } from '../../../compiler/ir/tensor/program.ts';
import { guardFunction, type IndexSource, type Point } from '../indices.ts';
import { sizeOf, type Values } from '../values.ts';

/**
 * For every point of `outputs` the position of the largest value over the points of `over` where the guards hold, the
 * first of equals.
 *
 * @param values row-major over `outputs`, then `over`
 */
export function maximumPositions(
  values: Values,
  outputs: readonly number[],
  over: readonly number[],
  guards: readonly Compare[],
  source: IndexSource,
): Int32Array {
  const holds = guards.length === 0 ? undefined : guardFunction(guards, source);
  const axes = [...outputs, ...over];
  const at: Point = axes.map(() => 0);
  const inner = sizeOf(over);
  const found = new Int32Array(sizeOf(outputs));
  for (let n = 0; n < found.length; n++) {
    let best = -1;
    for (let k = n * inner; k < (n + 1) * inner; k++) {
      if (holds !== undefined) {
        for (let rest = k, axis = axes.length - 1; axis >= 0; axis--) {
          at[axis] = rest % axes[axis];
          rest = Math.floor(rest / axes[axis]);
        }
        if (!holds(at)) continue;
      }
      if (best < 0 || values[k] > values[best]) best = k;
    }
    if (best < 0) throw new Error('internal error: a maximum over nothing');
    found[n] = best;
  }
  return found;
}
