/**
 * npm run bench -- --device webgpu [--swiftshader] [--sumcheck 20,22,24,26] [--msm 16,18,20,22] [--modules 80] [--runs N] [--threads N] [--json]
 *
 * The WebGPU device beside the wasm device, in one run: field products, sumchecks, multi-scalar multiplications, and the proof of an
 * adapter of LLaMA-70B's shape, each checked; and as shares of what the adapter's memory and multipliers do at most.
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { generatorCache } from '../../apps/host/cache.ts';
import { createWasmDevice } from '../../index.ts';
import { FQ_MODULUS, FR_MODULUS } from '../../runtime/field/params.ts';
import type { Device } from '../../runtime/device/device.ts';
import { adapterName, isSoftware } from '../../runtime/device/webgpu/adapters.ts';
import { measureVariants } from '../../runtime/device/webgpu/calibrate.ts';
import { createWebGpuDevice, GpuError } from '../../runtime/device/webgpu/index.ts';
import { requestNodeAdapter } from '../../runtime/device/webgpu/node.ts';
import { planLimbs } from '../../runtime/kernels/wgsl/field/limbs.ts';
import { commit, createProver } from '../../runtime/prover/index.ts';
import { createVerifier } from '../../runtime/verifier/index.ts';
import { useSoftwareGpu } from '../support/swiftshader.ts';
import { productCost } from './arithmetic.ts';
import { measureRates, type Rates } from './rates.ts';
import { sumcheckBytes, sumcheckTimes } from './sumcheck.ts';
import { sumCosts, type SumCost } from './sums.ts';
import { llamaWorkload } from './workloads.ts';

export interface GpuBenchOptions {
  readonly swiftshader: boolean;
  /** Binary logarithms of sizes. */
  readonly sumcheck: readonly number[] | undefined;
  readonly msm: readonly number[] | undefined;
  /** Layers of the adapter; 0 leaves its proof out. */
  readonly modules: number | undefined;
  readonly runs: number;
  readonly threads: number | undefined;
  readonly json: boolean;
}

/** Milliseconds on either device; a text says why there is no figure. */
interface Row {
  readonly name: string;
  readonly webgpu: number | string;
  readonly wasm: number | string;
  /** Of the adapter's bandwidth or multiplications, 0 to 1. */
  readonly share?: number;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1];

export async function benchGpu(options: GpuBenchOptions): Promise<void> {
  if (options.swiftshader) await useSoftwareGpu();
  const software = { software: options.swiftshader };
  const adapter = await requestNodeAdapter(software);
  const probe = await requestNodeAdapter(software);
  if (!adapter || !probe)
    throw new Error('no GPU answers: `npm run zkl -- doctor` says why; --swiftshader measures one in software');
  const soft = isSoftware(adapter.info);
  const say = (text: string): void => {
    if (!options.json) console.log(text);
  };
  const machine = {
    adapter: adapterName(adapter.info),
    cpu: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
    commit: commitName(),
  };
  say(
    Object.entries(machine)
      .map(([key, value]) => `${key.padEnd(8)} ${value}`)
      .join('\n'),
  );

  const raw = await probe.requestDevice();
  const rates = await measureRates(raw, (soft ? 16 : 128) * 2 ** 20);
  say(
    `rates    ${(rates.bytes / 1e9).toFixed(1)} GB/s copied, ${(rates.multiplications / 1e9).toFixed(2)} G multiply-adds/s\n`,
  );
  const fields = await fieldProducts(raw, rates, say);
  raw.destroy();

  const { threads } = options;
  const generators = generatorCache();
  const wasm = await createWasmDevice({ threads, generators, waitForThreads: true });
  const host = await createWasmDevice({ threads, generators, waitForThreads: true });
  const webgpu = await createWebGpuDevice({ adapter, host, generators });
  say(`\n${'milliseconds'.padEnd(54)} ${'webgpu'.padStart(10)} ${wasm.name.padStart(18)}`);
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    say(rowText(row));
  };
  try {
    for (const k of options.sumcheck ?? (soft ? [14, 16] : [20, 22, 24, 26])) {
      const time = await attempt(() => sumcheckTimes(webgpu, k, options.runs));
      add({
        name: `sumcheck of 2^${k}, product of two`,
        webgpu: time,
        wasm: await attempt(() => sumcheckTimes(wasm, k, options.runs)),
        ...(typeof time === 'number' && { share: sumcheckBytes(k) / (time / 1000) / rates.bytes }),
      });
    }
    for (const k of options.msm ?? (soft ? [10, 12] : [16, 18, 20, 22]))
      await benchSums(k, webgpu, wasm, options.runs, add);
    const modules = options.modules ?? (soft ? 1 : 80);
    if (modules > 0) await benchAdapter(modules, webgpu, wasm, add);
  } finally {
    await Promise.all([webgpu.close(), wasm.close()]);
  }
  if (options.json) console.log(JSON.stringify({ ...machine, rates, fields, wasm: wasm.name, rows }));
}

const commitName = (): string => {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ' and changes');
  } catch {
    return 'unknown';
  }
};

interface FieldResult {
  readonly field: string;
  readonly variant: string;
  /** Products a second. */
  readonly webgpu: number;
  /** One thread. */
  readonly wasm: number;
  readonly share: number;
}

