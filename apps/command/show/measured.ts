/** How near the integers of a program are to float64, in words. */
import type { Overflow } from '../../../models/calibrate/compare.ts';
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import { measuredFrom, type Measured } from '../../../models/calibrate/file.ts';
import { plural } from './text.ts';

const percent = (x: number): string => `${(100 * x).toFixed(2)} %`;

/** "same token at 99.48 % of 192 positions, at the last one of 12 of 12, cross-entropy 4.94921, float64 4.94926, ...". */
export function measuredWords(measured: Omit<Measured, 'clearAgreement'>): string {
  const { samples, positions, overflows, agreement, lastAgreement, crossEntropy, floatCrossEntropy, meanDifference } =
    measured;
  const ran = samples - overflows;
  return [
    ...(agreement === undefined
      ? []
      : [`the same most likely token at ${percent(agreement)} of ${plural(positions, 'position')}`]),
    ...(lastAgreement === undefined ? [] : [`at the last one of ${Math.round(lastAgreement * ran)} of ${ran}`]),
    ...(crossEntropy === undefined || floatCrossEntropy === undefined
      ? []
      : [`cross-entropy ${against(crossEntropy, floatCrossEntropy)}`]),
    ...(meanDifference === undefined ? [] : [`${Number(meanDifference.toPrecision(2))} apart at a position`]),
    ...(overflows === 0 ? [] : [`${plural(overflows, 'sample')} with an overflow`]),
  ].join(', ');
}

/** "4.94921 (float64 4.94926, -0.0010 %)". */
export const against = (loss: number, other: number, whose = 'float64'): string =>
  `${loss.toFixed(5)} (${whose} ${other.toFixed(5)}, ${loss >= other ? '+' : ''}${((100 * (loss - other)) / other).toFixed(4)} %)`;

/** A line for each sample with a value that its type does not hold. */
export const overflowLines = (overflows: readonly Overflow[]): string[] =>
  overflows.map(({ sample, error }) => `  sample ${sample + 1}: ${error.message}`);

/** What a bundle says of its program's fidelity; nothing of a program without calibrated scales. */
export function fidelityWords({ sources, gadgets }: Bundle): string | undefined {
  const measured = measuredFrom(sources);
  if (measured !== undefined)
    return `measured on ${plural(measured.samples, 'sample')} that scales were not chosen from, says who compiled it: ${measuredWords(measured)}`;
  if (gadgets.tensors.every(({ key }) => key === undefined)) return undefined;
  return 'not measured: whether it says what the model says, `zkl compare` tells, and `zkl calibrate` with two samples or more';
}
