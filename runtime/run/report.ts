/** What is said of a phase: the units that gradients are rounded to, on their way and at its end, and which types it changed. */
import type { Phase } from './header.ts';
import type { PhaseReport, TypeOfKey } from './verdict.ts';

/**
 * @param before the phase before it
 * @param keys those that the program takes types of: of any other a header may say what it likes
 */
export function reportOf(phase: Phase, before: Phase | undefined, keys: ReadonlySet<string>): PhaseReport {
  const used = [...keys].filter((key) => Object.hasOwn(phase.calibration, key)).sort();
  // Keys of weights are `SOURCE:NAME`, those of values have no colon.
  const [values, weights] = [false, true].map((isWeight) =>
    used.filter((key) => key.endsWith('.grad') && key.includes(':') === isWeight),
  );
  const types = (of: readonly string[]): TypeOfKey[] => of.map((key) => ({ key, ...phase.calibration[key] }));
  return {
    first: phase.first,
    program: phase.program,
    gradients: types(weights),
    cotangents: types(values),
    changed: before === undefined ? [] : changes(before.calibration, phase.calibration, used),
  };
}

function changes(
  before: Phase['calibration'],
  after: Phase['calibration'],
  used: readonly string[],
): PhaseReport['changed'] {
  return used
    .map((key) => ({ key, before: Object.hasOwn(before, key) ? before[key] : undefined, after: after[key] }))
    .filter(({ before: a, after: b }) => a?.bits !== b.bits || a.frac !== b.frac);
}
