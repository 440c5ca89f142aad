/** Published configurations, with the tensors that transformers gives them: imported as they are, or all that stands against it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { format } from '../../../grammar/format.ts';
import type { Checkpoint } from '../../../models/files/checkpoint.ts';
import { openCheckpoint } from '../../../models/files/checkpoint.ts';
import { FormatErrors } from '../../../models/files/errors.ts';
import { importModel } from '../../../models/import/model.ts';
import { checkText } from '../../compiler/standard.ts';
import { named } from './weights.ts';

interface Published {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

const { models } = JSON.parse(readFileSync(new URL('../../vectors/published.json', import.meta.url), 'utf8')) as {
  models: readonly Published[];
};

/** The model's directory with a header, and no weights after it. */
async function open({ name, config, tensors, layers }: Published): Promise<Checkpoint> {
  const header: Record<string, unknown> = {};
  let size = 0;
  for (const [tensor, shape] of named(tensors, layers)) {
    const bytes = shape.reduce((a, b) => a * b, 2);
    header[tensor] = { dtype: 'BF16', shape, data_offsets: [size, size + bytes] };
    size += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = new Uint8Array(8 + json.length);
  new DataView(start.buffer).setBigUint64(0, BigInt(json.length), true);
  start.set(json, 8);
  const settings = new TextEncoder().encode(JSON.stringify(config));
  const checkpoint = await openCheckpoint({
    name,
    open: async (file) => {
      const [bytes, length] = file === 'config.json' ? [settings, settings.length] : [start, start.length + size];
      if (file !== 'config.json' && file !== 'model.safetensors') return undefined;
      return { name: file, size: length, read: async (from, count) => bytes.subarray(from, from + count) };
    },
  });
  return { ...checkpoint, largest: async () => 0.5 };
}

const REFUSED: Readonly<Record<string, readonly RegExp[]>> = {
  'microsoft/Phi-3.5-mini-instruct': [/"rope_scaling" is .*each of the rotary angles has a factor of its own/],
  'facebook/opt-350m': [
    /"do_layer_norm_before" is false: norms stand after the layers/,
    /"word_embed_proj_dim" is 512: embeddings are projected to the width 1024/,
    /"model.decoder.embed_tokens.weight" has the shape \[50272, 512\], .* makes it \[50272, 1024\]/,
    /"model.decoder.final_layer_norm.weight" of shape \[1024\] is missing/,
    /"model.decoder.final_layer_norm.bias" of shape \[1024\] is missing/,
    /no place for "model.decoder.project_out.weight", "model.decoder.project_in.weight"/,
  ],
  'mistralai/Mixtral-8x7B-v0.1': [/"MixtralForCausalLM" cannot be imported; it would need routing to experts/],
};

const byName = models.map((model) => [model.name, model] as const);

describe('published configurations', () => {
  test.each(byName.filter(([name]) => !Object.hasOwn(REFUSED, name)))('%s is imported', async (_, model) => {
    const { text } = await importModel(await open(model), [], 4);
    const formatted = (await format(text, 'model.zkl')).text ?? '';
    // The others differ in their lengths only, and take seconds.
    if (model.layers <= 16) expect(checkText(formatted, { provisional: true }).all, formatted).toEqual([]);
    // A page.
    expect(formatted.split('\n').length).toBeLessThan(50);
    expect(formatted).toContain(`repeat l: L at`);
  });

  test.each(Object.entries(REFUSED))('%s is refused, for all reasons at once', async (name, reasons) => {
    const model = models.find((m) => m.name === name);
    expect(model).toBeDefined();
    const error: unknown = await importModel(await open(model!), [], 4).catch((e: unknown) => e);
    const errors = error instanceof FormatErrors ? error.errors : [error as Error];
    expect(errors).toHaveLength(reasons.length);
    for (const reason of reasons) expect(errors.filter((e) => reason.test(e.message))).toHaveLength(1);
  });
});
