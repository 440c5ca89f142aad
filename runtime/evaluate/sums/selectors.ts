/** Products with a factor that is 0 nearly everywhere, as selectors are: what it selects is added up. */
import { holdsSmall, isSmallFactor, type Factor, type SmallFactor } from './factors.ts';
import { positions, type Loop } from './loops.ts';

/** Entries below which a factor is not looked through. */
const LEAST = 1024;
/** Of so many entries at most one is not 0. */
const SPARSE = 16;

/** The two factors, a sparse one of zeros and ones first; undefined where there is none. */
export function selectorOf(
  factors: readonly [Factor, Factor],
  lengths: readonly number[],
): readonly [SmallFactor, SmallFactor] | undefined {
  const [a, b] = factors;
  if (!isSmallFactor(a) || !isSmallFactor(b)) return undefined;
  for (const [ones, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const { values, bound, base, steps } = ones;
    if (bound === undefined || bound > 1n || values.length < LEAST || base !== 0 || !isNested(steps, lengths)) continue;
    let count = 0;
    for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
    if (SPARSE * count < values.length) return [ones, other];
  }
  return undefined;
}

/** Whether different indices lead to different entries, as digits do. */
function isNested(steps: readonly number[], lengths: readonly number[]): boolean {
  const own = steps
    .map((step, id) => ({ step, length: lengths[id] }))
    .filter(({ step, length }) => step !== 0 && length > 1);
  let reach = 1;
  for (const { step, length } of own.sort((a, b) => a.step - b.step)) {
    if (step < reach) return false;
    reach += (length - 1) * step;
  }
  return true;
}

/** Adds the sums of the products to the target. */
export function addSelected(
  loops: readonly Loop[],
  [ones, other]: readonly [SmallFactor, SmallFactor],
  sums: Float64Array,
): void {
  if (!holdsSmall(other.values)) return;
  const moving = loops.filter((l) => l.factors[0] > 0).sort((a, b) => b.factors[0] - a.factors[0]);
  const rest = loops.filter((l) => l.factors[0] === 0);
  const lengths = rest.map((l) => l.length);
  const to = positions(
    lengths,
    rest.map((l) => l.target),
  );
  const from = positions(
    lengths,
    rest.map((l) => l.factors[1]),
  );
  for (let position = 0; position < ones.values.length; position++) {
    const v = ones.values[position];
    if (v === 0) continue;
    let [left, target, offset, isInside] = [position, 0, other.base, true];
    for (const l of moving) {
      const i = Math.floor(left / l.factors[0]);
      if (i >= l.length) isInside = false;
      left -= i * l.factors[0];
      target += i * l.target;
      offset += i * l.factors[1];
    }
    // Others are not read: beside the diagonal that an index runs along, or outside of a part.
    if (!isInside || left !== 0) continue;
    for (let i = 0; i < to.length; i++) sums[target + to[i]] += v * other.values[offset + from[i]];
  }
}
