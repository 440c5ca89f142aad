/** The texts of imported training steps: what is trained, by what, and what is refused. */
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../../../compiler/ir/errors.ts';
import { FormatError } from '../../../models/files/errors.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { loadAdapter, type LoadedAdapter } from '../../../models/adapters/peft.ts';
import { openCheckpoint, type Checkpoint } from '../../../models/files/checkpoint.ts';
import { importProgram } from '../../../models/import/index.ts';
import type { TrainingChoice } from '../../../models/import/training.ts';
import { checkText, resolveImport } from '../../compiler/standard.ts';
import { makeAdapter, type AdapterShape } from '../../support/adapter.ts';
import { makeGpt2, makeLlama, modelFiles, type MadeModel } from '../../support/model.ts';
import { openCase, vectors } from '../transformers/weights.ts';

function open(made: MadeModel): Promise<Checkpoint> {
  const files = modelFiles(made);
  return openCheckpoint({
    name: 'some/model',
    open: async (name) => {
      const content = files.get(name);
      if (content === undefined) return undefined;
      return bytesSource(name, typeof content === 'string' ? new TextEncoder().encode(content) : content);
    },
  });
}

function adapter(shape: AdapterShape): Promise<LoadedAdapter> {
  const { config, tensors } = makeAdapter(shape);
  return loadAdapter(config, bytesSource('some/style/adapter_model.safetensors', tensors));
}

const textOf = async (
  made: MadeModel,
  training: TrainingChoice,
  adapters: readonly { readonly adapter: LoadedAdapter; readonly source?: string }[] = [],
  tokens = 8,
): Promise<string> => (await importProgram({ model: await open(made), adapters, tokens, training })).text;

const Q = [0, 1].map((l) => ({ path: `model.layers.${l}.self_attn.q_proj`, inputs: 12, outputs: 16 }));

test('the whole text, with what is usual', async () => {
  const text = await textOf(makeLlama(), {});
  expect(text).toMatchInlineSnapshot(`
    "import { rmsnorm, linear, lora, rotary_attention, swiglu, head, masked_cross_entropy, adamw } from "std"

    /// LlamaForCausalLM of model, fine-tuned by a secret adapter of 4 projections on 4 sequences of 8 tokens a step.
    ///
    /// A proof shows one step of training: that the next adapter and the next state of the optimizer are what loss, gradients and update
    /// make of the last ones, exactly, in the fixed-point arithmetic written here and in the calibration. Its batch is the rows \`rows\` of
    /// hidden data: token t + 1 of a row is the target of position t, and counts where its mask is 1. There is no dropout.
    /// It publishes the step and the numbers of its rows; \`public loss\` the loss too, on which guesses at the data can be tested.
    model llama {
      dim M = 1024, N = 4, T = 8, V = 23, D = 12, F = 20, H = 4, G = 2, L = 2, K = 4, R = 8
      const eps = 0.00001, theta = 10000, alpha = 16
      source data

      public rows[N]: index<M>
      secret corpus[M, T + 1]: index<V> from data "tokens"
      secret counts[M, T + 1]: index<2> from data "mask"
      // 20 bits, as in the program that is served: both have one commitment to the base model.
      open E[V, D]: fixed<20, 19> from base "model.embed_tokens.weight"

      tokens[n, t: T + 1] = corpus[rows[n], t]
      x[i: N * T, d] = round(E[tokens[i div T, i mod T], d])

      repeat l: L at "model.layers.{l}" {
        h = rmsnorm(x, eps) at "input_layernorm"
        q = round(linear<H * K>(h) + lora<H * K, R>(h, alpha)) at "self_attn.q_proj"
        k = round(linear<G * K>(h)) at "self_attn.k_proj"
        v = round(linear<G * K>(h) + lora<G * K, R>(h, alpha)) at "self_attn.v_proj"
        o = rotary_attention(q as [N, T, H, K], k as [N, T, G, K], v as [N, T, G, K], theta) at "self_attn"
        a = round(x + linear<D>(o) at "self_attn.o_proj")
        n = rmsnorm(a, eps) at "post_attention_layernorm"
        x' = round(a + swiglu<F>(n) at "mlp")
      }

      y = rmsnorm(x, eps) at "model.norm"
      logits = head(y, E)

      train {
        public step: index<1000>
        target[i: N * T] = tokens[i div T, i mod T + 1]
        mask[i: N * T] = counts[rows[i div T], i mod T + 1]
        loss = masked_cross_entropy(logits, target, mask)
        minimize loss over adapter by adamw(rate = 0.0002, beta1 = 0.9, beta2 = 0.999, eps = 2 ^ -27, decay = 0.01)
      }
    }
    "
  `);
  expect(checkText(text).all).toEqual([]);
});

