/** The adapters that are measured: generated weights of real shapes. */
import { compile } from '../../compiler/index.ts';
import type { WeightMap } from '../../runtime/prover/index.ts';

export interface Workload {
  readonly name: string;
  readonly bundle: Uint8Array;
  readonly weights: WeightMap;
  readonly inputs: ReadonlyMap<string, Float64Array>;
}

/** Uniform numbers in [-bound, bound) from a small generator: the same in every run. */
function uniform(seed: number, length: number, bound: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 31 - 1) * bound;
  });
}

export interface AdapterShape {
  readonly modules: number;
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: number;
}

/** LoRA modules of one shape, stacked, all in one proof. */
export function adapterWorkload(
  name: string,
  { modules: L, rows: T, inputs: I, outputs: O, rank: R }: AdapterShape,
): Workload {
  const text = `model adapter {
  dim L = ${L}, T = ${T}, I = ${I}, O = ${O}, R = ${R}
  const alpha = 8
  public x[L, T, I]: fixed<16, 8>
  secret A[l: L, R, I]: fixed<16, 14> from adapter "h.{l}.lora_A.weight"
  secret B[l: L, O, R]: fixed<16, 14> from adapter "h.{l}.lora_B.weight"
  u[l, t, r]            = sum(i) x[l, t, i] * A[l, r, i]
  public delta[l, t, o] = alpha / R * sum(r) u[l, t, r] * B[l, o, r]
}`;
  const { bundle, diagnostics } = compile({ text, source: 'bench.zkl', resolveImport: () => undefined });
  if (!bundle) throw new Error(diagnostics.map((d) => d.title).join('; '));
  const weights = new Map<string, { shape: number[]; values: Float64Array }>();
  for (let l = 0; l < L; l++) {
    weights.set(`h.${l}.lora_A.weight`, { shape: [R, I], values: uniform(2 * l + 1, R * I, 0.5) });
    weights.set(`h.${l}.lora_B.weight`, { shape: [O, R], values: uniform(2 * l + 2, O * R, 0.5) });
  }
  return { name, bundle, weights, inputs: new Map([['x', uniform(0, L * T * I, 8)]]) };
}

/** q_proj and v_proj of LLaMA-70B's layers, rank 16, one row: 8192 x 16 x 8192 and 8192 x 16 x 1024. */
export function llamaWorkload(layers: number): Workload {
  const [I, O, K, R] = [8192, 8192, 1024, 16];
  const text = `model adapter {
  dim L = ${layers}, T = 1, I = ${I}, O = ${O}, K = ${K}, R = ${R}
  const alpha = 16
  public x[L, T, I]: fixed<16, 8>
  secret QA[l: L, R, I]: fixed<16, 14> from adapter "l.{l}.q_proj.lora_A.weight"
  secret QB[l: L, O, R]: fixed<16, 14> from adapter "l.{l}.q_proj.lora_B.weight"
  secret VA[l: L, R, I]: fixed<16, 14> from adapter "l.{l}.v_proj.lora_A.weight"
  secret VB[l: L, K, R]: fixed<16, 14> from adapter "l.{l}.v_proj.lora_B.weight"
  qu[l, t, r]       = sum(i) x[l, t, i] * QA[l, r, i]
  vu[l, t, r]       = sum(i) x[l, t, i] * VA[l, r, i]
  public q[l, t, o] = alpha / R * sum(r) qu[l, t, r] * QB[l, o, r]
  public v[l, t, k] = alpha / R * sum(r) vu[l, t, r] * VB[l, k, r]
}`;
  const { bundle, diagnostics } = compile({ text, source: 'bench.zkl', resolveImport: () => undefined });
  if (!bundle) throw new Error(diagnostics.map((d) => d.title).join('; '));
  const weights = new Map<string, { shape: number[]; values: Float64Array }>();
  for (let l = 0; l < layers; l++)
    for (const [m, outputs] of [
      ['q', O],
      ['v', K],
    ] as const) {
      const name = `l.${l}.${m}_proj`;
      const seed = 4 * l + (m === 'q' ? 1 : 3);
      weights.set(`${name}.lora_A.weight`, { shape: [R, I], values: uniform(seed, R * I, 0.5) });
      weights.set(`${name}.lora_B.weight`, { shape: [outputs, R], values: uniform(seed + 1, outputs * R, 0.5) });
    }
  const name = `${layers} x (8192 x 16 x 8192 and 8192 x 16 x 1024), one row`;
  return { name, bundle, weights, inputs: new Map([['x', uniform(0, layers * I, 8)]]) };
}

export const workloads = {
  module: (): Workload =>
    adapterWorkload('one module, 768 x 4 x 2304, 1 row', { modules: 1, rows: 1, inputs: 768, outputs: 2304, rank: 4 }),
  adapter: (): Workload =>
    adapterWorkload('12 modules, 768 x 8 x 2304, 15 rows', {
      modules: 12,
      rows: 15,
      inputs: 768,
      outputs: 2304,
      rank: 8,
    }),
  wide: (): Workload =>
    adapterWorkload('one module, 8192 x 16 x 8192, 1 row', {
      modules: 1,
      rows: 1,
      inputs: 8192,
      outputs: 8192,
      rank: 16,
    }),
} as const;