async function fieldProducts(raw: GPUDevice, rates: Rates, say: (text: string) => void): Promise<FieldResult[]> {
  const out: FieldResult[] = [];
  for (const [field, modulus, width, limbs] of [
    ['fr', FR_MODULUS, 51, 5],
    ['fq', FQ_MODULUS, 50, 8],
  ] as const) {
    const wasm = 1e9 / (await productCost(modulus, width, limbs));
    for (const { variant, nanoseconds } of await measureVariants(raw, field)) {
      const n = planLimbs(modulus, variant.width).count;
      // Rows of x y and of q p, and one for q; a 32-bit product is four of 16-bit halves.
      const multiplications = variant.width === 32 ? 8 * n * n + n : 2 * n * n + n;
      const result = {
        field,
        variant: `${variant.width}-bit limbs, ${variant.rows}`,
        webgpu: 1e9 / nanoseconds,
        wasm,
        share: (multiplications * 1e9) / nanoseconds / rates.multiplications,
      };
      out.push(result);
      say(
        `${field} products, ${result.variant.padEnd(24)} ${million(result.webgpu)} M/s, ${percent(result.share)} of multiply-adds; wasm, one thread: ${million(wasm)} M/s`,
      );
    }
  }
  return out;
}

const million = (x: number): string => (x / 1e6).toFixed(1).padStart(9);
const percent = (x: number): string => `${(100 * x).toFixed(0)}%`;

/** What a device has no memory for is no failure, but a message in place of a figure. */
async function unlessTooLarge<T>(body: () => Promise<T>): Promise<T | string> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof RangeError || (error instanceof GpuError && error.kind === 'memory')) return error.message;
    throw error;
  }
}

const attempt = (times: () => Promise<readonly number[]>): Promise<number | string> =>
  unlessTooLarge(async () => median(await times()));

function rowText({ name, webgpu, wasm, share }: Row): string {
  const cell = (x: number | string): string => (typeof x === 'number' ? x.toFixed(1) : 'none');
  const notes = [
    ...(typeof webgpu === 'number' && typeof wasm === 'number' ? [`x ${(wasm / webgpu).toFixed(2)}`] : []),
    ...(share === undefined ? [] : [`${percent(share)} of bandwidth`]),
    ...[webgpu, wasm].filter((x) => typeof x === 'string'),
  ];
  return `${name.padEnd(54)} ${cell(webgpu).padStart(10)} ${cell(wasm).padStart(18)}   ${notes.join(', ')}`;
}

async function benchSums(
  k: number,
  webgpu: Device,
  wasm: Device,
  runs: number,
  add: (row: Row) => void,
): Promise<void> {
  const [on, off] = [await costs(webgpu), await costs(wasm)];
  async function costs(device: Device): Promise<readonly SumCost[] | string> {
    return unlessTooLarge(() => sumCosts(device, [2 ** k], runs));
  }
  for (const form of ['msm', 'rows'] as const)
    for (const bits of [8, 16, 255] as const) {
      const cell = (found: typeof on): number | string =>
        typeof found === 'string' ? found : found.find((c) => c.form === form && c.bits === bits)!.milliseconds;
      const what = form === 'msm' ? 'sum of' : 'commitment in rows to';
      add({ name: `${what} 2^${k}, ${bits}-bit scalars`, webgpu: cell(on), wasm: cell(off) });
    }
}

/** One proof for `layers` layers, one row: once to warm up, then measured, and verified. */
async function benchAdapter(layers: number, webgpu: Device, wasm: Device, add: (row: Row) => void): Promise<void> {
  const { name, bundle, weights, inputs } = llamaWorkload(layers);
  const timed = async <T>(body: () => Promise<T>): Promise<[T, number]> => {
    const since = performance.now();
    const value = await body();
    return [value, performance.now() - since];
  };
  const on = (device: Device): Promise<Record<'commit' | 'prove' | 'verify', number> | string> =>
    unlessTooLarge(async () => {
      const [files, committed] = await timed(() => commit(bundle, 'adapter', weights, { device }));
      const sources = [{ opening: files.opening, weights }];
      const prover = await createProver(bundle, { device, sources });
      await prover.prove(inputs);
      const [{ proof }, proved] = await timed(() => prover.prove(inputs, { check: false }));
      const verifier = await createVerifier(bundle, { device });
      const registered = await verifier.register(files.commitment);
      if (!registered.ok) throw new Error(registered.reason);
      await verifier.verify(proof);
      const [verdict, verified] = await timed(() => verifier.verify(proof));
      verifier.close();
      if (!verdict.ok) throw new Error(verdict.reason);
      return { commit: committed, prove: proved, verify: verified };
    });
  const [gpu, cpu] = [await on(webgpu), await on(wasm)];
  const cell = (times: typeof gpu, step: 'commit' | 'prove' | 'verify'): number | string =>
    typeof times === 'string' ? times : times[step];
  for (const step of ['commit', 'prove', 'verify'] as const)
    add({
      name: `${name}: ${step === 'commit' ? 'first commit' : step}`,
      webgpu: cell(gpu, step),
      wasm: cell(cpu, step),
    });
}
