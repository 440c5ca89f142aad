import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesSource, FormatError, importAdapter, loadAdapter, writeSafetensors } from '../../models/index.ts';
import { HARMLESS_ADAPTER_FIELDS } from '../../models/config/harmless.ts';
import type { Dtype, LoraModule, TensorToWrite } from '../../models/index.ts';
import { gpt2Modules, llamaModules, makeAdapter, type AdapterShape, type MadeAdapter } from '../support/adapter.ts';
import { realAdapter } from '../support/real-adapter.ts';

const load = ({ config, tensors }: MadeAdapter) => loadAdapter(config, bytesSource('a.safetensors', tensors), 'c.json');

/** The message with which an adapter is refused. */
async function refusal(made: MadeAdapter): Promise<string> {
  const error: unknown = await load(made).then(
    () => new Error('the adapter was read'),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(FormatError);
  const { message } = error as FormatError;
  expect(message.length).toBeLessThan(600);
  return message;
}

const small: AdapterShape = { modules: [{ path: 'h.0.c', inputs: 6, outputs: 9 }], rank: 2 };

const zeros = (...shape: number[]): TensorToWrite => ({
  dtype: 'F32',
  shape,
  values: new Float32Array(shape.reduce((n, d) => n * d, 1)),
});

/** A file with these tensors only. */
const withTensors = (
  tensors: Readonly<Record<string, TensorToWrite>>,
  config: AdapterShape['config'] = {},
): MadeAdapter => ({
  config: makeAdapter({ ...small, config }).config,
  tensors: writeSafetensors(new Map(Object.entries(tensors))),
});

test.each([1, 3, 4, 8, 64])('rank %i: modules, shapes and scaling', async (rank) => {
  const { description } = await load(makeAdapter({ modules: gpt2Modules(3, 10), rank, alpha: 12 }));
  expect(description.leftOut).toEqual([]);
  expect(description.modules.map((m) => [m.path, m.inputs, m.outputs, m.rank])).toEqual(
    [0, 1, 2].map((l) => [`transformer.h.${l}.attn.c_attn`, 10, 30, rank]),
  );
  for (const { scaling, a, b, path } of description.modules) {
    expect(Number(scaling!.num) / Number(scaling!.den)).toBe(12 / rank);
    expect(a).toEqual({
      name: `${path}.lora_A.weight`,
      stored: `base_model.model.${path}.lora_A.weight`,
      shape: [rank, 10],
    });
    expect(b.shape).toEqual([30, rank]);
  }
});

/** Of a number below 1/2 in a dtype. */
const ROUNDING: readonly (readonly [Dtype, number])[] = [
  ['F64', 0],
  ['F32', 2 ** -26],
  ['F16', 2 ** -13],
  ['BF16', 2 ** -10],
];

test.each(ROUNDING)('weights in %s are those that were saved', async (dtype, error) => {
  const exact = await (await load(makeAdapter({ ...small, dtype: 'F64' }))).weights();
  const weights = await (await load(makeAdapter({ ...small, dtype }))).weights();
  expect([...weights.keys()]).toEqual(['h.0.c.lora_A.weight', 'h.0.c.lora_B.weight']);
  for (const [name, { shape, values }] of weights) {
    expect(shape).toEqual(exact.get(name)!.shape);
    values.forEach((v, i) => expect(Math.abs(v - exact.get(name)!.values[i])).toBeLessThanOrEqual(error));
  }
});

test('single matrices and their largest magnitudes', async () => {
  const adapter = await load(makeAdapter(small));
  const weights = await adapter.weights(['h.0.c.lora_B.weight']);
  expect([...weights.keys()]).toEqual(['h.0.c.lora_B.weight']);
  const { values } = weights.get('h.0.c.lora_B.weight')!;
  expect((await adapter.maxAbs()).get('h.0.c.lora_B.weight')).toBe(Math.max(...values.map(Math.abs)));
  await expect(adapter.weights(['nothing'])).rejects.toThrow(/no tensor "nothing"; it has "h\.0\.c\.lora_A\.weight"/);
});

test("Llama's seven projections, in the order of layers", async () => {
  const modules = llamaModules({ layers: 11, width: 8, hidden: 12, kv: 4 });
  const { description } = await load(makeAdapter({ modules, rank: 2 }));
  expect(new Map(description.modules.map((m) => [m.path, [m.inputs, m.outputs]]))).toEqual(
    new Map(modules.map((m) => [m.path, [m.inputs, m.outputs]])),
  );
  const layers = description.modules.map((m) => Number(m.path.split('.')[2]));
  expect(layers).toEqual(layers.toSorted((a, b) => a - b));
});

test("names with the adapter's name in them, and without PEFT's prefix", async () => {
  const { description } = await load(
    withTensors({
      'base_model.model.h.0.c.lora_A.default.weight': zeros(2, 6),
      'base_model.model.h.0.c.lora_B.default.weight': zeros(9, 2),
      'h.1.c.lora_A.weight': zeros(2, 6),
      'h.1.c.lora_B.weight': zeros(9, 2),
    }),
  );
  expect(description.modules.map((m) => [m.path, m.a.name])).toEqual([
    ['h.0.c', 'h.0.c.lora_A.weight'],
    ['h.1.c', 'h.1.c.lora_A.weight'],
  ]);
});

test('what is no LoRA matrix is left out, with the reason', async () => {
  const tensors = new Map([
    ['base_model.model.score.weight', zeros(2, 6)],
    ['base_model.model.embed.tokens.weight', zeros(3)],
  ]);
  const adapter = await load(makeAdapter({ ...small, tensors, config: { modules_to_save: ['embed.tokens'] } }));
  const { modules, leftOut } = adapter.description;
  expect(leftOut.map((t) => [t.name, t.shape, t.reason])).toEqual([
    ['embed.tokens.weight', [3], 'saved whole by modules_to_save ("embed.tokens"), no LoRA matrix'],
    ['score.weight', [2, 6], 'saved whole with the adapter, as heads of classifiers are, no LoRA matrix'],
  ]);
  expect(modules).toHaveLength(1);
  expect((await adapter.weights()).has('score.weight')).toBe(false);
  // A program may name it all the same.
  expect((await adapter.weights(['score.weight'])).get('score.weight')).toEqual({
    shape: [2, 6],
    values: new Float64Array(12),
  });
});

describe('patterns', () => {
  const modules = (rank: Record<string, number>): AdapterShape['modules'] =>
    Object.entries(rank).map(([path, r]) => ({ path, inputs: 4, outputs: 4, rank: r }));
  const ranks = {
    'model.layers.0.q_proj': 2,
    'model.layers.1.q_proj': 5,
    'model.layers.1.xq_proj': 2,
    'model.layers.10.q_proj': 3,
  };
  const alphas = async (config: AdapterShape['config']) => {
    const { description } = await load(
      makeAdapter({
        modules: modules(ranks),
        rank: 2,
        alpha: 7,
        config: { rank_pattern: { '1.q_proj': 5, '10.q_proj': 3 }, ...config },
      }),
    );
    return Object.fromEntries(description.modules.map((m) => [m.path, m.alpha]));
  };

  test('keys are whole names, ends of names, or regular expressions, and the first counts', async () => {
    expect(await alphas({ alpha_pattern: { 'model.layers.0.q_proj': 1, q_proj: 2, '.*': 3 } })).toEqual({
      'model.layers.0.q_proj': 1,
      'model.layers.1.q_proj': 2,
      'model.layers.1.xq_proj': 3,
      'model.layers.10.q_proj': 2,
    });
    expect(await alphas({ alpha_pattern: { 'layers\\.(0|10)\\..*': 0.5 } })).toMatchObject({
      'model.layers.0.q_proj': 0.5,
      'model.layers.1.q_proj': 7,
      'model.layers.10.q_proj': 0.5,
    });
    expect(await alphas({ alpha_pattern: { '^model.layers.1.q_proj': 9 } })).toMatchObject({
      'model.layers.1.q_proj': 9,
      'model.layers.10.q_proj': 7,
    });
  });

  test('a rank that the tensors do not have is refused', async () => {
    const made = makeAdapter({ modules: modules(ranks), rank: 2, config: { rank_pattern: { '1.q_proj': 5 } } });
    expect(await refusal(made)).toMatch(
      /a\.safetensors: ".*layers\.10\.q_proj\.lora_A\.weight" has the shape \[3, 4\], its rank is 2 by c\.json; it has to be \[rank, in\]/,
    );
  });

  test('a key that could take for ever to match is refused', async () => {
    expect(await refusal(makeAdapter({ ...small, config: { alpha_pattern: { '([a-z0-9_.]+)+!': 3 } } }))).toMatch(
      /alpha_pattern has the key "\(\[a-z0-9_\.\]\+\)\+!", an expression that could take for ever to match/,
    );
  });

  test('a key that is no regular expression is refused', async () => {
    expect(await refusal(makeAdapter({ ...small, config: { alpha_pattern: { '(': 3 } } }))).toMatch(
      /alpha_pattern has the key "\(", which is no regular expression/,
    );
  });
});

test('RSLoRA is scaled by a root, exactly where it is rational', async () => {
  const scaling = async (rank: number): Promise<LoraModule['scaling']> =>
    (await load(makeAdapter({ ...small, rank, alpha: 6, rslora: true }))).description.modules[0].scaling;
  expect(await scaling(4)).toEqual({ num: 3n, den: 1n });
  expect(await scaling(16)).toEqual({ num: 3n, den: 2n });
  expect(await scaling(8)).toBeUndefined();
});

describe('refused by name', () => {
  const configs: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ use_dora: true }, /c\.json: use_dora is true: DoRA divides by the norm .*merge_and_unload/],
    [{ peft_type: 'LOHA' }, /peft_type is "LOHA" \(LoHa .*, which is not LoRA/],
    [{ peft_type: 'LOKR' }, /LoKr/],
    [{ peft_type: 'IA3' }, /IA3 multiplies/],
    [{ peft_type: 'VERA' }, /VeRA/],
    [{ peft_type: 'ADALORA' }, /AdaLoRA/],
    [{ peft_type: 'PREFIX_TUNING' }, /prefix tuning/],
    [{ peft_type: 'SOMETHING' }, /SOMETHING.*not LoRA/],
    [{ peft_type: undefined }, /peft_type is missing/],
    [{ bias: 'lora_only' }, /bias is "lora_only".*train the adapter again with bias "none"/],
    [{ lora_bias: true }, /lora_bias is true: a bias is added after B/],
    [{ layer_replication: [[0, 2]] }, /layer_replication is \[\[0,2\]\]/],
    [{ target_parameters: ['experts.w'] }, /target_parameters/],
    [{ use_qalora: true }, /QALoRA/],
    [{ use_later: true }, /"use_later" is true, a variant of LoRA that is not known here/],
    [{ r: 0 }, /r is 0; the rank/],
    [{ r: '8' }, /r is "8"/],
    [{ lora_alpha: 'x' }, /lora_alpha is "x"/],
    [{ lora_alpha: 0 }, /lora_alpha is 0/],
    [{ rank_pattern: { a: 1.5 } }, /rank_pattern gives "a" 1\.5/],
    [{ rank_pattern: [1] }, /rank_pattern is \[1\]/],
    [{ use_rslora: 1 }, /use_rslora is 1; it has to be true or false/],
    [{ target_modules: [1] }, /target_modules is \[1\]/],
    [{ lora_alpha: null }, /lora_alpha is null; it has to be a finite number/],
    [{ bias: null }, /bias is null/],
    [{ trainable_token_indices: [3] }, /trainable_token_indices is \[3\]: rows of the embedding were trained/],
    [{ trainable_token_indices: { embed_tokens: [3] } }, /trainable_token_indices is/],
    [{ kasa_config: { beta: 1 } }, /kasa_config is .*a learned diagonal/],
    [{ monteclora_config: { num_samples: 8 } }, /monteclora_config is/],
    [{ later_config: { a: 1 } }, /"later_config" is \{"a":1\}, and it is not known here what that changes/],
    ...['pissa', 'pissa_niter_4', 'PiSSA', 'olora', 'corda', 'lora_ga'].map(
      (init): readonly [Readonly<Record<string, unknown>>, RegExp] => [
        { init_lora_weights: init },
        new RegExp(
          `init_lora_weights is "${init}": .*another model.*path_initial_model_for_weight_conversion.*merge_and`,
        ),
      ],
    ),
    [{ init_lora_weights: 'loftq', loftq_config: { loftq_bits: 4 } }, /is "loftq": LoftQ replaces .*merge_and_unload/],
    [{ init_lora_weights: 'later' }, /init_lora_weights is "later", and it is not known here whether/],
    [{ init_lora_weights: 3 }, /init_lora_weights is 3/],
  ];
  test.each(configs)('%j', async (config, message) => {
    expect(await refusal(makeAdapter({ ...small, config }))).toMatch(message);
  });

  const names: readonly (readonly [string, RegExp])[] = [
    ['h.0.c.lora_magnitude_vector', /a magnitude of DoRA/],
    ['h.0.c.lora_magnitude_vector.default.weight', /a magnitude of DoRA/],
    ['h.0.c.lora_embedding_A', /LoRA on an embedding/],
    ['h.0.c.lora_B.bias', /a bias of LoRA/],
    ['h.0.c.lora_E', /AdaLoRA/],
    ['h.0.c.hada_w1_a', /LoHa/],
    ['h.0.c.lokr_w1', /LoKr/],
    ['h.0.c.ia3_l', /IA3/],
    ['base_model.vera_A.default', /VeRA/],
    ['lora_unet_down.lora_down.weight', /diffusers or kohya/],
    ['unet.to_q.lora.down.weight', /diffusers or kohya/],
    ['prompt_embeddings', /prompt/],
    ['h.0.c.lora_diag', /KaSA/],
    ['h.0.c.lora_monteclora_sampler.default.s', /MonteCLoRA/],
    ['model.embed_tokens.trainable_tokens_delta', /rows of an embedding that were trained/],
    ['model.embed_tokens.token_adapter.trainable_tokens_delta.default', /rows of an embedding/],
  ];
  test.each(names)('a tensor %s', async (name, message) => {
    const tensors = new Map([[name.startsWith('h.') ? `base_model.model.${name}` : name, zeros(2)]]);
    expect(await refusal(makeAdapter({ ...small, tensors }))).toMatch(message);
  });
});

