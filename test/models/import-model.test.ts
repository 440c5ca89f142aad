/** Models become programs that compute what the models compute, or are refused by name. */
import { describe, expect, test } from 'vitest';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { format } from '../../grammar/format.ts';
import { evaluateReal, type Numbers } from '../../runtime/evaluate/index.ts';
import { openCheckpoint, type Checkpoint } from '../../models/files/checkpoint.ts';
import { FormatError } from '../../models/files/errors.ts';
import type { ModelAdapter } from '../../models/import/adapters.ts';
import { importModel } from '../../models/import/model.ts';
import { HARMLESS_MODEL_FIELDS } from '../../models/config/harmless.ts';
import { loadAdapter } from '../../models/adapters/peft.ts';
import { bytesSource } from '../../models/files/source.ts';
import { checkText } from '../compiler/standard.ts';
import { makeAdapter, type AdapterShape } from '../support/adapter.ts';
import { gpt2Forward, llamaForward, timesTransposed, type Adapt } from '../support/forward.ts';
import type { GPT2, LLAMA } from '../support/model.ts';
import { makeGpt2, makeLlama, modelFiles, type MadeModel } from '../support/model.ts';

const open = (files: ReadonlyMap<string, Uint8Array | string>): Promise<Checkpoint> =>
  openCheckpoint({
    name: 'some/model',
    open: async (name) => {
      const content = files.get(name);
      if (content === undefined) return undefined;
      return bytesSource(
        `some/model/${name}`,
        typeof content === 'string' ? new TextEncoder().encode(content) : content,
      );
    },
  });

interface Adapted extends ModelAdapter {
  readonly weights: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float64Array }>;
}

async function adapterOf(shape: AdapterShape, source = 'adapter'): Promise<Adapted> {
  const { config, tensors } = makeAdapter(shape);
  const loaded = await loadAdapter(config, bytesSource('some/adapter/adapter_model.safetensors', tensors));
  const { description, fileName } = loaded;
  return { description, fileName, maxAbs: await loaded.maxAbs(), source, weights: await loaded.weights() };
}

/** What adapters add, in floating point. */
const adapt =
  (adapters: readonly Adapted[]): Adapt =>
  (name, x) => {
    let sum: number[][] | undefined;
    for (const { description, weights } of adapters) {
      const module = description.modules.find((m) => m.path === name);
      if (module === undefined) continue;
      const matrix = (tensor: string): number[][] => {
        const { shape, values } = weights.get(tensor) ?? { shape: [0, 0], values: new Float64Array() };
        return Array.from({ length: shape[0] }, (_, i) => [...values.subarray(i * shape[1], (i + 1) * shape[1])]);
      };
      const factor = module.alpha / (module.rslora ? Math.sqrt(module.rank) : module.rank);
      const y = timesTransposed(timesTransposed(x, matrix(module.a.name)), matrix(module.b.name));
      sum = y.map((row, t) => row.map((v, o) => (sum?.[t][o] ?? 0) + factor * v));
    }
    return sum;
  };

/** The imported program, checked, and the layout of its text. */
async function programOf(
  made: MadeModel,
  adapters: readonly Adapted[],
  tokens: number,
): Promise<{ text: string; program: TensorProgram }> {
  const { text } = await importModel(await open(modelFiles(made)), adapters, tokens);
  const formatted = (await format(text, 'model.zkl')).text ?? '';
  const { programs, all } = checkText(formatted, { provisional: true });
  expect(all, formatted).toEqual([]);
  return { text: formatted, program: programs[0] };
}

const TOKENS = [3, 0, 17, 5, 5, 11];

