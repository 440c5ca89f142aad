/** Large products of matrices, on this thread and on devices: the integers of the reference interpreter, however wide. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { interpret } from '../../../compiler/interpret/index.ts';
import type { TensorProgram } from '../../../compiler/ir/tensor/program.ts';
import { createReferenceDevice, createWasmDevice, type Device } from '../../../runtime/device/index.ts';
import {
  evaluateExactly,
  evaluateOn,
  evaluateReal,
  evaluateRealOn,
  type Values,
} from '../../../runtime/evaluate/index.ts';
import { checkText } from '../../compiler/standard.ts';
import { integers } from '../../stdlib/run.ts';

function programOf(text: string): TensorProgram {
  const { programs, all } = checkText(text);
  expect(all.filter((d) => d.severity === 'error')).toEqual([]);
  return programs[0];
}

/** Of each input's whole range, the ends often among them; or all the lower end, so that sums are as large as they can be. */
function inputsOf(program: TensorProgram, largest: boolean): Map<number, bigint[]> {
  const draw = integers(7, 32);
  const inputs = new Map<number, bigint[]>();
  for (const { id, name, shape, role, range } of program.tensors) {
    if (role !== 'input') continue;
    const size = shape.reduce((n, d) => n * d, 1);
    if (largest) {
      inputs.set(id, Array<bigint>(size).fill(range.lo));
      continue;
    }
    const span = range.hi - range.lo + 1n;
    const spread = draw(name, size).map((v) => (v % 5n === 0n ? range.lo : v % 5n === 1n ? range.hi : v * v * v * v));
    inputs.set(
      id,
      spread.map((v) => range.lo + ((((v - range.lo) % span) + span) % span)),
    );
  }
  return inputs;
}

/** A device that counts its matrix products. */
function counting(device: Device): { readonly device: Device; count: number } {
  const counted = {
    count: 0,
    device: {
      ...device,
      multiplyIntegers: (...product: Parameters<Device['multiplyIntegers']>): Promise<BigInt64Array> => {
        counted.count++;
        return device.multiplyIntegers(...product);
      },
    },
  };
  return counted;
}

describe('products of matrices', () => {
  let devices: readonly Device[] = [];
  beforeAll(async () => {
    devices = [createReferenceDevice(), await createWasmDevice({ threads: 1 })];
  });
  afterAll(async () => {
    for (const device of devices) await device.close();
  });

  /** What an access or a guard does to the layout of a factor, and how wide the factors are. */
  const equations: [string, string, boolean][] = [
    ['one after the other', 'y[t, o] = sum(i) a[t, i] * b[i, o]', true],
    ['from an offset', 'y[t: 30, o] = sum(i) a[t + 2, i] * b[i, o]', true],
    ['beside what a guard leaves out', 'y[t, o] = sum(i if i >= t) a[t, i] * b[i - t, o]', true],
    ['backwards, from an offset', 'y[t: 30, o] = sum(i) a[31 - t, 39 - i] * b[i, o]', true],
    ['rows that repeat', 'y[t, o: 40] = sum(i) a[t, i] * b[i, o div 3 * 2]', true],
    ['batches of an axis in two', 'y[h: 4, t, e: 10] = sum(i) a[t, h * 10 + i div 4] * b[i, h * 10 + e]', true],
    ['a mask inside the sum', 'y[t, o] = sum(i if i <= t) a[t, i] * b[i, o]', true],
    ['a third factor', 'y[t, o] = 3 * sum(i) a[t, i] * b[i, o] * c[o] - c[o]', true],
    ['small', 'y[t: 3, o: 3] = sum(i) a[t, i] * b[i, o]', false],
  ];

  test.each(equations)('%s', { timeout: 60_000 }, async (_, equation, isLarge) => {
    for (const [first, second] of [
      [16, 16],
      [26, 27],
      [40, 20],
      [50, 50],
      [62, 60],
    ]) {
      const program = programOf(`model m {
        secret a[32, 40]: fixed<${first}, 4>
        secret b[40, 40]: fixed<${second}, 4>
        secret c[40]: fixed<16, 4>
        public ${equation}
      }`);
      for (const largest of [false, true]) {
        const inputs = inputsOf(program, largest);
        const slow = interpret(
          program,
          new Map([...inputs].map(([id, values]) => [id, { shape: program.tensors[id].shape, values }])),
        );
        const check = (found: ReadonlyMap<number, Values>): void => {
          for (const { id, name } of program.tensors)
            expect(Array.from<number | bigint, bigint>(found.get(id) ?? [], BigInt), name).toEqual(
              slow.get(id)?.values,
            );
        };
        check(evaluateExactly(program, inputs));
        for (const device of devices) {
          const counted = counting(device);
          check(await evaluateOn(counted.device, program, inputs));
          if (first + second < 58) expect(counted.count > 0).toBe(isLarge);
        }
      }
    }
  });

  test.each(equations)('%s, in reals', async (_, equation, isLarge) => {
    const program = programOf(`model m {
      secret a[32, 40]: fixed<40, 4>
      secret b[40, 40]: fixed<40, 4>
      secret c[40]: fixed<16, 4>
      public ${equation}
    }`);
    const inputs = new Map(
      [...inputsOf(program, false)].map(([id, values]) => [id, Float64Array.from(values, (v) => Number(v) / 2 ** 30)]),
    );
    const host = evaluateReal(program, inputs);
    for (const device of devices) {
      let count = 0;
      const multiplyReals: Device['multiplyReals'] = (...product) => {
        count++;
        return device.multiplyReals!(...product);
      };
      const found = await evaluateRealOn({ ...device, multiplyReals }, program, inputs);
      for (const { id, name } of program.tensors) {
        const [own, wanted] = [found.get(id)!, host.get(id)!];
        expect(own.length).toBe(wanted.length);
        const most = Math.max(...wanted.map(Math.abs));
        own.forEach((v, k) => expect(Math.abs(v - wanted[k]), name).toBeLessThanOrEqual(1e-12 * most));
      }
      expect(count > 0).toBe(isLarge);
      // A device without float64 leaves the products to the host.
      const without = await evaluateRealOn({ ...device, multiplyReals: undefined }, program, inputs);
      expect([...without]).toEqual([...host]);
    }
  });

  test('a run in reals tells of each tensor, takes what is said in its place, and forgets what nobody wants', () => {
    const program = programOf('model m {\nsecret x[2]: fixed<9, 1>\ny[i] = 2 * x[i]\npublic z[i] = y[i] + x[i]\n}');
    const told: string[] = [];
    const found = evaluateReal(program, new Map([[0, Float64Array.of(1, 2)]]), {
      keep: (t) => t.role === 'output',
      each: ({ name }, values) => {
        told.push(`${name} ${values.join()}`);
        return name === 'y' ? Float64Array.of(10, 20) : undefined;
      },
    });
    expect(told).toEqual(['x 1,2', 'y 2,4', 'z 11,22']);
    expect([...found.values()].map((v) => [...v])).toEqual([[11, 22]]);
  });

  test('what is no device is refused', async () => {
    const program = programOf('model m {\nsecret x[2]: fixed<4, 1>\npublic y[i] = x[i]\n}');
    await expect(evaluateOn({} as Device, program, new Map())).rejects.toThrow('device: expected a device');
  });
});
