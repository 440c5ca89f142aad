/** Whole models with secret adapters, forward: generated weights in the shapes of published models, imported and calibrated as anybody's. */
import { calibrate, compile, commit, createProver, createVerifier } from '../../index.ts';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { modelOf } from '../../models/calibrate/model.ts';
import type { Device } from '../../runtime/device/device.ts';
import { openCheckpoint, type Checkpoint } from '../../models/files/checkpoint.ts';
import { importModel } from '../../models/import/model.ts';
import { bytesSource, loadAdapter } from '../../models/index.ts';
import { writeSafetensors, type TensorToWrite } from '../../models/files/safetensors-writer.ts';
import { tensorSections } from '../../runtime/protocol/lookup/tensor-lookups.ts';
import type { Prover, WeightMap } from '../../runtime/prover/index.ts';
import type { Accepted, Verifier } from '../../runtime/verifier/index.ts';
import type { OnProgress } from '../../runtime/prover/progress.ts';
import { resolveImport } from '../compiler/standard.ts';
import { makeAdapter, type MadeModule } from '../support/adapter.ts';

export interface ModelShape {
  readonly title: string;
  readonly tokens: number;
  readonly config: Readonly<Record<string, unknown>>;
  /** Shapes by checkpoint name. */
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  readonly adapted: readonly MadeModule[];
}

/** stories260k: five LLaMA layers of width 64, or more. */
export function storiesShape(tokens = 64, L = 5): ModelShape {
  const [D, F, V, KV] = [64, 172, 512, 32];
  const layer = (l: number): [string, number[]][] =>
    Object.entries({
      'self_attn.q_proj': [D, D],
      'self_attn.k_proj': [KV, D],
      'self_attn.v_proj': [KV, D],
      'self_attn.o_proj': [D, D],
      'mlp.gate_proj': [F, D],
      'mlp.up_proj': [F, D],
      'mlp.down_proj': [D, F],
      input_layernorm: [D],
      post_attention_layernorm: [D],
    }).map(([name, shape]) => [`model.layers.${l}.${name}.weight`, shape]);
  const layers = Array.from({ length: L }, (_, l) => l);
  return {
    title: `stories260k shape, ${tokens} tokens, adapters of rank 4 on q and v`,
    tokens,
    config: {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: D,
      intermediate_size: F,
      num_hidden_layers: L,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      vocab_size: V,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      hidden_act: 'silu',
      tie_word_embeddings: true,
    },
    tensors: new Map([...layers.flatMap(layer), ['model.embed_tokens.weight', [V, D]], ['model.norm.weight', [D]]]),
    adapted: layers.flatMap((l) => [
      { path: `model.layers.${l}.self_attn.q_proj`, inputs: D, outputs: D },
      { path: `model.layers.${l}.self_attn.v_proj`, inputs: D, outputs: KV },
    ]),
  };
}

/** GPT-2 (124M). */
export function gpt2Shape(tokens = 32, L = 12): ModelShape {
  const [D, V, P] = [768, 50257, 1024];
  const layer = (l: number): [string, number[]][] =>
    Object.entries({
      'attn.c_attn.weight': [D, 3 * D],
      'attn.c_attn.bias': [3 * D],
      'attn.c_proj.weight': [D, D],
      'attn.c_proj.bias': [D],
      'mlp.c_fc.weight': [D, 4 * D],
      'mlp.c_fc.bias': [4 * D],
      'mlp.c_proj.weight': [4 * D, D],
      'mlp.c_proj.bias': [D],
      'ln_1.weight': [D],
      'ln_1.bias': [D],
      'ln_2.weight': [D],
      'ln_2.bias': [D],
    }).map(([name, shape]) => [`transformer.h.${l}.${name}`, shape]);
  const layers = Array.from({ length: L }, (_, l) => l);
  return {
    title: `GPT-2 shape, ${L} layers, ${tokens} tokens, adapters of rank 8`,
    tokens,
    config: {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      n_embd: D,
      n_layer: L,
      n_head: 12,
      n_positions: P,
      vocab_size: V,
      activation_function: 'gelu_new',
      layer_norm_epsilon: 1e-5,
    },
    tensors: new Map<string, readonly number[]>([
      ...layers.flatMap(layer),
      ['transformer.wte.weight', [V, D]],
      ['transformer.wpe.weight', [P, D]],
      ['transformer.ln_f.weight', [D]],
      ['transformer.ln_f.bias', [D]],
    ]),
    adapted: layers.map((l) => ({ path: `transformer.h.${l}.attn.c_attn`, inputs: D, outputs: 3 * D })),
  };
}

/** Values of about the size that trained ones have: gains near 1, biases near 0, matrices that keep magnitudes. */
export function checkpointFiles({ config, tensors }: ModelShape): Map<string, Uint8Array> {
  let state = 1;
  const uniform = (): number => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 31 - 1;
  const made = new Map<string, TensorToWrite>();
  for (const [name, shape] of tensors) {
    const size = shape.reduce((n, d) => n * d, 1);
    const isGain = shape.length === 1 && name.endsWith('.weight');
    const gain = shape.length === 1 ? 0.1 : /embed|wte|wpe/.test(name) ? 0.3 : 1.7 / Math.sqrt(Math.min(...shape));
    const values = Float32Array.from({ length: size }, () => (isGain ? 1 : 0) + gain * uniform());
    made.set(name, { dtype: 'BF16', shape, values });
  }
  return new Map([
    ['config.json', new TextEncoder().encode(JSON.stringify(config))],
    ['model.safetensors', writeSafetensors(made)],
  ]);
}

