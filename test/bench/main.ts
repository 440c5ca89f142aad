/**
 * npm run bench -- model [--tokens N,N] [--shape stories|gpt2] [--layers N] [--device wasm|webgpu]: whole models; see models.ts
 * npm run bench -- train [--tokens N] [--shape stories|gpt2] [--layers N]: a step of fine-tuning beside a forward proof; see training.ts
 * npm run bench [-- [WORKLOAD...] [--runs N] [--device wasm|reference] [--threads N] [--json] [--units]]
 * npm run bench -- --device webgpu: see webgpu.ts
 *
 * Medians over several runs after as many unmeasured ones, phases listed, with a yardstick from the same run: the multi-scalar multiplication of
 * @noble/curves over 2^12 points. Machines are noisy: compare figures of one run only.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { pippenger } from '@noble/curves/abstract/curve.js';
import { bls12_381 } from '@noble/curves/bls12-381.js';
import { createReferenceDevice, createWasmDevice } from '../../index.ts';
import type { Device } from '../../runtime/device/device.ts';
import { commit, createProver } from '../../runtime/prover/index.ts';
import { createVerifier } from '../../runtime/verifier/index.ts';
import { generatorCache } from '../../apps/host/cache.ts';
import { openGpu } from '../../apps/host/gpu.ts';
import { useSoftwareGpu } from '../support/swiftshader.ts';
import { arithmeticCosts } from './arithmetic.ts';
import { timed, type TimedDevice } from './timed.ts';
import { unitCosts } from './units.ts';
import { workloads, type Workload } from './workloads.ts';

interface Measured {
  readonly step: string;
  readonly median: number;
  readonly least: number;
  /** Milliseconds by device operation, and what is left. */
  readonly phases: Readonly<Record<string, number>>;
}

/** What the cost model that set the targets takes for each unit, on one thread. */
const modelled: readonly (readonly [unit: string, cost: string])[] = [
  ['Fr product', '43'],
  ['Fq product', '90 to 115'],
  ['int16 x Fr', '2.3 to 3.5'],
  ['point addition', 'under 800'],
  ['fraction tree', '400'],
  ['products per leaf', '9.4'],
  ['multi-scalar multiplication of 128', '4,000,000'],
  ['multi-scalar multiplication of 256', '7,700,000'],
  ['multi-scalar multiplication of 1024', '26,100,000'],
  ['commitment to 128', '3,200,000'],
  ['commitment to 256', '6,000,000'],
  ['commitment to 1024', '24,000,000'],
  ['int16 committed in 8 rows of 128', '2,600 to 3,400'],
  ['int16 committed in 8 rows of 1024', '1,700 to 1,900'],
  ['point decoded', '141,000'],
];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

async function measure(
  step: string,
  runs: number,
  device: TimedDevice,
  body: () => Promise<unknown>,
): Promise<Measured> {
  const totals: number[] = [];
  const phases: Map<string, number>[] = [];
  // Unmeasured runs first: engines compile what runs often once they have seen it.
  for (let i = 0; i < runs; i++) await body();
  for (let i = 0; i < runs; i++) {
    device.take();
    const since = performance.now();
    await body();
    totals.push(performance.now() - since);
    phases.push(device.take());
  }
  const names = [...new Set(phases.flatMap((p) => [...p.keys()]))];
  const own = names
    .map((name) => [name, median(phases.map((p) => p.get(name) ?? 0))] as const)
    .sort((a, b) => b[1] - a[1]);
  const total = median(totals);
  const rest = total - own.reduce((s, [, ms]) => s + ms, 0);
  return { step, median: total, least: Math.min(...totals), phases: Object.fromEntries([...own, ['host', rest]]) };
}

async function run(
  workload: Workload,
  device: TimedDevice,
  runs: number,
): Promise<{ steps: Measured[]; sizes: Record<string, number> }> {
  const { bundle, weights, inputs } = workload;
  const steps: Measured[] = [];
  const files = await commit(bundle, 'adapter', weights, device);
  steps.push(
    await measure('commit with range proof', Math.max(1, Math.round(runs / 5)), device, () =>
      commit(bundle, 'adapter', weights, device),
    ),
  );
  const prover = await createProver(bundle, { ...device, sources: [{ opening: files.opening, weights }] });
  const verifier = await createVerifier(bundle, device);
  const check = await verifier.register(files.commitment);
  if (!check.ok) throw new Error(check.reason);
  steps.push(
    await measure('first validation of the commitment', Math.max(1, Math.round(runs / 5)), device, () =>
      verifier.register(files.commitment),
    ),
  );
  const { proof, proofBytes } = await prover.prove(inputs);
  steps.push(await measure('prove', runs, device, () => prover.prove(inputs, { check: false })));
  steps.push(await measure('prove and check', runs, device, () => prover.prove(inputs)));
  const verdict = await verifier.verify(proof);
  if (!verdict.ok) throw new Error(verdict.reason);
  steps.push(await measure('verify', runs, device, () => verifier.verify(proof)));
  verifier.close();
  return {
    steps,
    sizes: {
      proof: proofBytes,
      'proof file': proof.length,
      commitment: files.commitment.length,
      bundle: bundle.length,
    },
  };
}