test('the whole text for GPT-2, whose positions have a table', async () => {
  const choice = { rank: 2, alpha: 3, batch: 2, examples: 50, steps: 9, publicLoss: true } as const;
  const text = await textOf(makeGpt2(), { ...choice, optimizer: { name: 'sgd', rate: 0.05 } });
  expect(text.slice(text.indexOf('\n///\n'))).toMatchInlineSnapshot(`
    "
    ///
    /// A proof shows one step of training: that the next adapter and the next state of the optimizer are what loss, gradients and update
    /// make of the last ones, exactly, in the fixed-point arithmetic written here and in the calibration. Its batch is the rows \`rows\` of
    /// hidden data: token t + 1 of a row is the target of position t, and counts where its mask is 1. There is no dropout.
    /// It publishes the step, the numbers of its rows and the loss, on which guesses at the data can be tested.
    model gpt2 {
      dim M = 50, N = 2, T = 8, V = 19, D = 12, P = 16, F = 48, H = 3, L = 2, K = D / H, R = 2
      const eps = 0.00001, alpha = 3
      source data

      public rows[N]: index<M>
      secret corpus[M, T + 1]: index<V> from data "tokens"
      secret counts[M, T + 1]: index<2> from data "mask"
      // 20 bits, as in the program that is served: both have one commitment to the base model.
      open E[V, D]: fixed<20, 19> from base "transformer.wte.weight"
      open W[P, D] from base "transformer.wpe.weight"

      tokens[n, t: T + 1] = corpus[rows[n], t]
      x[i: N * T, d] = round(E[tokens[i div T, i mod T], d] + W[i mod T, d])

      repeat l: L at "transformer.h.{l}" {
        h = layernorm(x, eps) at "ln_1"
        c = round(conv1d<3 * D>(h) + lora<3 * D, R>(h, alpha)) at "attn.c_attn"
        o = fused_attention<H, K>(c as [N, T, 3 * D]) at "attn"
        a = round(x + conv1d<D>(o) at "attn.c_proj")
        n = layernorm(a, eps) at "ln_2"
        x' = round(a + mlp<F>(n) at "mlp")
      }

      y = layernorm(x, eps) at "transformer.ln_f"
      logits = head(y, E)

      train {
        public step: index<9>
        target[i: N * T] = tokens[i div T, i mod T + 1]
        mask[i: N * T] = counts[rows[i div T], i mod T + 1]
        public loss = masked_cross_entropy(logits, target, mask)
        minimize loss over adapter by sgd(rate = 0.05)
      }
    }
    "
  `);
  expect(checkText(text).all).toEqual([]);
});