const TRAINED: readonly Readonly<Record<string, unknown>>[] = [
  ...[true, false, null, 'gaussian', 'Gaussian', 'eva', 'orthogonal', 'mica'].map((init) => ({
    init_lora_weights: init,
  })),
  { lora_alpha: undefined },
  { init_lora_weights: 'eva', eva_config: { rho: 2 }, corda_config: {}, loftq_config: {}, lora_ga_config: null },
  Object.fromEntries([...HARMLESS_ADAPTER_FIELDS.keys()].map((name) => [name, 'x'])),
  { later: null, later_flag: false, later_list: [], later_map: {} },
];
test.each(TRAINED)('read: %j', async (config) => {
  await expect(load(makeAdapter({ ...small, config }))).resolves.toBeDefined();
});

test('modules that PEFT saves whole are no LoRA, however their names are written', async () => {
  const names = [
    'base_model.model.lm_head.modules_to_save.default.weight',
    'base_model.model.lm_head.modules_to_save.weight',
    'base_model.model.h.1.c.modules_to_save.default.lora_A.weight',
  ];
  const adapter = await load(makeAdapter({ ...small, tensors: new Map(names.map((name) => [name, zeros(2, 6)])) }));
  expect(adapter.description.modules).toHaveLength(1);
  expect(adapter.description.leftOut.map((t) => [t.stored, t.reason])).toEqual(
    names.toSorted().map((name) => [name, 'saved whole by modules_to_save, no LoRA matrix']),
  );
});

