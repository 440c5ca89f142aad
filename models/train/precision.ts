/**
 * Scales that keep gradients near: what a rounding does to scores says little of what it does to gradients, in
 * which large numbers cancel (those of queries and keys are differences of a row's values from their mean).
 */
import type { FixedType } from '../../compiler/check/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Observations } from '../calibrate/observe.ts';
import { chooseScales, needsOf, type Need, type Scales } from '../calibrate/scales.ts';
import { isGradientKey } from '../../compiler/check/names/paths.ts';
import type { StepEffects, ValueEffect } from './effects.ts';

/**
 * The relative error that all roundings together may make of a gradient, whose squares add up; and of it what values may make where
 * weights alone make nearly as much.
 */
const MOST = { all: 0.0085, values: 0.004 } as const;
/** The part of its square that fraction bits given up for a limb of another may add, for each value. */
const SPARE = 1 / 64;
/** The room that a value keeps where a further bit keeps a gradient near. */
const CLOSE = 1.5;

export interface PrecisionOptions {
  readonly headroom: number;
  readonly effects: StepEffects;
  /** Types that the effects were measured with. */
  readonly measured: ReadonlyMap<string, FixedType>;
}

/** What a value is given, one after the other. */
const STEPS = { unspared: 1, close: 2, wide: 3, wideAndClose: 4 } as const;

/**
 * As `chooseScales`, with what scores need; and where a gradient would be further off than it may, one value after the other gets
 * more: the room that it was given because scores do not need its last bit, then room beyond 1.5 times its largest magnitude, and
 * where that does not do a second limb, first where it brings most for what it costs.
 */
export function chooseTrainingScales(
  program: TensorProgram,
  observations: Observations,
  { headroom, effects: { values: effects, others }, measured }: PrecisionOptions,
): Scales {
  const asked = needsOf(effects.filter(({ effect }) => effect > 0));
  const lacking = new Map<ValueEffect, number>(effects.map((value) => [value, 0]));
  const scalesWith = (steps: ReadonlyMap<ValueEffect, number>): Scales => {
    const needs = new Map(asked);
    const keys = new Map(observations.keys);
    for (const [value, step] of steps)
      for (const key of value.keys) {
        const { more = 0, isSpare = false }: Partial<Need> = needs.get(key) ?? {};
        if (step >= STEPS.unspared)
          needs.set(key, { more: step >= STEPS.wide ? Math.max(1, more) : more, isSpare: isSpare && step === 0 });
        const seen = keys.get(key);
        const isClose = step === STEPS.close || step === STEPS.wideAndClose;
        if (isClose && !isGradientKey(key) && seen !== undefined)
          keys.set(key, { ...seen, most: seen.most * Math.min(1, CLOSE / headroom) });
      }
    return chooseScales(program, { ...observations, keys }, { headroom, needs });
  };
  /** How many times its measured error a value's is, with other types. */
  const growth = ({ keys }: ValueEffect, { types }: Scales): number =>
    Math.max(...keys.map((key) => 4 ** ((measured.get(key)?.frac ?? 0) - (types.get(key)?.frac ?? 0))));

  /** What brings the worst gradient nearer: what is free, first where most is to be had, and then what costs least for it. */
  const next = (
    shares: readonly Share[],
    worst: number,
  ): { readonly value: ValueEffect; readonly step: number; readonly scales: Scales } | undefined => {
    const share = (s: Share): number => s.growth * s.value.gradients[worst];
    for (const isFree of [true, false]) {
      const worth = (s: Share): number => (isFree ? share(s) : share(s) / s.value.price);
      for (const { value, growth: now } of shares.toSorted((a, b) => worth(b) - worth(a))) {
        const before = lacking.get(value) ?? 0;
        const last = isFree && before < STEPS.wide ? STEPS.close : STEPS.wideAndClose;
        for (let step = before + 1; step <= last; step++) {
          const made = scalesWith(new Map(lacking).set(value, step));
          if (growth(value, made) < now) return { value, step, scales: made };
        }
      }
    }
    return undefined;
  };
  const sharesIn = (scales: Scales): Share[] => effects.map((value) => ({ value, growth: growth(value, scales) }));

  let scales = scalesWith(lacking);
  for (;;) {
    const shares = sharesIn(scales);
    const worst = worstGradient(shares, others);
    const more = worst === undefined ? undefined : next(shares, worst);
    if (more === undefined) break;
    lacking.set(more.value, more.step);
    ({ scales } = more);
  }
  // What came later may do without what came before.
  const wide = effects.filter((value) => (lacking.get(value) ?? 0) >= STEPS.wide);
  for (const value of wide.toSorted((a, b) => b.price - a.price)) {
    const without = new Map(lacking).set(value, STEPS.close);
    const made = scalesWith(without);
    if (worstGradient(sharesIn(made), others) !== undefined) continue;
    lacking.set(value, STEPS.close);
    scales = made;
  }
  // Of cotangents that were not looked at alone, none gives up any.
  for (const [key, { frac }] of scales.types) if (isGradientKey(key)) scales.least.set(key, frac);
  for (const value of effects) {
    const error = Math.max(...value.gradients) * growth(value, scales);
    const spare = error === 0 ? Infinity : Math.floor(Math.log2(1 + (SPARE * MOST.values ** 2) / error) / 2);
    for (const key of value.keys) {
      const frac = scales.types.get(key)?.frac ?? 0;
      const least = isGradientKey(key) ? frac - 2 : (scales.least.get(key) ?? frac);
      scales.least.set(key, Math.max(least, frac - spare));
    }
  }
  return scales;
}

interface Share {
  readonly value: ValueEffect;
  /** How many times its measured error the value's is. */
  readonly growth: number;
}

/** Which gradient is furthest beyond what values may make of it. */
function worstGradient(shares: readonly Share[], others: Float64Array): number | undefined {
  const beyond = others.map((error) => -Math.max(MOST.all ** 2 - error, MOST.values ** 2));
  for (const { value, growth } of shares) value.gradients.forEach((error, t) => (beyond[t] += growth * error));
  const most = Math.max(...beyond);
  return most > 0 ? beyond.indexOf(most) : undefined;
}