export interface PreparedModel {
  readonly bundle: Uint8Array;
  readonly weights: ReadonlyMap<string, WeightMap>;
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  readonly counts: Readonly<Record<string, number>>;
}

/** Imports, calibrates on one sequence, and compiles: with the token after the last position as the only public output. */
export async function prepareModel(shape: ModelShape): Promise<PreparedModel> {
  const files = checkpointFiles(shape);
  const checkpoint = await openCheckpoint({
    name: 'model',
    open: async (name) => {
      const bytes = files.get(name);
      return bytes && bytesSource(name, bytes);
    },
  });
  const rank = shape.adapted[0].inputs === 64 ? 4 : 8;
  const made = makeAdapter({ modules: shape.adapted, rank, bound: 0.2 });
  const adapter = await loadAdapter(made.config, bytesSource('adapter_model.safetensors', made.tensors));
  const { description, fileName } = adapter;
  const described = { description, fileName, maxAbs: await adapter.maxAbs(), source: 'adapter' };
  const { text: imported } = await importModel(checkpoint, [described], shape.tokens);
  const text = lastPosition(imported);

  const input = { text, source: 'model.zkl', resolveImport };
  const weights = await readWeights(modelOf(input, { provisional: true }), checkpoint, adapter);
  const vocabulary = Number(shape.config['vocab_size']);
  const tokens = Array.from({ length: shape.tokens }, (_, i) => (i * 7919 + 13) % vocabulary);
  const inputs = new Map([['tokens', tokens]]);
  // Of fixed numbers of bits, so that what is timed stays the same program.
  const { calibration } = await calibrate({
    ...input,
    bits: 16,
    headroom: 1.5,
    weights: [...weights].map(([source, own]) => ({ source, weights: own })),
    samples: [{ inputs }],
  });
  const { bundle, diagnostics } = compile({ ...input, calibration });
  if (!bundle) throw new Error(diagnostics.map((d) => `${d.title}: ${d.label}`).join('\n'));
  return { bundle, weights, inputs, counts: countsOf(bundle) };
}

function lastPosition(text: string): string {
  const every = 'public next[t] = argmax(v) logits[t, v]';
  if (!text.includes(every)) throw new Error(`an import no longer writes \`${every}\``);
  return text.replace(every, 'public next = argmax(v) logits[T - 1, v]');
}

async function readWeights(
  program: ReturnType<typeof modelOf>,
  checkpoint: Checkpoint,
  adapter: Awaited<ReturnType<typeof loadAdapter>>,
): Promise<Map<string, WeightMap>> {
  const out = new Map<string, Map<string, { shape: readonly number[]; values: ArrayLike<number> }>>();
  for (const t of program.tensors) {
    if (!t.file) continue;
    const own = out.get(t.file.source) ?? new Map<string, { shape: readonly number[]; values: ArrayLike<number> }>();
    out.set(t.file.source, own);
    for (const name of t.file.names)
      if (t.file.source === 'base')
        own.set(name, { shape: t.shape.slice(t.file.stacked), values: await checkpoint.readFloats(name) });
      else for (const [key, value] of await adapter.weights([name])) own.set(key, value);
  }
  return out;
}

