/** Imported programs compute what transformers computes, for tiny models of every family and with adapters of PEFT. */
import { describe, expect, test } from 'vitest';
import { format } from '../../../grammar/format.ts';
import { evaluateReal, type Numbers } from '../../../runtime/evaluate/index.ts';
import { importModel } from '../../../models/import/model.ts';
import { checkText, resolveImport } from '../../compiler/standard.ts';
import { openAdapterOf, openCase, vectors, type Case, type OpenedAdapter } from './weights.ts';

/** The standard library with constants that are hardly rounded, so that nothing but formulas can differ. */
const precise: typeof resolveImport = (name) => {
  const file = resolveImport(name);
  return file && { ...file, text: file.text.replace(/round<16, 1[45]>/g, 'round<44, 40>') };
};

/** transformers computes norms and angles in float32. */
const MOST = 1e-5;

async function textOf(made: Case, config: Case['saved'], adapters: readonly OpenedAdapter[]): Promise<string> {
  const { text } = await importModel(await openCase(made, config), adapters, vectors.tokens.length);
  return (await format(text, 'model.zkl')).text ?? '';
}

/** The program's logits in float64. */
async function logitsOf(
  made: Case,
  adapters: readonly OpenedAdapter[],
  resolve: typeof resolveImport,
): Promise<ArrayLike<number>> {
  const text = await textOf(made, made.saved, adapters);
  const { programs, all } = checkText(text, { provisional: true, resolveImport: resolve });
  expect(all, text).toEqual([]);
  const [program] = programs;
  const checkpoint = await openCase(made, made.saved);
  const inputs = new Map<number, Numbers>();
  for (const { id, name, role, file } of program.tensors) {
    if (role !== 'input') continue;
    const read = file?.source === 'base' ? checkpoint.readFloats : adapters[0]?.read;
    inputs.set(id, name === 'tokens' ? Int32Array.from(vectors.tokens) : await read(file?.names[0] ?? ''));
  }
  const logits = program.tensors.find((t) => t.name === 'logits');
  return evaluateReal(program, inputs).get(logits?.id ?? -1) ?? [];
}

/** The largest difference, as a share of the largest logit. */
function distance(actual: ArrayLike<number>, expected: Case['logits']): number {
  const flat = expected.flat();
  expect(actual.length).toBe(flat.length);
  return Math.max(...flat.map((v, k) => Math.abs(v - actual[k]))) / Math.max(...flat.map(Math.abs));
}

describe.each(vectors.cases.map((made) => [made.name, made] as const))('%s', (_, made) => {
  test('computes what transformers computes', async () => {
    expect(distance(await logitsOf(made, [], precise), made.logits)).toBeLessThan(MOST);
  });

  test('is the same program from the fields of the hub and from those that transformers saves', async () => {
    const body = (text: string): string => text.slice(text.indexOf('\nmodel '));
    expect(body(await textOf(made, made.published, []))).toBe(body(await textOf(made, made.saved, [])));
  });

  const { adapter } = made;
  if (adapter !== undefined)
    test('computes what PEFT computes', async () => {
      expect(distance(await logitsOf(made, await openAdapterOf(made), precise), adapter.logits)).toBeLessThan(MOST);
      // It changes something.
      expect(distance(made.logits.flat(), adapter.logits)).toBeGreaterThan(0.1);
    });
});