/** The program's logits in floating point. */
async function logitsOf(made: MadeModel, adapters: readonly Adapted[]): Promise<Numbers> {
  const { program } = await programOf(made, adapters, TOKENS.length);
  const checkpoint = await open(modelFiles(made));
  const inputs = new Map<number, Numbers>();
  for (const { id, name, role, file } of program.tensors) {
    if (role !== 'input') continue;
    const weight = file?.source === 'base' ? undefined : adapters.find((a) => a.source === file?.source);
    if (name === 'tokens') inputs.set(id, Int32Array.from(TOKENS));
    else if (weight) inputs.set(id, weight.weights.get(file?.names[0] ?? '')?.values ?? new Float64Array());
    else inputs.set(id, await checkpoint.readFloats(file?.names[0] ?? ''));
  }
  const logits = program.tensors.find((t) => t.name === 'logits');
  return evaluateReal(program, inputs).get(logits?.id ?? -1) ?? new Float64Array();
}

function expectSame(actual: ArrayLike<number>, expected: readonly (readonly number[])[]): void {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  const scale = Math.max(...flat.map(Math.abs));
  const worst = Math.max(...flat.map((v, k) => Math.abs(v - actual[k])));
  // Constants of rotations and of scores are rounded to 14 and 15 bits.
  expect(worst / scale).toBeLessThan(2e-3);
}

const forward = (made: MadeModel, adapters: readonly Adapted[]): number[][] => {
  const find = (name: string) => made.tensors.get(name) ?? made.tensors.get(name.replace(/^\w+\./, ''));
  const weights = (name: string): ArrayLike<number> => find(name)?.values ?? [];
  return made.config['model_type'] === 'gpt2'
    ? gpt2Forward(made.config as unknown as typeof GPT2, weights, TOKENS, adapt(adapters))
    : llamaForward(
        made.config as unknown as typeof LLAMA,
        weights,
        (n) => find(n) !== undefined,
        TOKENS,
        adapt(adapters),
      );
};

const layers = (names: readonly [path: string, inputs: number, outputs: number][], stem: string, list = [0, 1]) =>
  list.flatMap((l) => names.map(([path, inputs, outputs]) => ({ path: `${stem}.${l}.${path}`, inputs, outputs })));

const ATTENTION: [string, number, number][] = [
  ['self_attn.q_proj', 12, 16],
  ['self_attn.v_proj', 12, 8],
];
const EVERYTHING: [string, number, number][] = [
  ...ATTENTION,
  ['self_attn.k_proj', 12, 8],
  ['self_attn.o_proj', 16, 12],
  ['mlp.gate_proj', 12, 20],
  ['mlp.up_proj', 12, 20],
  ['mlp.down_proj', 20, 12],
];

