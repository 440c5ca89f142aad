/**
 * What several proofs ask of the group, decided at once: their equations are multiplied by random weights and added up.
 *
 * Weights are 128 bits of the verifier's own randomness, drawn when the proof is already there. If an equation does not hold, all the others and their weights
 * given, at most one of its own makes the sum the point at infinity, the group's order being a prime above 2^128: the sum passes with probability at most 2^-128.
 * That needs points in the group, which is checked of all of them together.
 */
import { concatBytes } from '@noble/hashes/utils.js';
import type { PointVector, VerifierDevice } from '../device/device.ts';
import { add, mul } from '../protocol/scalar.ts';
import { isBalanced } from './argument.ts';
import type { GroupEquation } from './commitment/sigma.ts';

export class Batch {
  readonly #device: VerifierDevice;
  /** Multiples of the rows of commitments that were validated before. */
  readonly #registered = new Map<PointVector, bigint[]>();
  /** Points of the proofs, and their multiples. */
  readonly #points: Uint8Array[] = [];
  readonly #own: bigint[] = [];
  readonly #generators: bigint[] = [];

  constructor(device: VerifierDevice) {
    this.#device = device;
  }

  /**
   * @param points of the proof, 48 bytes each
   * @param rows of each registered matrix: its points, or where they begin among those of the proofs before it
   * @returns where its own points begin
   */
  add(equation: GroupEquation, points: Uint8Array, rows: readonly (PointVector | number)[]): number {
    const weight = randomWeight();
    const first = this.#own.length;
    this.#points.push(points);
    addTo(this.#own, first, weight, equation.own);
    addTo(this.#generators, 0, weight, equation.generators);
    for (const [m, of] of rows.entries()) {
      if (typeof of === 'number') {
        addTo(this.#own, of, weight, equation.registered[m]);
        continue;
      }
      const sums = this.#registered.get(of) ?? [];
      addTo(sums, 0, weight, equation.registered[m]);
      this.#registered.set(of, sums);
    }
    return first;
  }

  /** Whether all points are in the group, and all equations hold. */
  async holds(): Promise<boolean> {
    const points = await this.#device.decodePoints(concatBytes(...this.#points));
    if ('bad' in points) return false;
    const scalars = this.#device.frVector(this.#own);
    const registered = [...this.#registered].map(([rows, sums]) => ({
      points: rows,
      scalars: this.#device.frVector(sums),
    }));
    return isBalanced(this.#device, [...registered, { points, scalars }], this.#generators);
  }
}

/** sums[from + i] += weight values[i] */
function addTo(sums: bigint[], from: number, weight: bigint, values: readonly bigint[]): void {
  for (const [i, v] of values.entries()) sums[from + i] = add(sums[from + i] ?? 0n, mul(weight, v));
}

function randomWeight(): bigint {
  const [high, low] = crypto.getRandomValues(new BigUint64Array(2));
  return (high << 64n) | low;
}
