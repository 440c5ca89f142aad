/** PEFT adapters made up for tests and measurements. */
import type { Dtype } from '../../models/files/dtypes.ts';
import { writeSafetensors, type TensorToWrite } from '../../models/files/safetensors-writer.ts';

export interface MadeModule {
  /** In the base model: `model.layers.0.self_attn.q_proj`. */
  readonly path: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Default: the adapter's, and then no entry in `rank_pattern`. */
  readonly rank?: number;
  readonly alpha?: number;
}

export interface AdapterShape {
  readonly modules: readonly MadeModule[];
  readonly rank: number;
  /** Default: twice the rank. */
  readonly alpha?: number;
  readonly rslora?: boolean;
  /** Default F32. */
  readonly dtype?: Dtype;
  /** Default 1. */
  readonly seed?: number;
  /** Magnitude that no weight reaches, default 0.5. */
  readonly bound?: number;
  /** Further fields of the configuration, also in place of the usual ones. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Further tensors, by their whole names. */
  readonly tensors?: ReadonlyMap<string, TensorToWrite>;
}

/** The two files of a directory: `adapter_config.json` and `adapter_model.safetensors`. */
export interface MadeAdapter {
  readonly config: string;
  readonly tensors: Uint8Array;
}

/** The same adapter for the same shape, on every machine. */
export function makeAdapter({
  modules,
  rank,
  seed = 1,
  bound = 0.5,
  dtype = 'F32',
  ...rest
}: AdapterShape): MadeAdapter {
  const random = generator(seed);
  const tensors = new Map<string, TensorToWrite>(rest.tensors);
  const matrix = (name: string, rows: number, columns: number): void => {
    const values = Float64Array.from({ length: rows * columns }, () => bound * (2 * random() - 1));
    tensors.set(`base_model.model.${name}.weight`, { dtype, shape: [rows, columns], values });
  };
  for (const m of modules) {
    matrix(`${m.path}.lora_A`, m.rank ?? rank, m.inputs);
    matrix(`${m.path}.lora_B`, m.outputs, m.rank ?? rank);
  }
  // Keys are regular expressions that also match the ends of names.
  const key = (path: string): string => `^${path.replace(/\W/g, '\\$&')}$`;
  const pattern = (field: 'rank' | 'alpha'): Record<string, number> =>
    Object.fromEntries(modules.flatMap((m) => (m[field] === undefined ? [] : [[key(m.path), m[field]]])));
  const config = {
    peft_type: 'LORA',
    base_model_name_or_path: 'a base model',
    r: rank,
    lora_alpha: rest.alpha ?? 2 * rank,
    use_rslora: rest.rslora ?? false,
    use_dora: false,
    fan_in_fan_out: false,
    bias: 'none',
    rank_pattern: pattern('rank'),
    alpha_pattern: pattern('alpha'),
    target_modules: [...new Set(modules.map((m) => m.path.split('.').at(-1)!))],
    modules_to_save: null,
    ...rest.config,
  };
  return { config: JSON.stringify(config, null, 2), tensors: writeSafetensors(tensors) };
}

/** The projections of Llama's layers; `width` of the model, `hidden` of the MLP, `kv` of keys and values. */
export function llamaModules({
  layers,
  width,
  hidden,
  kv,
}: Record<'layers' | 'width' | 'hidden' | 'kv', number>): MadeModule[] {
  const shapes: readonly (readonly [string, number, number])[] = [
    ['self_attn.q_proj', width, width],
    ['self_attn.k_proj', width, kv],
    ['self_attn.v_proj', width, kv],
    ['self_attn.o_proj', width, width],
    ['mlp.gate_proj', width, hidden],
    ['mlp.up_proj', width, hidden],
    ['mlp.down_proj', hidden, width],
  ];
  return Array.from({ length: layers }, (_, l) =>
    shapes.map(([name, inputs, outputs]) => ({ path: `model.layers.${l}.${name}`, inputs, outputs })),
  ).flat();
}

/** GPT-2's fused projections. */
export const gpt2Modules = (layers: number, width: number): MadeModule[] =>
  Array.from({ length: layers }, (_, l) => ({
    path: `transformer.h.${l}.attn.c_attn`,
    inputs: width,
    outputs: 3 * width,
  }));

/** Uniform in [0, 1): mulberry32, for tests only. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