describe('optimizers', () => {
  const minimized = async (optimizer: TrainingChoice['optimizer']): Promise<string | undefined> => {
    const text = await textOf(makeLlama(), { optimizer });
    expect(text).toMatch(new RegExp(`^import \\{[^}]*\\b(?:clipped_)?${optimizer!.name}\\s*\\} from "std"`));
    // A long call is broken into lines.
    const call = /minimize loss over adapter by ([^}]*)\n/.exec(text)?.[1];
    return call?.replace(/\s+/g, ' ').replace('( ', '(').replace(' )', ')').trim();
  };

  test('as they are called', async () => {
    expect(await minimized({ name: 'adamw', rate: 1e-3, beta1: 0.8, beta2: 0.99, decay: 0 })).toBe(
      'adamw(rate = 0.001, beta1 = 0.8, beta2 = 0.99, eps = 2 ^ -27, decay = 0)',
    );
    expect(await minimized({ name: 'momentum', rate: 0.05 })).toBe('momentum(rate = 0.05, mu = 0.9)');
    expect(await minimized({ name: 'momentum', rate: 0.05, mu: 0.5 })).toBe('momentum(rate = 0.05, mu = 0.5)');
    expect(await minimized({ name: 'momentum', rate: 0.05, mu: 0.875, limit: 1.5 })).toBe(
      'clipped_momentum(rate = 0.05, mu = 0.875, limit = 1.5)',
    );
    expect(await minimized({ name: 'adamw', limit: 1 })).toMatch(/^clipped_adamw\(rate = 0.0002, .*, limit = 1\)$/);
    expect(await minimized({ name: 'sgd', rate: 1e-7 })).toBe('sgd(rate = 1e-7)');
  });

  const known = resolveImport('std')!.text;
  test.skipIf(!known.includes('clipped_momentum')).each<NonNullable<TrainingChoice['optimizer']>>([
    { name: 'momentum', rate: 0.05 },
    { name: 'momentum', rate: 0.05, mu: 0, limit: 1 },
    { name: 'adamw', limit: 0.5 },
    { name: 'adamw', beta1: 0, decay: 0, rate: 1e-9 },
  ])('of the standard library: %j', async (optimizer) => {
    expect(checkText(await textOf(makeLlama(), { optimizer })).all).toEqual([]);
  });
});

describe('what is trained', () => {
  const trained = async (name: string, targets?: readonly string[]): Promise<string[]> => {
    const made = vectors.cases.find((c) => c.name === name)!;
    const training = targets === undefined ? {} : { targets };
    const { text, adapted } = await importProgram({ model: await openCase(made, made.saved), tokens: 4, training });
    expect(checkText(text).all, text).toEqual([]);
    return adapted.filter((path) => !/\b[1-9]\d*\b/.test(path)).sort();
  };

  test.each([
    ['Llama', ['model.layers.0.self_attn.q_proj', 'model.layers.0.self_attn.v_proj']],
    ['Phi-3', ['model.layers.0.self_attn.qkv_proj']],
    ['Gemma 3', ['model.layers.0.self_attn.q_proj', 'model.layers.0.self_attn.v_proj']],
    ['GPT-NeoX', ['gpt_neox.layers.0.attention.query_key_value']],
    ['OPT', ['model.decoder.layers.0.self_attn.q_proj', 'model.decoder.layers.0.self_attn.v_proj']],
    ['GPT-2', ['transformer.h.0.attn.c_attn']],
  ])('%s: what PEFT takes', async (name, paths) => {
    expect(await trained(name)).toEqual(paths);
  });

  test('by the ends of names', async () => {
    expect(await trained('GPT-2', ['c_proj'])).toEqual(['transformer.h.0.attn.c_proj', 'transformer.h.0.mlp.c_proj']);
    expect(await trained('GPT-2', ['mlp.c_proj'])).toEqual(['transformer.h.0.mlp.c_proj']);
    expect(await trained('GPT-2', ['transformer.h.1.mlp.c_fc', 'h.0.mlp.c_fc'])).toEqual(['transformer.h.0.mlp.c_fc']);
  });

  test('all but the head, and the head by one of its names', async () => {
    const all = await trained('GPT-NeoX', ['all-linear']);
    expect(all.map((path) => path.split('.').at(-1))).toEqual([
      ...['dense', 'query_key_value', 'dense_4h_to_h', 'dense_h_to_4h'],
    ]);
    expect(await trained('GPT-NeoX', ['all-linear', 'lm_head'])).toEqual([...all, 'lm_head']);
    expect(await trained('GPT-NeoX', ['embed_out', 'lm_head'])).toEqual(['embed_out']);
  });

  test('an adapter further, by its ranks and scales', async () => {
    const shape = { modules: Q.map((m, k) => ({ ...m, rank: 1 + k })), rank: 8, alpha: 6, rslora: true };
    const given = await adapter(shape);
    const text = await textOf(makeLlama(), {}, [{ adapter: given, source: 'style' }]);
    expect(checkText(text).all, text).toEqual([]);
    expect(text).toContain('/// The run starts from the weights of style.\n');
    expect(text).toContain('source style, data\n');
    expect(text).toContain('minimize loss over style by adamw');
    expect(text.match(/lora<.*?style\)/g)).toEqual([
      'lora<H * K, 1>(h, 6 * sqrt(1), style)',
      'lora<H * K, 2>(h, round<32, 24>(6 * sqrt(2)), style)',
    ]);
  });
});

