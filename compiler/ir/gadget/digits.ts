/** What makes a view by digits one: beyond their lengths, where a proof's sums go as well, its indices lead nowhere. */
import type { DigitSource } from './program.ts';

const bitsFor = (length: number): number => Math.ceil(Math.log2(length));

/**
 * Whether some axis of a tensor of shape `of` is beyond its end for all values of variable v from `length` on, whatever the others
 * are.
 */
export function leadsOutside(
  axes: readonly (readonly DigitSource[])[],
  of: readonly number[],
  v: number,
  length: number,
): boolean {
  const bits = bitsFor(length);
  return axes.some((digits, axis) => {
    // The digits of v that stand in this axis: all from one on up, so that the position grows with v.
    const own = digits.flatMap((d) => (typeof d === 'number' || d.variable !== v ? [] : [d.bit]));
    const rising = own.every((bit, k) => bit === bits - 1 - k);
    let position = 0;
    for (const d of digits) {
      const bit = typeof d === 'number' ? d : d.variable === v ? Math.floor(length / 2 ** d.bit) % 2 : 0;
      position = 2 * position + bit;
    }
    return own.length > 0 && rising && position >= of[axis];
  });
}