describe('what other families have of their own', () => {
  const find = (name: string): Case => vectors.cases.find((made) => made.name === name)!;
  const imported = async (made: Case, changes: Readonly<Record<string, unknown>>, tokens = 4): Promise<string> =>
    (await importModel(await openCase(made, { ...made.published, ...changes }), [], tokens)).text;

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['OPT', { do_layer_norm_before: false }, /"do_layer_norm_before" is false: norms stand after the layers/],
    ['OPT', { word_embed_proj_dim: 8 }, /"word_embed_proj_dim" is 8: embeddings are projected to the width 16/],
    ['OPT', { _remove_final_layer_norm: true }, /no norm before the head/],
    ['OPT', { layer_norm_elementwise_affine: false }, /no gain and no bias/],
    ['OPT', { num_attention_heads: 3 }, /"num_attention_heads" is 3, which does not divide the width 16/],
    ['GPT-NeoX', { rotary_pct: 0.4 }, /"head_dim" is 8, of which 3 are turned/],
    ['GPT-NeoX', { rotary_pct: 1.5 }, /"rotary_pct" is 1.5, no number up to 1/],
    ['GPT-NeoX', { rotary_emb_base: 'e' }, /"rotary_emb_base" is "e", no positive number/],
    ['Phi-3', { attention_bias: true }, /"attention_bias" is true: projections have biases/],
    ['Phi-3', { sliding_window: 3 }, /"sliding_window" is 3/],
    ['Phi-3', { rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [2] } }, /a factor of its own/],
    ['Gemma 3', { final_logit_softcapping: 30 }, /"final_logit_softcapping" is 30: scores are held below that/],
    ['Gemma 3', { attn_logit_softcapping: 50 }, /"attn_logit_softcapping" is 50/],
    ['Gemma 3', { use_bidirectional_attention: true }, /also attend to those after them/],
    ['Gemma 3', { sliding_window: 3 }, /"sliding_window" is 3/],
    ['Gemma 3', { layer_types: ['full_attention'] }, /"layer_types" has 1 entries, the model 4 layers/],
    ['Gemma 3', { rope_parameters: { full_attention: 3 } }, /"full_attention" has no object/],
  ])('%s with %j is refused', async (name, changes, message) => {
    await expect(imported(find(name), changes)).rejects.toThrow(message);
  });

  test('no window matters where no layer has one', async () => {
    const made = find('Gemma 3');
    const layer_types = made.saved['layer_types'] as readonly string[];
    const text = await imported(made, { sliding_window: 3, layer_types: layer_types.map(() => 'full_attention') });
    expect(text).toContain('const theta = 1000000\n');
    expect(text).not.toContain('at most');
  });

  test('layers of Gemma 3 that adapters change otherwise keep their own base', async () => {
    const made = find('Gemma 3');
    const tensors = Object.fromEntries(
      Object.entries(made.adapter!.tensors).map(([name, shape]) => [name.replace('{}', '2'), shape]),
    );
    const text = await textOf(
      made,
      made.saved,
      await openAdapterOf({ ...made, adapter: { ...made.adapter!, tensors } }),
    );
    expect(text.match(/repeat .*|const theta .*/g)).toEqual([
      'repeat l: 2 at "model.layers.{l}" {',
      'const theta = if l mod 2 == 1 then 1000000 else 10000',
      'repeat l2: 1 at "model.layers.{l2 + 2}" {',
      'const theta = if (l2 + 2) mod 2 == 1 then 1000000 else 10000',
      'repeat l3: 1 at "model.layers.{l3 + 3}" {',
      'const theta = if (l3 + 3) mod 2 == 1 then 1000000 else 10000',
    ]);
    expect(checkText(text, { provisional: true }).all).toEqual([]);
  });

  test('masks and angles that older files of GPT-NeoX hold are no weights', async () => {
    const made = find('GPT-NeoX');
    const buffers = {
      'gpt_neox.layers.{}.attention.bias': [1, 1, 64, 64],
      'gpt_neox.layers.{}.attention.masked_bias': [1],
      'gpt_neox.layers.{}.attention.rotary_emb.inv_freq': [1],
    };
    const older = { ...made, tensors: { ...made.tensors, ...buffers } };
    expect(await imported(older, {})).toBe(await imported(made, {}));
  });

  test("an adapter on the head of GPT-NeoX by either of the head's names", async () => {
    const made = find('GPT-NeoX');
    const { adapter } = made;
    const tensors = Object.fromEntries(
      Object.entries(adapter!.tensors).map(([name, shape]) => [name.replace('lm_head', 'embed_out'), shape]),
    );
    const older = await openAdapterOf({ ...made, adapter: { ...adapter!, tensors } });
    const text = await textOf(made, made.saved, older);
    expect(text).toBe(
      (await textOf(made, made.saved, await openAdapterOf(made))).replace('at "lm_head"', 'at "embed_out"'),
    );
    expect(text).toContain('lora<V, R>(y, alpha) at "embed_out"');
  });
});