describe('imported programs compute what the models compute', () => {
  test.each<[string, MadeModel]>([
    ['Llama', makeLlama()],
    ['Llama with a head of its own', makeLlama({ tie_word_embeddings: false })],
    ['Llama with as many heads of keys as of queries', makeLlama({ num_key_value_heads: 4 })],
    ['Llama with wide heads and another base', makeLlama({ head_dim: 6, rope_theta: 500 })],
    ['Llama with biases', makeLlama({ attention_bias: true, mlp_bias: true })],
    ['Qwen2', makeLlama({ architectures: ['Qwen2ForCausalLM'], use_sliding_window: false, sliding_window: 4096 })],
    ['Mistral', makeLlama({ architectures: ['MistralForCausalLM'], sliding_window: null })],
    ['GPT-2', makeGpt2()],
    ['GPT-2 without the prefix of its names', makeGpt2({ n_inner: 20 }, '')],
  ])('%s', async (_, made) => {
    expectSame(await logitsOf(made, []), forward(made, []));
  });

  test.each<[string, MadeModel, AdapterShape[]]>([
    ['on attention', makeLlama(), [{ modules: layers(ATTENTION, 'model.layers'), rank: 3 }]],
    ['on everything', makeLlama(), [{ modules: layers(EVERYTHING, 'model.layers'), rank: 4, alpha: 6 }]],
    ['on the head', makeLlama(), [{ modules: [{ path: 'lm_head', inputs: 12, outputs: 23 }], rank: 2 }]],
    ['on one layer', makeLlama(), [{ modules: layers(EVERYTHING, 'model.layers', [1]), rank: 2, rslora: true }]],
    [
      'of several ranks',
      makeLlama(),
      [{ modules: layers(ATTENTION, 'model.layers').map((m, k) => ({ ...m, rank: 1 + k, alpha: 2 + k })), rank: 8 }],
    ],
    [
      'two of them',
      makeLlama(),
      [
        { modules: layers(ATTENTION, 'model.layers'), rank: 3, seed: 5 },
        { modules: layers(EVERYTHING, 'model.layers', [0]), rank: 4, rslora: true, seed: 6 },
      ],
    ],
    [
      'on GPT-2',
      makeGpt2(),
      [
        {
          modules: layers(
            [
              ['attn.c_attn', 12, 36],
              ['mlp.c_fc', 12, 48],
              ['mlp.c_proj', 48, 12],
              ['attn.c_proj', 12, 12],
            ],
            'transformer.h',
          ),
          rank: 4,
        },
      ],
    ],
  ])('with adapters %s', async (_, made, shapes) => {
    const adapters = await Promise.all(
      shapes.map((s, k) => adapterOf(s, shapes.length === 1 ? 'adapter' : `source${k}`)),
    );
    expectSame(await logitsOf(made, adapters), forward(made, adapters));
  });

  test('every layer that is adapted alike shares one repeat', async () => {
    const some = await adapterOf({ modules: layers(ATTENTION, 'model.layers', [1, 2]), rank: 2 });
    const { text } = await programOf(makeLlama({ num_hidden_layers: 4 }), [some], 4);
    expect(text.match(/repeat .*/g)).toEqual([
      'repeat l: 1 at "model.layers.{l}" {',
      'repeat l1: 2 at "model.layers.{l1 + 1}" {',
      'repeat l3: 1 at "model.layers.{l3 + 3}" {',
    ]);
  });

  test('the text of the simplest case', async () => {
    expect(
      (await programOf(makeLlama(), [await adapterOf({ modules: layers(ATTENTION, 'model.layers'), rank: 2 })], 8))
        .text,
    ).toMatchInlineSnapshot(`
      "import { embedding, rmsnorm, linear, lora, rotary_attention, swiglu, head } from "std"

      /// LlamaForCausalLM of model with a secret adapter, on 8 tokens.
      ///
      /// A proof shows that \`next[t]\` is the token which the model finds most likely after \`tokens[0]\` to \`tokens[t]\`: exactly, in the
      /// fixed-point arithmetic written here and in the calibration. It publishes the tokens; \`secret tokens\` keeps them.
      /// The weights of \`adapter\`, for 4 projections, are those of adapter.
      model llama {
        dim T = 8, V = 23, D = 12, F = 20, H = 4, G = 2, L = 2, K = 4, R = 2
        const eps = 0.00001, theta = 10000, alpha = 4

        public tokens[T]: index<V>
        // 20 bits: between tokens of nearly equal scores nothing but this rounding decides.
        open E[V, D]: fixed<20, 19> from base "model.embed_tokens.weight"

        x = round(embedding(E, tokens))

        repeat l: L at "model.layers.{l}" {
          h = rmsnorm(x, eps) at "input_layernorm"
          q = round(linear<H * K>(h) + lora<H * K, R>(h, alpha)) at "self_attn.q_proj"
          k = round(linear<G * K>(h)) at "self_attn.k_proj"
          v = round(linear<G * K>(h) + lora<G * K, R>(h, alpha)) at "self_attn.v_proj"
          o = rotary_attention(q as [1, T, H, K], k as [1, T, G, K], v as [1, T, G, K], theta) at "self_attn"
          a = round(x + linear<D>(o) at "self_attn.o_proj")
          n = rmsnorm(a, eps) at "post_attention_layernorm"
          x' = round(a + swiglu<F>(n) at "mlp")
        }

        y = rmsnorm(x, eps) at "model.norm"
        // \`public logits\` instead makes all scores public, with no line for \`next\`; \`public next = argmax(v) logits[T - 1, v]\` says the
        // last token alone.
        logits = head(y, E)
        public next[t] = argmax(v) logits[t, v]
      }
      "
    `);
    expect((await programOf(makeGpt2(), [], 8)).text).toMatchInlineSnapshot(`
      "import { layernorm, conv1d, fused_attention, mlp, head } from "std"

      /// GPT2LMHeadModel of model, on 8 tokens.
      ///
      /// A proof shows that \`next[t]\` is the token which the model finds most likely after \`tokens[0]\` to \`tokens[t]\`: exactly, in the
      /// fixed-point arithmetic written here and in the calibration. It publishes the tokens; \`secret tokens\` keeps them.
      model gpt2 {
        dim T = 8, V = 19, D = 12, P = 16, F = 48, H = 3, L = 2, K = D / H
        const eps = 0.00001

        public tokens[T]: index<V>
        // 20 bits: between tokens of nearly equal scores nothing but this rounding decides.
        open E[V, D]: fixed<20, 19> from base "transformer.wte.weight"
        open W[P, D] from base "transformer.wpe.weight"

        x[t: T, d] = round(E[tokens[t], d] + W[t, d])

        repeat l: L at "transformer.h.{l}" {
          h = layernorm(x, eps) at "ln_1"
          c = round(conv1d<3 * D>(h)) at "attn.c_attn"
          o = fused_attention<H, K>(c as [1, T, 3 * D]) at "attn"
          a = round(x + conv1d<D>(o) at "attn.c_proj")
          n = layernorm(a, eps) at "ln_2"
          x' = round(a + mlp<F>(n) at "mlp")
        }

        y = layernorm(x, eps) at "transformer.ln_f"
        // \`public logits\` instead makes all scores public, with no line for \`next\`; \`public next = argmax(v) logits[T - 1, v]\` says the
        // last token alone.
        logits = head(y, E)
        public next[t] = argmax(v) logits[t, v]
      }
      "
    `);
  });
});

