/** Unit costs below and above the device interface: field products as generated, point additions, leaves of a fraction tree. */
import type { Device } from '../../runtime/device/device.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../runtime/field/params.ts';
import { Constants } from '../../runtime/kernels/wasm/emit/constants.ts';
import { hasFusedMultiplyAdd } from '../../runtime/kernels/wasm/core.ts';
import { balancedDigits } from '../../runtime/kernels/wasm/field/digits.ts';
import { Field } from '../../runtime/kernels/wasm/field/field.ts';
import { CONSTANTS, CONSTANTS_BYTES } from '../../runtime/kernels/wasm/emit/layout.ts';
import { ModuleBuilder } from '../../runtime/kernels/wasm/emit/module.ts';
import type { RowLookupPlan } from '../../runtime/protocol/lookup/row-lookups.ts';
import { Held } from '../../runtime/prover/held.ts';
import { rowLookupProver } from '../../runtime/prover/lookup/row-lookups.ts';

const [X, Y] = [65536, 69632];
const chained = 4;

async function best(runs: number, body: () => unknown): Promise<number> {
  let least = Infinity;
  for (let i = 0; i < 2 * runs; i++) {
    const since = performance.now();
    await body();
    if (i >= runs) least = Math.min(least, performance.now() - since);
  }
  return least * 1e6;
}

/** Nanoseconds per product, in chains of dependent products on both lanes. @throws Error if a chain's result is wrong */
export async function productCost(p: bigint, width: number, limbs: number): Promise<number> {
  const constants = new Constants(CONSTANTS, CONSTANTS_BYTES, hasFusedMultiplyAdd());
  const field = new Field(p, width, limbs, constants);
  const m = new ModuleBuilder();
  m.function({ name: 'chain', params: [] }, (c) => {
    let x = field.load(c, X);
    for (let i = 0; i < chained; i++) x = field.mul(c, x, field.load(c, Y), { normal: true });
    field.store(c, X, x);
  });
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 16 });
  const bytes = m.bytes({ shared: false, maximumPages: 16 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, scratch: 131072 } });
  const chain = exports.chain as () => void;
  constants.flush(memory.buffer);
  const f64 = new Float64Array(memory.buffer);
  const write = (address: number, v: bigint): void => {
    for (const [i, digit] of balancedDigits(v, width, limbs).entries())
      for (const lane of [0, 1]) f64[address / 8 + 2 * i + lane] = Number(digit);
  };
  const read = (): bigint => {
    let v = 0n;
    for (let i = limbs - 1; i >= 0; i--) v = (v << BigInt(width)) + BigInt(f64[X / 8 + 2 * i]);
    return ((v % p) + p) % p;
  };
  // Montgomery products by R = 2^(width * limbs) leave a fixed point: R * R / R.
  write(X, (1n << BigInt(width * limbs)) % p);
  write(Y, (1n << BigInt(width * limbs)) % p);
  chain();
  if (read() !== (1n << BigInt(width * limbs)) % p) throw new Error('a field kernel gives a wrong product');
  const calls = 20_000;
  const cost = await best(8, () => {
    for (let i = 0; i < calls; i++) chain();
  });
  return cost / (calls * chained * 2);
}

/** Nanoseconds per 7-bit value committed in rows of 1024: one batch-affine addition each, and a share of the row's buckets. */
async function additionCost(device: Device): Promise<number> {
  const [rows, columns] = [16, 1024];
  await device.prepareGenerators(columns);
  return device.scope(async () => {
    const values = Int16Array.from({ length: rows * columns }, (_, i) => 1 + ((i * 37) % 63));
    const vector = device.intVector(values);
    const list = Array.from({ length: rows }, (_, i) => ({
      vector,
      offset: i * columns,
      length: columns,
      blinding: 1n,
    }));
    const committed = await device.commit(list);
    const scalars = device.frVector([...values.subarray(0, columns)].map(BigInt).concat(1n));
    const expected = await device.msm([{ points: await device.generators(columns), scalars }]);
    if (committed[0].some((b, i) => b !== expected[i])) throw new Error('a device gives a wrong commitment');
    return (await best(6, () => device.commit(list))) / (rows * columns);
  });
}

/** Nanoseconds per leaf of a fraction tree of 2^15 leaves: building it and all its sumchecks. */
async function leafCost(device: Device): Promise<number> {
  const plan: RowLookupPlan = {
    tables: [{ bits: 10, matrix: 1, columns: 256 }],
    columns: [{ table: 0, rowBits: 6, columnBits: 8, constant: 0n, parts: [{ matrix: 0, firstRow: 0, scale: 1n }] }],
  };
  const values = [Int32Array.from({ length: 2 ** 14 }, (_, i) => i % 1024)];
  const multiplicities = [new Int32Array(1024).fill(16)];
  const depth = 15;
  const run = (): Promise<void> =>
    device.scope(async () => {
      const prover = rowLookupProver(device, plan, { values, multiplicities }, new Held(device));
      await prover.build(12345n, 678n);
      let point: bigint[] = [];
      for (let j = 0; j < depth; j++) {
        const layer = await prover.layer(j, point, 11n);
        for (let i = 0; i < j; i++) {
          await layer.round([0, 'inf']);
          await layer.bind(BigInt(3 + i));
        }
        await layer.children();
        point = Array.from({ length: j + 1 }, (_, i) => BigInt(5 + i));
      }
    });
  return (await best(3, run)) / 2 ** depth;
}

export async function arithmeticCosts(device: Device): Promise<Record<string, number>> {
  const fr = await productCost(FR_MODULUS, 51, 5);
  const fq = await productCost(FQ_MODULUS, 50, 8);
  const leaf = await leafCost(device);
  const round = (x: number): number => Math.round(x * 10) / 10;
  return {
    'Fr product, ns': round(fr),
    'Fq product, ns': round(fq),
    'point addition and a share of bucket sums, ns': round(await additionCost(device)),
    'fraction tree, ns per leaf': round(leaf),
    'products per leaf of the tree (its time over that of a product)': round(leaf / fr),
  };
}