function yardstick(): number {
  const { Point } = bls12_381.G1;
  const size = 4096;
  const points = Array.from({ length: size }, (_, i) => Point.BASE.multiplyUnsafe(BigInt(i + 1)));
  const scalars = points.map((_, i) => (bls12_381.fields.Fr.ORDER - 1n) / BigInt(i + 3));
  const since = performance.now();
  pippenger(Point, points, scalars);
  return performance.now() - since;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    device: { type: 'string', default: 'wasm' },
    threads: { type: 'string' },
    json: { type: 'boolean', default: false },
    units: { type: 'boolean', default: false },
    swiftshader: { type: 'boolean', default: false },
    sumcheck: { type: 'string' },
    msm: { type: 'string' },
    modules: { type: 'string' },
    tokens: { type: 'string' },
    shape: { type: 'string', default: 'stories' },
    layers: { type: 'string' },
  },
});

const threads = options.threads === undefined ? undefined : Number(options.threads);
if (options.device === 'webgpu' && positionals[0] !== 'model' && positionals[0] !== 'train') {
  const { benchGpu } = await import('./webgpu.ts');
  const sizes = (list: string | undefined): number[] | undefined =>
    list
      ?.split(',')
      .filter((size) => size !== '')
      .map(Number);
  await benchGpu({
    swiftshader: options.swiftshader,
    sumcheck: sizes(options.sumcheck),
    msm: sizes(options.msm),
    modules: options.modules === undefined ? undefined : Number(options.modules),
    runs: Number(options.runs ?? 3),
    threads,
    json: options.json,
  });
  process.exit();
}
if (positionals[0] === 'model' || positionals[0] === 'train') {
  const { benchModel, gpt2Shape, storiesShape } = await import('./models.ts');
  const isGpt2 = options.shape === 'gpt2';
  if (!isGpt2 && options.shape !== 'stories') throw new Error(`no shape ${options.shape}: there are stories and gpt2`);
  const generators = generatorCache();
  const host = (): ReturnType<typeof createWasmDevice> =>
    createWasmDevice({ threads, waitForThreads: true, generators });
  if (options.swiftshader) await useSoftwareGpu();
  const device =
    options.device === 'webgpu'
      ? await openGpu({ host, generators, memory: undefined, calibration: undefined })
      : await host();
  const say = (line: string): void => {
    if (!options.json) console.log(line);
  };
  say(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}, device ${device.name}`);
  if (positionals[0] === 'train') {
    const { benchTraining } = await import('./training.ts');
    const layers = Number(options.layers ?? (isGpt2 ? 12 : 5));
    const shape = (isGpt2 ? gpt2Shape : storiesShape)(Number(options.tokens ?? 32), layers);
    const choice = isGpt2
      ? { targets: ['c_attn'], rank: 8, batch: 1 }
      : { targets: ['q_proj', 'v_proj'], rank: 4, batch: 4 };
    await benchTraining(shape, choice, device, Number(options.runs ?? 3), say);
    process.exit();
  }
  const results = [];
  for (const tokens of (options.tokens ?? (isGpt2 ? '32' : '64')).split(',').map(Number)) {
    const shape = isGpt2
      ? gpt2Shape(tokens, Number(options.layers ?? 12))
      : storiesShape(tokens, Number(options.layers ?? 5));
    results.push(await benchModel(shape, device, Number(options.runs ?? 5), say));
  }
  if (options.json) console.log(JSON.stringify(results));
  process.exit();
}
const runs = Number(options.runs ?? 11);

const names = positionals.length > 0 ? positionals : ['module', 'adapter'];
const unknown = names.filter((n) => !(n in workloads));
if (unknown.length > 0) {
  console.error(`no workload ${unknown.join(', ')}; there are ${Object.keys(workloads).join(', ')}`);
  process.exit(2);
}
const base: Device =
  options.device === 'reference' ? createReferenceDevice() : await createWasmDevice({ threads, waitForThreads: true });
const device = timed(base);
const say = (text: string): void => {
  if (!options.json) console.log(text);
};

say(`${cpus()[0].model.trim()}, ${cpus().length} cores, Node ${process.versions.node}, device ${base.name}`);
const noble = yardstick();
say(`yardstick: @noble/curves, 2^12 points: ${noble.toFixed(0)} ms\n`);
const results: Record<string, unknown> = {};
for (const name of names as (keyof typeof workloads)[]) {
  const workload = workloads[name]();
  const result = await run(workload, device, runs);
  results[name] = { title: workload.name, ...result };
  say(workload.name);
  for (const s of result.steps) {
    say(`  ${s.step.padEnd(36)} ${s.median.toFixed(1).padStart(8)} ms   (least ${s.least.toFixed(1)})`);
    const phases = Object.entries(s.phases).filter(([, ms]) => ms >= 0.05);
    say(`    ${phases.map(([phase, ms]) => `${phase} ${ms.toFixed(1)}`).join(', ')}`);
  }
  say(
    `  bytes: ${Object.entries(result.sizes)
      .map(([k, v]) => `${k} ${v}`)
      .join(', ')}\n`,
  );
}
const units =
  options.units || names.length > 1 ? { ...(await arithmeticCosts(base)), ...(await unitCosts(base)) } : undefined;
if (units) {
  say('unit costs');
  for (const [unit, cost] of Object.entries(units)) {
    const model = modelled.find(([start]) => unit.startsWith(start));
    say(`  ${unit.padEnd(66)} ${String(cost).padStart(10)}   ${model ? `model: ${model[1]}` : ''}`);
  }
}
if (options.json)
  console.log(
    JSON.stringify({
      node: process.versions.node,
      cpu: cpus()[0].model,
      cores: cpus().length,
      device: base.name,
      nobleMsm4096: noble,
      workloads: results,
      units,
    }),
  );
await base.close();