describe('what is refused', () => {
  test('targets that are no projections, with all else', async () => {
    const error: unknown = await textOf(makeLlama(), { targets: ['q_proj', 'c_attn'] }, [], 33).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).message).toMatch(
      /for 2 reasons\n.*the model has 32 positions[^]*no projection of this model is called "c_attn"; targets are "q_proj", .*"down_proj".*"all-linear"/,
    );
    await expect(textOf(makeLlama(), { targets: [] })).rejects.toThrow('no projection is to be trained');
  });

  test('parts of an adapter that are no low-rank update', async () => {
    const whole = { dtype: 'F32', shape: [2, 12], values: new Float32Array(24) } as const;
    const saved = await adapter({ modules: Q, rank: 2, tensors: new Map([['base_model.model.score.weight', whole]]) });
    await expect(textOf(makeLlama(), {}, [{ adapter: saved }])).rejects.toThrow('"score.weight"');
  });

  const one = adapter({ modules: Q, rank: 2 });
  test.each<[string, TrainingChoice, number, string]>([
    ['two adapters', {}, 2, 'adapters: expected at most one, which is trained'],
    ['targets of an adapter that is there', { targets: ['v_proj'] }, 1, 'training.targets: expected nothing, as the'],
    ['its rank', { rank: 4 }, 1, 'training.rank: expected nothing'],
    ['a rank of 0', { rank: 0 }, 0, 'training.rank: expected a rank, a whole number from 1'],
    ['an alpha of 0', { alpha: 0 }, 0, 'training.alpha: expected a finite number other than 0'],
    ['a larger batch than data', { batch: 5, examples: 4 }, 0, 'training.batch: expected at most the 4 rows'],
    ['half a step', { steps: 0.5 }, 0, 'training.steps: expected steps of a run, a whole number'],
    ['no rate', { optimizer: { name: 'sgd' } as never }, 0, 'training.optimizer.rate: expected a rate: none is usual'],
    ['a rate of 0', { optimizer: { name: 'adamw', rate: 0 } }, 0, 'training.optimizer.rate: expected a number from'],
    ['a beta of 1', { optimizer: { name: 'adamw', beta2: 1 } }, 0, 'training.optimizer.beta2: expected a number'],
    ['a foreign one', { optimizer: { name: 'sgd', rate: 1, mu: 0.9 } as never }, 0, 'mu: expected nothing, as sgd has'],
    ['another optimizer', { optimizer: { name: 'lion' } as never }, 0, 'name: expected "adamw", "momentum" or "sgd"'],
  ])('%s', async (_, training, count, message) => {
    const adapters = await Promise.all(
      Array.from({ length: count }, async (_, k) => ({ adapter: await one, source: `a${k}` })),
    );
    const error: unknown = await textOf(makeLlama(), training, adapters).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as Error).message).toContain(message);
  });
});

test('without data of its own, a batch is as large as there are examples', async () => {
  expect(await textOf(makeLlama(), { examples: 2 })).toMatch(/dim M = 2, N = 2, T = 8/);
  expect(await textOf(makeLlama(), { batch: 2000 })).toMatch(/dim M = 2000, N = 2000, T = 8/);
});
