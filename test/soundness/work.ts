/** Counts what a verifier has its device do, so that "no slower than twice an honest proof" needs no clock. */
import type { VerifierDevice } from '../../runtime/device/device.ts';

/** Points decoded, points multiplied, and field elements touched. */
export interface Work {
  decoded: number;
  multiplied: number;
  elements: number;
}

export function counted<D extends VerifierDevice>(device: D): { device: D; work: Work; reset(): void } {
  const work: Work = { decoded: 0, multiplied: 0, elements: 0 };
  const wrapped: D = {
    ...device,
    frVector(values) {
      work.elements += values.length;
      return device.frVector(values);
    },
    intVector(values) {
      work.elements += values.length;
      return device.intVector(values);
    },
    eq(point, length) {
      work.elements += length ?? 2 ** point.length;
      return device.eq(point, length);
    },
    contract(v, shape, weights) {
      work.elements += shape[0] * shape[1] * shape[2];
      return device.contract(v, shape, weights);
    },
    gather(v, index) {
      work.elements += index.length;
      return device.gather(v, index);
    },
    inner(a, b) {
      work.elements += Math.min(a.length, b.length);
      return device.inner(a, b);
    },
    decodePoints(bytes) {
      work.decoded += bytes.length / 48;
      return device.decodePoints(bytes);
    },
    msm(parts) {
      work.multiplied += parts.reduce((n, p) => n + p.points.length, 0);
      return device.msm(parts);
    },
  };
  return { device: wrapped, work, reset: () => Object.assign(work, { decoded: 0, multiplied: 0, elements: 0 }) };
}