const MISTRAL = { architectures: ['MistralForCausalLM'] };
/** In all layers, unless something else is said. */
const QWEN = { architectures: ['Qwen2ForCausalLM'], use_sliding_window: true, max_window_layers: 0 };
const SOME_WINDOWS = ['full_attention', 'sliding_attention'];

describe('what changes nothing of the model is accepted', () => {
  const rope = (scaling: Readonly<Record<string, unknown>>): [string, Record<string, unknown>][] => [
    [`rope_scaling ${JSON.stringify(scaling)}`, { rope_scaling: scaling }],
    [`rope_parameters ${JSON.stringify(scaling)}`, { rope_parameters: scaling }],
  ];

  test.each<[string, Record<string, unknown>]>([
    [
      'code that has the class once more',
      { auto_map: { AutoConfig: 'configuration.LlamaConfig', AutoModelForCausalLM: 'modeling.LlamaForCausalLM' } },
    ],
    ['a window as wide as the tokens', { ...MISTRAL, sliding_window: 4 }],
    ['a wider one', { ...MISTRAL, sliding_window: 4096 }],
    ['the window that Mistral has where nothing is said', MISTRAL],
    ['no window', { ...MISTRAL, sliding_window: null }],
    ['a wide window in some layers', { layer_types: SOME_WINDOWS, use_sliding_window: true, sliding_window: 4 }],
    ['a window that is not used', { sliding_window: 3, use_sliding_window: false, max_window_layers: 1 }],
    ['a window from a layer that there is not', { sliding_window: 3, use_sliding_window: true, max_window_layers: 2 }],
    ['only layers without', { sliding_window: 3, layer_types: ['full_attention', 'full_attention'] }],
    ...rope({ type: 'linear', factor: 1 }),
    ...rope({ rope_type: 'linear', factor: 1, type: 'linear' }),
    ...rope({ type: 'dynamic', factor: 1 }),
    ...rope({ rope_type: 'yarn', factor: 1, beta_fast: 32, original_max_position_embeddings: 32 }),
    ...rope({
      rope_type: 'llama3',
      factor: 1,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 16,
    }),
    ...rope({ type: 'dynamic', factor: 4 }),
    ...rope({ rope_type: 'default', factor: 1, rope_theta: 10000, partial_rotary_factor: 1 }),
  ])('%s', async (_, changes) => {
    const made = makeLlama();
    const plain = await importModel(await open(modelFiles(made)), [], 4);
    const other = await importModel(await open(modelFiles({ ...made, config: { ...made.config, ...changes } })), [], 4);
    const body = (text: string): string => text.slice(text.indexOf('\nmodel '));
    expect(body(other.text)).toBe(body(plain.text));
  });

  test('a program says up to how many tokens it is the model', async () => {
    const made = makeLlama();
    const text = async (sliding_window: number | null): Promise<string> => {
      const config = { ...made.config, ...MISTRAL, sliding_window };
      return (await importModel(await open(modelFiles({ ...made, config })), [], 4)).text;
    };
    expect(await text(9)).toContain('sees 9 tokens at most: with a larger T the program is another model.');
    expect(await text(null)).not.toContain('at most');
  });

  test('Qwen2 without windows in its first layers', async () => {
    const made = makeLlama({ ...QWEN, max_window_layers: 2, sliding_window: 1 });
    await expect(importModel(await open(modelFiles(made)), [], 4)).resolves.toBeDefined();
  });
});

