/** The model, the adapter and their reference are what examples/harbour/README.md and provenance.json say. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bytesSource, loadAdapter, readSafetensors } from '../../models/index.ts';

const folder = fileURLToPath(new URL('../../examples/harbour/', import.meta.url));
const bytes = (name: string): Uint8Array => readFileSync(join(folder, name));
const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const source = (name: string) => bytesSource(name, bytes(name));
const adapter = () =>
  loadAdapter(
    readFileSync(join(folder, 'adapter/adapter_config.json'), 'utf8'),
    source('adapter/adapter_model.safetensors'),
  );

interface Config {
  readonly architectures: readonly string[];
  readonly model_type: string;
  readonly hidden_act: string;
  readonly tie_word_embeddings: boolean;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads: number;
  readonly vocab_size: number;
  readonly bos_token_id: number;
}

interface Computed {
  readonly cross_entropy: readonly number[];
  readonly logits: Readonly<Record<string, readonly (readonly number[])[]>>;
}

interface Reference {
  readonly sequences: readonly (readonly number[])[];
  readonly base: Computed;
  readonly adapted: Computed;
  readonly completions: readonly { readonly prompt: string; readonly base: string; readonly adapted: string }[];
}

interface Provenance {
  readonly packages: Readonly<Record<string, string>>;
  readonly base: { readonly parameters: number };
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

const config = json('model/config.json') as Config;
const provenance = json('provenance.json') as Provenance;
const reference = json('reference.json') as Reference;
const vocabulary = json('model/vocab.json') as Readonly<Record<string, number>>;
const { hidden_size: D, intermediate_size: F, num_hidden_layers: L, vocab_size: V } = config;
const width = D / config.num_attention_heads;
const keys = width * config.num_key_value_heads;

describe('provenance', () => {
  const made = ['model', 'adapter'].flatMap((sub) => readdirSync(join(folder, sub)).map((name) => `${sub}/${name}`));

  test('names every file of model and adapter, with its size and digest', () => {
    expect(Object.keys(provenance.files).sort()).toEqual([...made, 'reference.json'].sort());
    for (const [name, stated] of Object.entries(provenance.files)) {
      const data = bytes(name);
      const sha256 = createHash('sha256').update(data).digest('hex');
      expect({ name, bytes: data.length, sha256 }).toEqual({ name, ...stated });
    }
  });

  test('has the versions that requirements.txt pins', () => {
    const pinned = readFileSync(join(folder, 'requirements.txt'), 'utf8').trim().split('\n');
    expect(Object.entries(provenance.packages).map((entry) => entry.join('=='))).toEqual(pinned);
  });

  test('all of it is less than a megabyte', () => {
    const total = Object.values(provenance.files).reduce((sum, file) => sum + file.bytes, 0);
    expect(total).toBeLessThan(1e6);
  });
});

describe('model', () => {
  test('is a LLaMA with grouped heads and a tied head', () => {
    expect(config).toMatchObject({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      tie_word_embeddings: true,
    });
    expect(config.num_key_value_heads).toBeLessThan(config.num_attention_heads);
    expect(config.num_attention_heads % config.num_key_value_heads).toBe(0);
    expect(width % 2).toBe(0);
  });

  test('has the tensors of its configuration, finite and trained, and no others', async () => {
    const file = await readSafetensors(source('model/model.safetensors'));
    const layer = {
      'input_layernorm.weight': [D],
      'self_attn.q_proj.weight': [D, D],
      'self_attn.k_proj.weight': [keys, D],
      'self_attn.v_proj.weight': [keys, D],
      'self_attn.o_proj.weight': [D, D],
      'post_attention_layernorm.weight': [D],
      'mlp.gate_proj.weight': [F, D],
      'mlp.up_proj.weight': [F, D],
      'mlp.down_proj.weight': [D, F],
    };
    const expected = new Map<string, readonly number[]>([
      ['model.embed_tokens.weight', [V, D]],
      ['model.norm.weight', [D]],
    ]);
    for (let i = 0; i < L; i++)
      for (const [name, shape] of Object.entries(layer)) expected.set(`model.layers.${i}.${name}`, shape);
    expect([...file.tensors.keys()].sort()).toEqual([...expected.keys()].sort());

    let parameters = 0;
    for (const [name, { dtype, shape }] of file.tensors) {
      expect({ name, dtype, shape }).toEqual({ name, dtype: 'F32', shape: expected.get(name) });
      const values = await file.readFloats(name);
      expect(values.every(Number.isFinite), name).toBe(true);
      expect(new Set(values).size, name).toBeGreaterThan(D / 2);
      parameters += values.length;
    }
    expect(parameters).toBe(provenance.base.parameters);
  });

  test('its vocabulary is one character a token, the line break first', () => {
    expect(Object.values(vocabulary)).toEqual(Array.from({ length: V }, (_, i) => i));
    expect(Object.keys(vocabulary).filter((token) => [...token].length !== 1)).toEqual([]);
    expect(vocabulary['\n']).toBe(config.bos_token_id);
  });
});

describe('adapter', () => {
  test('is plain LoRA of rank 4 on the queries and values of every layer', async () => {
    const { description } = await adapter();
    const projections = Array.from({ length: L }, (_, i) =>
      ['q', 'v'].map((p) => ({
        path: `model.layers.${i}.self_attn.${p}_proj`,
        inputs: D,
        outputs: p === 'q' ? D : keys,
        rank: 4,
        alpha: 8,
        scaling: { num: 2n, den: 1n },
      })),
    ).flat();
    expect(description.modules).toMatchObject(projections);
    expect(description.modules).toHaveLength(projections.length);
    expect(description.leftOut).toEqual([]);
  });

  test('has entries that `fixed<16, 14>` holds, in every matrix some that are not 0', async () => {
    for (const [name, largest] of await (await adapter()).maxAbs()) {
      expect(largest, name).toBeGreaterThan(0.01);
      expect(largest, name).toBeLessThan(2);
    }
  });
});

describe('reference', () => {
  const text = (tokens: readonly number[]): string => tokens.map((t) => Object.keys(vocabulary)[t]).join('');
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

  test('its sequences are reports of 33 tokens', () => {
    expect(reference.sequences).toHaveLength(16);
    for (const tokens of reference.sequences) {
      expect(tokens).toHaveLength(33);
      expect(text(tokens)).toMatch(/^\n[a-z ]+[.,] [a-z ,.]+[.!]\n/);
    }
  });

  test.each(['base', 'adapted'] as const)('%s: losses are those of the logits', (variant) => {
    const { logits, cross_entropy: losses } = reference[variant];
    expect(losses).toHaveLength(16);
    expect(Object.keys(logits)).toEqual(['0', '8']);
    for (const [i, rows] of Object.entries(logits)) {
      const tokens = reference.sequences[Number(i)];
      expect(rows.map((row) => row.length)).toEqual(Array.from({ length: 32 }, () => V));
      const each = rows.map((row, t) => Math.log(row.reduce((n, z) => n + Math.exp(z), 0)) - row[tokens[t + 1]]);
      expect(mean(each)).toBeCloseTo(losses[Number(i)], 5);
    }
  });

  test('the adapter turns reports into those of pirates', () => {
    const { base, adapted, completions } = reference;
    for (let i = 0; i < 16; i++) {
      const [right, wrong] = i < 8 ? [base, adapted] : [adapted, base];
      expect(right.cross_entropy[i], `sequence ${i}`).toBeLessThan(wrong.cross_entropy[i]);
    }
    for (const { prompt, ...says } of completions) {
      for (const said of [says.base, says.adapted]) {
        expect(said.startsWith(`${prompt} `) && said.endsWith('\n')).toBe(true);
        expect(said.length).toBeLessThanOrEqual(32);
      }
      expect(says.adapted).not.toBe(says.base);
    }
  });
});