describe('tensors that do not fit', () => {
  const [A, B] = ['A', 'B'].map((side) => `base_model.model.h.0.c.lora_${side}.weight`);
  const cases: readonly (readonly [string, Readonly<Record<string, TensorToWrite>>, RegExp])[] = [
    ['no B', { [A]: zeros(2, 6) }, /the module "h\.0\.c" has lora_A but no lora_B/],
    ['no A', { [B]: zeros(9, 2) }, /has lora_B but no lora_A/],
    ['B transposed', { [A]: zeros(2, 6), [B]: zeros(2, 9) }, /lora_B\.weight" has the shape \[2, 9\].*\[out, rank\]/],
    ['A transposed', { [A]: zeros(6, 2), [B]: zeros(9, 2) }, /lora_A\.weight" has the shape \[6, 2\].*\[rank, in\]/],
    ['a convolution', { [A]: zeros(2, 6, 3, 3), [B]: zeros(9, 2) }, /\[2, 6, 3, 3\], as for a convolution/],
    ['nothing in it', { [A]: zeros(2, 0), [B]: zeros(9, 2) }, /two axes, none of length 0/],
    [
      'two adapters',
      { [A]: zeros(2, 6), [B]: zeros(9, 2), [A.replace('weight', 'other.weight')]: zeros(2, 6) },
      /the same matrix of two adapters/,
    ],
    ['no LoRA at all', { 'wte.weight': zeros(2, 6) }, /no tensor is called "….lora_A\.weight"; it has "wte\.weight"/],
  ];
  test.each(cases)('%s', async (_, tensors, message) => {
    expect(await refusal(withTensors(tensors))).toMatch(message);
  });

  test('weights that are no numbers are found by their index', async () => {
    const made = withTensors({
      [A]: zeros(2, 6),
      [B]: { ...zeros(9, 2), values: Array.from({ length: 18 }, (_, i) => (i === 5 ? NaN : 0)) },
    });
    await expect((await load(made)).maxAbs()).rejects.toThrow(
      /"base_model\.model\.h\.0\.c\.lora_B\.weight"\[2, 1\] is NaN; every weight has to be a finite number/,
    );
  });
});

test('configurations that are none', async () => {
  const { tensors } = makeAdapter(small);
  expect(await refusal({ config: '{"r": 8,', tensors })).toMatch(/c\.json: the configuration is not JSON/);
  expect(await refusal({ config: '[]', tensors })).toMatch(/not a JSON object/);
  expect(await refusal({ config: '{"peft_type":"LORA","r":8,"r":9}', tensors })).toMatch(/the name "r" twice/);
});

test('changed bytes of either file are read or refused, never anything else', async () => {
  const made = makeAdapter({
    ...small,
    rslora: true,
    config: { rank_pattern: { 'h.7': 3 }, modules_to_save: ['score'] },
  });
  const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 2 }),
      fc.array(change, { maxLength: 2 }),
      async (inConfig, inTensors) => {
        const config = new TextEncoder().encode(made.config);
        for (const [at, byte] of inConfig) config[at % config.length] ^= byte;
        const tensors = made.tensors.slice();
        for (const [at, byte] of inTensors) tensors[at % tensors.length] ^= byte;
        try {
          const adapter = await load({ config: new TextDecoder().decode(config), tensors });
          await adapter.weights();
          importAdapter({ ...adapter, maxAbs: await adapter.maxAbs() }, { rows: 2 });
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('the real adapter: twelve modules, and the head of its classifier left out', async (context) => {
  const adapter = await load(realAdapter(context));
  const { modules, leftOut, config } = adapter.description;
  expect(modules.map((m) => m.path)).toEqual(Array.from({ length: 12 }, (_, l) => `transformer.h.${l}.attn.c_attn`));
  for (const m of modules)
    expect(m).toMatchObject({ inputs: 768, outputs: 2304, rank: 8, alpha: 8, scaling: { num: 1n, den: 1n } });
  expect(leftOut.map((t) => [t.name, t.shape])).toEqual([['score.weight', [6, 768]]]);
  expect(config).toMatchObject({ fanInFanOut: true, targetModules: ['c_attn'], baseModel: 'gpt2' });
  const max = Math.max(...(await adapter.maxAbs()).values());
  expect(max).toBeGreaterThan(0.1);
  expect(max).toBeLessThan(2);
});