describe('what cannot be imported is refused by name', () => {
  const refusal = async (
    files: ReadonlyMap<string, Uint8Array | string>,
    adapters: readonly Adapted[] = [],
    tokens = 4,
  ): Promise<string> => {
    try {
      await importModel(await open(files), adapters, tokens);
    } catch (error) {
      if (error instanceof FormatError) return error.message;
      throw error;
    }
    throw new Error('not refused');
  };
  const withConfig = (made: MadeModel, changes: Readonly<Record<string, unknown>>): Map<string, Uint8Array | string> =>
    modelFiles({ ...made, config: { ...made.config, ...changes } });

  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      'another architecture',
      { architectures: ['MixtralForCausalLM'] },
      /"MixtralForCausalLM" cannot be imported; it would need routing to experts/,
    ],
    [
      'an unknown one',
      { architectures: ['NewForCausalLM'] },
      /"NewForCausalLM" cannot be imported; known are LlamaForCausalLM/,
    ],
    ['none', { architectures: undefined }, /"architectures" does not name one architecture/],
    [
      'two scalings',
      { rope_scaling: { type: 'linear', factor: 2 }, rope_parameters: { rope_type: 'linear', factor: 4 } },
      /"rope_parameters" scales the rotary angles otherwise than "rope_scaling"/,
    ],
    [
      'scaled angles in the new place',
      { rope_parameters: { rope_type: 'llama3', factor: 8 } },
      /"rope_parameters" is .*"low_freq_factor" is no positive number/,
    ],
    ['two bases', { rope_parameters: { rope_type: 'default', rope_theta: 5e5 } }, /"rope_theta" is 10000/],
    ['part of each head', { partial_rotary_factor: 0.5 }, /"partial_rotary_factor" is 0.5/],
    [
      'windows',
      { ...MISTRAL, sliding_window: 3 },
      /"sliding_window" is 3: .* fewer than 4 tokens; .*--tokens 3 at most/,
    ],
    ['windows that Mistral cannot switch off', { ...MISTRAL, sliding_window: 3, use_sliding_window: false }, /window/],
    ['windows in some layers', { layer_types: ['full_attention', 'sliding_attention'] }, /"layer_types"/],
    ['windows in other layers', { ...QWEN, max_window_layers: 1, sliding_window: 3 }, /"sliding_window" is 3/],
    ['windows by name', { ...QWEN, layer_types: SOME_WINDOWS, sliding_window: 3 }, /"sliding_window" is 3/],
    ['windows of no width', { ...MISTRAL, sliding_window: 0 }, /"sliding_window" is 0, no whole number from 1/],
    ['windows of another width', { ...MISTRAL, sliding_window: '9' }, /"sliding_window" is "9"/],
    ['windows, and nothing says how wide', { ...QWEN, layer_types: SOME_WINDOWS, sliding_window: null }, /how wide/],
    ['chunks', { layer_types: ['full_attention', 'chunked_attention'] }, /"layer_types"/],
    ['types of other layers', { layer_types: ['full_attention'] }, /"layer_types" has 1 entries, the model 2 layers/],
    ...(
      [
        [{ rope_type: 'linear' }, /"factor" is no positive number/],
        [{ type: 'linear', rope_type: 'llama3', factor: 1 }, /"rope_type" and "type" differ/],
        [{ type: 'linear', factor: '1' }, /"factor" is no positive number/],
        [{ type: 'linear', factor: 1, other: 2 }, /it is not known what "other" does/],
        [{ type: 'linear', factor: 1, partial_rotary_factor: 0.5 }, /only a part of each head/],
        [{ type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 }, /not below "high_freq_factor"/],
        [{ type: 'yarn', factor: 1, original_max_position_embeddings: 16 }, /32 positions are 2 times 16/],
        [{ type: 'yarn', factor: 4, beta_fast: 0 }, /"beta_fast" is no positive number/],
        [{ type: 'longrope', factor: 1, short_factor: [1, 1] }, /each of the rotary angles has a factor of its own/],
        [{ type: 'later', factor: 1 }, /it is not known how the rotary angles are scaled/],
        [{ factor: 2 }, /nothing says how "factor" scales/],
      ] as const
    ).map(([rope, message]): [string, Record<string, unknown>, RegExp] => [
      `angles ${JSON.stringify(rope)}`,
      { rope_scaling: rope },
      new RegExp(`"rope_scaling" is .*${message.source}`),
    ]),
    ['a base that is none', { rope_scaling: { rope_theta: '5' } }, /"rope_theta" is no positive number/],
    [
      'bases in two places',
      { rope_theta: undefined, rope_scaling: { rope_theta: 5 }, rope_parameters: { rope_theta: 6 } },
      /has the base 6, "rope_scaling" has 5/,
    ],
    ['another activation', { hidden_act: 'mish' }, /"hidden_act" is "mish"; known are silu/],
    ['a field nobody knows', { logit_scale: 0.5 }, /"logit_scale" is 0.5, and it is not known here what that changes/],
    ['quantised weights', { quantization_config: { bits: 4 } }, /"quantization_config" is set/],
    ['code of its own', { auto_map: { AutoModelForCausalLM: 'modeling.MyLlama' } }, /"auto_map" is set/],
    ['heads that groups do not divide', { num_key_value_heads: 3 }, /"num_key_value_heads" is 3/],
    ['a missing number', { hidden_size: undefined }, /"hidden_size" is missing/],
    ['a number that is none', { num_hidden_layers: 'two' }, /"num_hidden_layers" is "two"/],
    [
      'another shape',
      { vocab_size: 24 },
      /"model.embed_tokens.weight" has the shape \[23, 12\], .* makes it \[24, 12\]/,
    ],
    [
      'more layers than there are',
      { num_hidden_layers: 3 },
      /"model.layers.2.self_attn.q_proj.weight" of shape \[16, 12\] is missing/,
    ],
    ['fewer layers than there are', { num_hidden_layers: 1 }, /no place for "model.layers.1/],
  ])('%s', async (_, changes, message) => {
    expect(await refusal(withConfig(makeLlama(), changes))).toMatch(message);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['scores that are not scaled', { scale_attn_weights: false }, /"scale_attn_weights" is false/],
    ['scores scaled by layer', { scale_attn_by_inverse_layer_idx: true }, /by the number of the layer/],
    ['cross attention', { add_cross_attention: true }, /attend to an encoder/],
    ['heads that do not divide the width', { n_head: 5 }, /"n_head" is 5/],
  ])('GPT-2 with %s', async (_, changes, message) => {
    expect(await refusal(withConfig(makeGpt2(), changes))).toMatch(message);
  });

  test('everything that stands against it, at once', async () => {
    const made = makeLlama({
      num_key_value_heads: 3,
      hidden_act: 'mish',
      logit_scale: 0.5,
      rope_scaling: { type: 'su' },
    });
    const { q_proj, ...rest } = Object.fromEntries(
      [...made.tensors].map(([name, tensor]) => [name.includes('0.self_attn.q_proj') ? 'q_proj' : name, tensor]),
    );
    const tensors = new Map([...Object.entries(rest), ['further.weight', q_proj] as const]);
    const files = modelFiles({ config: { ...made.config, hidden_size: 'wide' }, tensors });
    // What cannot be read makes no model: its tensors are not known.
    expect((await refusal(files)).split('\n')).toEqual([
      'some/model: it cannot be imported, for 5 reasons',
      expect.stringMatching(/^ {2}some\/model\/config.json: "hidden_size" is "wide"/),
      expect.stringMatching(/^ {2}some\/model\/config.json: "num_key_value_heads" is 3/),
      expect.stringMatching(/^ {2}some\/model\/config.json: "rope_scaling" is /),
      expect.stringMatching(/^ {2}some\/model\/config.json: "hidden_act" is "mish"/),
      expect.stringMatching(
        /^ {2}some\/model\/config.json: "logit_scale" is 0.5.*; mend all of them, each as it says$/,
      ),
    ]);
    const adapters = [
      await adapterOf({
        modules: layers(
          [
            ['self_attn.q_proj', 12, 12],
            ['mlp.fc', 12, 12],
          ],
          'model.layers',
        ),
        rank: 2,
      }),
    ];
    const config = { ...made.config, num_key_value_heads: 2, hidden_act: 'silu' };
    expect((await refusal(modelFiles({ config, tensors }), adapters, 33)).split('\n')).toEqual([
      'some/model: it cannot be imported, for 11 reasons',
      expect.stringMatching('"rope_scaling" is '),
      expect.stringMatching('"logit_scale" is 0.5'),
      expect.stringMatching('32 positions, fewer than 33 tokens'),
      expect.stringMatching('"model.layers.0.self_attn.q_proj.weight" of shape \\[16, 12\\] is missing'),
      expect.stringMatching('"model.layers.0.self_attn.k_proj.weight" has the shape'),
      expect.stringMatching('"model.layers.0.self_attn.v_proj.weight" has the shape'),
      expect.stringMatching('2 more tensors are missing or of another shape'),
      expect.stringMatching('no place for "further.weight"'),
      expect.stringMatching('changes "model.layers.0.mlp.fc", "model.layers.1.mlp.fc", which are no projections'),
      expect.stringMatching('"model.layers.0.self_attn.q_proj" goes from 12 to 12'),
      expect.stringMatching('"model.layers.1.self_attn.q_proj" goes from 12 to 12'),
    ]);
  });

  test('fields without an effect are accepted, as is a switch that is off', async () => {
    const files = withConfig(makeLlama(), {
      pretraining_tp: 1,
      use_cache: false,
      future_flag: false,
      future_list: [],
      other: null,
    });
    await expect(importModel(await open(files), [], 4)).resolves.toBeDefined();
  });

  test.each<[string, MadeModel]>([
    ['Llama', makeLlama()],
    ['GPT-2', makeGpt2()],
  ])('%s with all harmless fields', async (_, made) => {
    const names = [...HARMLESS_MODEL_FIELDS.keys()].filter((name) => !(name in made.config));
    for (const value of [1, 'x', true, { a: 1 }]) {
      const files = withConfig(made, Object.fromEntries(names.map((name) => [name, value])));
      await expect(importModel(await open(files), [], 4)).resolves.toBeDefined();
    }
  });

  test('the harmless fields are neither read nor known to change anything', async () => {
    for (const name of [
      'hidden_size rope_theta rope_scaling sliding_window logits_soft_cap attention_multiplier pruned_heads',
      'embedding_multiplier qk_layernorm scale_attn_weights add_cross_attention quantization_config auto_map',
    ].flatMap((names) => names.split(' ')))
      expect(HARMLESS_MODEL_FIELDS.has(name)).toBe(false);
    expect(await refusal(withConfig(makeGpt2(), { pruned_heads: { 0: [1] } }))).toMatch(/"pruned_heads" is/);
  });

  test('more tokens than positions', async () => {
    expect(await refusal(modelFiles(makeLlama()), [], 33)).toMatch('the model has 32 positions, fewer than 33 tokens');
  });

  test('adapters of another model', async () => {
    const files = modelFiles(makeLlama());
    const adapter = (path: string, inputs: number, outputs: number, bound?: number): Promise<Adapted> =>
      adapterOf({ modules: [{ path, inputs, outputs }], rank: 2, ...(bound === undefined ? {} : { bound }) });
    expect(await refusal(files, [await adapter('model.layers.2.self_attn.q_proj', 12, 16)])).toMatch(
      /"model.layers.2.self_attn.q_proj", which is no projection of this model/,
    );
    expect(await refusal(files, [await adapter('model.layers.0.self_attn.q_proj', 12, 12)])).toMatch(
      /goes from 12 to 12, in the model from 12 to 16/,
    );
    expect(await refusal(files, [await adapter('model.layers.0.self_attn.q_proj', 12, 16, 3)])).toMatch(/below 2/);
  });

  test.each([
    'lm_head.weight',
    'lm_head.modules_to_save.default.weight',
    'lm_head.modules_to_save.weight',
    'model.embed_tokens.modules_to_save.default.weight',
    'model.layers.0.input_layernorm.modules_to_save.default.weight',
    'model.layers.0.input_layernorm.weight',
    'score.weight',
    'anything.else',
  ])('an adapter with the trained part %s', async (name) => {
    const saved = await adapterOf({
      modules: layers(ATTENTION, 'model.layers'),
      rank: 2,
      tensors: new Map([
        [`base_model.model.${name}`, { dtype: 'F32', shape: [23, 12], values: new Float32Array(276) }],
      ]),
    });
    expect(await refusal(modelFiles(makeLlama()), [saved])).toContain(
      `"${name}" [23, 12] stands in place of a tensor of the model or beside it`,
    );
  });
});