export function countsOf(bundle: Uint8Array): Record<string, number> {
  const { gadgets } = decodeBundle(bundle);
  const { sections, depth } = tensorSections(gadgets);
  return {
    leaves: sections.reduce((n, s) => n + 2 ** s.bits, 0),
    depth,
    'committed values': gadgets.witnessRows * gadgets.columns,
    weights: gadgets.sources.reduce((n, s) => n + s.rows * s.columns, 0),
    lookups: gadgets.lookups.length,
    levels: gadgets.levels,
  };
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Milliseconds of each run, and of the phases of its proof. */
export interface Timed {
  readonly proves: readonly number[];
  readonly verifies: readonly number[];
  readonly phases: ReadonlyMap<string, readonly number[]>;
  /** Of the proof. */
  readonly bytes: number;
  /** Milliseconds of the first proof, which compiles kernels. */
  readonly first: number;
  readonly made: readonly Made[];
}

/** What is proved, and was. */
export interface ToProve {
  readonly prover: Prover;
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
}
export interface Made {
  readonly proved: Awaited<ReturnType<Prover['prove']>>;
  readonly accepted: Accepted;
}

/** Proves and verifies `runs` times after a run that is not counted; with 0, that run is what counts. `next` sees what was made before. */
export async function proveAndVerify(
  next: (made: readonly Made[]) => ToProve | Promise<ToProve>,
  verifier: Verifier,
  runs: number,
): Promise<Timed> {
  const made: Made[] = [];
  const [proves, verifies]: [number[], number[]] = [[], []];
  const phases = new Map<string, number[]>();
  let [bytes, first] = [0, 0];
  for (let i = 0; i <= runs; i++) {
    const { prover, inputs } = await next(made);
    const start = performance.now();
    const own = new Map<string, number>();
    let before = start;
    const progress: OnProgress = ({ phase }) => {
      const now = performance.now();
      own.set(phase, (own.get(phase) ?? 0) + now - before);
      before = now;
    };
    const done = await prover.prove(inputs, { progress, check: false });
    const proved = performance.now();
    const verdict = await verifier.verify(done.proof);
    const verified = performance.now();
    if (!verdict.ok) throw new Error(verdict.reason);
    bytes = done.proofBytes;
    made.push({ proved: done, accepted: verdict });
    if (i === 0) first = proved - start;
    if (i === 0 && runs > 0) continue;
    proves.push(proved - start);
    for (const [phase, ms] of own) phases.set(phase, [...(phases.get(phase) ?? []), ms]);
    verifies.push(verified - proved);
  }
  return { proves, verifies, phases, bytes, first, made };
}

export interface ModelResult {
  readonly title: string;
  /** Milliseconds. */
  readonly times: Readonly<Record<string, number>>;
  readonly bytes: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** What one thread should take for each: products of 43 ns, point additions of 0.8 us, and sums of small integers times field elements. */
const MODEL = {
  leaf: 'model, one thread: 9.5 field products, 410 ns',
  value: 'model, one thread: 1.4 to 2.1 point additions, 1100 to 1700 ns',
  weight: 'model, one thread: one pass, 3.5 ns; of small models, equations without weights are most of it',
} as const;

/** Proves and verifies `runs` times after a run that is not counted; with 0, that run is what counts. */
export async function benchModel(
  shape: ModelShape,
  device: Device,
  runs: number,
  say: (line: string) => void,
): Promise<ModelResult> {
  const times: Record<string, number> = {};
  const timed = async <T>(name: string, body: () => Promise<T>): Promise<T> => {
    const since = performance.now();
    const value = await body();
    times[name] = performance.now() - since;
    say(`  ${name.padEnd(36)} ${times[name].toFixed(0).padStart(8)} ms`);
    return value;
  };
  say(shape.title);
  const model = await timed('import, calibrate, compile', () => prepareModel(shape));
  const { bundle, weights, inputs, counts } = model;
  const files = new Map<string, Awaited<ReturnType<typeof commit>>>();
  for (const [source, own] of weights)
    files.set(source, await timed(`commit ${source}`, () => commit(bundle, source, own, { device })));
  const sources = [...weights].map(([source, own]) => ({ source, weights: own, opening: files.get(source)!.opening }));
  const prover = await timed('open', () => createProver(bundle, { device, sources }));
  const expect = { sources: Object.fromEntries([...files].map(([source, { digest }]) => [source, digest])) };
  const verifier = await createVerifier(bundle, { device, expect });
  for (const [source, { commitment }] of files) {
    const verdict = await timed(`validate ${source}`, () => verifier.register(commitment));
    if (!verdict.ok) throw new Error(verdict.reason);
  }
  const {
    proves,
    verifies,
    phases,
    bytes: proof,
    first,
  } = await proveAndVerify(() => ({ prover, inputs }), verifier, runs);
  say(`  first proof, kernels compiled in it  ${first.toFixed(0).padStart(8)} ms`);
  const bytes = { proof, bundle: bundle.length };
  verifier.close();
  await timed('prove and check, once', () => prover.prove(inputs));
  times['prove'] = median(proves);
  times['verify'] = median(verifies);
  say(
    `  prove                                ${times['prove'].toFixed(0).padStart(8)} ms   (least ${Math.min(...proves).toFixed(0)})`,
  );
  say(
    `  verify                               ${times['verify'].toFixed(0).padStart(8)} ms   (least ${Math.min(...verifies).toFixed(0)})`,
  );
  say(
    `  bytes: ${Object.entries(bytes)
      .map(([k, v]) => `${k} ${v}`)
      .join(', ')}`,
  );
  say(
    `  counts: ${Object.entries(counts)
      .map(([k, v]) => `${k} ${v}`)
      .join(', ')}`,
  );
  for (const [phase, values] of phases) times[`prove: ${phase}`] = median(values);
  say(`  phases: ${[...phases].map(([phase, values]) => `${phase} ${median(values).toFixed(0)} ms`).join(', ')}`);
  const each = (phases: readonly string[], count: string): string =>
    ((phases.reduce((n, p) => n + (times[`prove: ${p}`] ?? 0), 0) * 1e6) / counts[count]).toFixed(1);
  say(`  a leaf of the lookups    ${each(['lookups'], 'leaves').padStart(8)} ns   (${MODEL.leaf})`);
  say(`  a committed value        ${each(['commit'], 'committed values').padStart(8)} ns   (${MODEL.value})`);
  say(`  a weight                 ${each(['equations', 'close'], 'weights').padStart(8)} ns   (${MODEL.weight})\n`);
  return { title: shape.title, times, bytes, counts };
}
