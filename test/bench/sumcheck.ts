/** A whole sumcheck over a product of two tables, every round and fold of it, checked round by round. */
import { FR_MODULUS } from '../../runtime/field/params.ts';
import type { Device } from '../../runtime/device/device.ts';
import { mul, table } from '../../runtime/kernels/expression.ts';
import { repeat } from './repeat.ts';

const mod = (x: bigint): bigint => ((x % FR_MODULUS) + FR_MODULUS) % FR_MODULUS;
/** Elements without pattern, the same in every run. */
const element = (i: number): bigint => mod(BigInt(i + 2) ** 97n * 0x9e3779b97f4a7c15f39cc0605cedc834n);

/** Milliseconds of `runs` sumchecks of 2^variables entries. @throws Error if one is wrong */
export async function sumcheckTimes(device: Device, variables: number, runs: number): Promise<number[]> {
  const kernel = device.prepare(mul(table(0), table(1)));
  const point = (seed: number): bigint[] => Array.from({ length: variables }, (_, i) => element(seed + i));
  return device.scope(async () => {
    const tables = [device.eq(point(1)), device.eq(point(1000))];
    const sum = await device.inner(tables[0], tables[1]);
    const run = async (): Promise<number> => {
      const since = performance.now();
      let [current, claim] = [tables, sum];
      for (let left = variables; left > 0; left--) {
        // p(X) = a + b X + c X^2 with p(0) + p(1) = claim.
        const [a, c] = await device.round(kernel, current, [], left, [0, 'inf']);
        const x = element(5000 + left);
        const b = mod(claim - 2n * a - c);
        claim = mod(a + x * (b + x * c));
        current = device.fold(current, left, x);
      }
      const [[f], [g]] = [await device.readFr(current[0]), await device.readFr(current[1])];
      if (mod(f * g) !== claim) throw new Error(`a sumcheck of 2^${variables} entries on ${device.name} is wrong`);
      return performance.now() - since;
    };
    return repeat(runs, () => device.scope(run));
  });
}

/** Bytes through memory at least: each round reads two tables, and a fold writes half of each. */
export const sumcheckBytes = (variables: number): number => 2 * (2 + 1) * 32 * 2 ** variables;