describe('checkpoints', () => {
  test('in several files', async () => {
    const made = makeLlama();
    const [one, three] = await Promise.all([open(modelFiles(made)), open(modelFiles(made, 3))]);
    expect([...three.tensors.keys()].sort()).toEqual([...one.tensors.keys()].sort());
    for (const name of made.tensors.keys()) expect(await three.readFloats(name)).toEqual(await one.readFloats(name));
  });

  const changed = (change: (files: Map<string, Uint8Array | string>) => void): Promise<unknown> => {
    const files = modelFiles(makeLlama(), 2);
    change(files);
    return open(files);
  };
  const index = 'model.safetensors.index.json';
  const remap = (change: (map: Record<string, unknown>) => void) => (files: Map<string, Uint8Array | string>) => {
    const parsed = JSON.parse(String(files.get(index))) as { weight_map: Record<string, unknown> };
    change(parsed.weight_map);
    files.set(index, JSON.stringify(parsed));
  };

  test.each<[string, (files: Map<string, Uint8Array | string>) => void, RegExp]>([
    ['without a configuration', (f) => f.delete('config.json'), /there is no config.json/],
    ['with a configuration that is none', (f) => f.set('config.json', '[]'), /it is no JSON object/],
    ['without weights', (f) => f.delete(index), /there is no model.safetensors/],
    ['with pickled weights', (f) => f.set('pytorch_model.bin', 'x').delete(index), /pickled/],
    ['with an index without a map', (f) => f.set(index, '{}'), /no "weight_map"/],
    [
      'with an index that leads elsewhere',
      remap((m) => (m['model.norm.weight'] = '../x.safetensors')),
      /no safetensors file here/,
    ],
    ['with a missing shard', (f) => f.delete('model-00002-of-00002.safetensors'), /which is not there/],
    [
      'with a tensor that is in no shard',
      remap((m) => (m['more'] = 'model-00001-of-00002.safetensors')),
      /"more" is missing/,
    ],
    ['with a tensor that is in no index', remap((m) => delete m['model.norm.weight']), /knows nothing/],
  ])('%s', async (_, change, message) => {
    await expect(changed(change)).rejects.toThrow(message);
  });
});
