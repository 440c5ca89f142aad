/** Adapters and models in one file, in several, and in files of other formats. */
import { describe, expect, test } from 'vitest';
import {
  bytesSource,
  openAdapter,
  openCheckpoint,
  readSafetensors,
  writeSafetensors,
  type Folder,
  type TensorToWrite,
} from '../../models/index.ts';
import { makeAdapter } from '../support/adapter.ts';
import { makeLlama, modelFiles } from '../support/model.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? new TextEncoder().encode(content) : content;

/** Without `files` it cannot be listed. */
const folder = (files: Files, listed = true): Folder => ({
  name: 'some/folder',
  open: async (name) =>
    Object.hasOwn(files, name) ? bytesSource(`some/folder/${name}`, bytesOf(files[name])) : undefined,
  ...(listed ? { files: async () => Object.keys(files) } : {}),
});

const { config, tensors } = makeAdapter({
  modules: [0, 1, 2].map((l) => ({ path: `layers.${l}.q_proj`, inputs: 6, outputs: 5 })),
  rank: 2,
});

/** The adapter's tensors dealt out to `count` files, and which is where. */
async function parts(count: number): Promise<{ files: Record<string, Uint8Array>; map: Record<string, string> }> {
  const whole = await readSafetensors(bytesSource('whole', tensors));
  const dealt = Array.from({ length: count }, () => new Map<string, TensorToWrite>());
  const map: Record<string, string> = {};
  const names = dealt.map((_, k) => `adapter_model-0000${k + 1}-of-0000${count}.safetensors`);
  for (const [k, [name, { dtype, shape }]] of [...whole.tensors].entries()) {
    dealt[k % count].set(name, { dtype, shape, values: await whole.readFloats(name) });
    map[name] = names[k % count];
  }
  return { files: Object.fromEntries(dealt.map((part, k) => [names[k], writeSafetensors(part)])), map };
}

const index = 'adapter_model.safetensors.index.json';
const base = { 'adapter_config.json': config };

describe('adapters', () => {
  test('in several files are read as one, with an index and without', async () => {
    const whole = await openAdapter(folder({ ...base, 'adapter_model.safetensors': tensors }));
    const { files, map } = await parts(3);
    const listing = { [index]: JSON.stringify({ metadata: {}, weight_map: map }) };
    for (const given of [folder({ ...base, ...files }), folder({ ...base, ...files, ...listing }, false)]) {
      const adapter = await openAdapter(given);
      expect(adapter.description).toEqual(whole.description);
      expect(adapter.fileName).toBe('some/folder/adapter_model-*.safetensors');
      expect(await adapter.weights()).toEqual(await whole.weights());
      expect(await adapter.maxAbs()).toEqual(await whole.maxAbs());
      await expect(adapter.weights(['nothing'])).rejects.toThrow(/no tensor "nothing"/);
    }
  });

  test('of which a part is missing, is of another set, or has what another has', async () => {
    const { files, map } = await parts(3);
    const [first, second, third] = Object.keys(files);
    const without: Record<string, Uint8Array> = { ...files };
    delete without[second];
    const refused = async (given: Files, message: RegExp): Promise<void> => {
      await expect(openAdapter(folder({ ...base, ...given }))).rejects.toThrow(message);
    };
    await refused(without, /adapter_model-00002-of-00003.safetensors is not there; download the missing file/);
    await refused({ ...without, [index]: JSON.stringify({ weight_map: map }) }, /it names .*-00002-.*is not there/);
    await refused({ ...files, 'adapter_model-00001-of-00002.safetensors': files[first] }, /two different sets/);
    await refused({ ...files, [third]: files[first] }, /is also in some\/folder\/adapter_model-00001-of-00003/);
    await refused({ ...files, [index]: '{"weight_map": {"a": "../b.safetensors"}}' }, /no safetensors file here/);
  });

  test.each([
    [
      'adapter_model.bin',
      true,
      /its weights are in adapter_model.bin: pickled .*convert it: .*safe_serialization=True/,
    ],
    ['adapter_model.bin', false, /its weights are in adapter_model.bin/],
    ['adapter_model-00001-of-00002.bin', true, /its weights are in adapter_model-00001-of-00002.bin/],
    ['adapter_model.pt', true, /its weights are in adapter_model.pt/],
    ['adapters.npz', true, /its weights are in adapters.npz/],
    ['lora-q8.gguf', true, /its weights are in lora-q8.gguf/],
    ['adapters.safetensors', true, /there is no adapter_model.safetensors; it has "adapters.safetensors"/],
    ['training_args.bin', true, /there is no adapter_model.safetensors; load/],
    ['optimizer.pt', true, /there is no adapter_model.safetensors; load/],
  ])('with %s only', async (name, listed, message) => {
    await expect(openAdapter(folder({ ...base, [name]: 'x' }, listed))).rejects.toThrow(message);
  });

  test('without a configuration', async () => {
    await expect(openAdapter(folder({ 'adapter_model.safetensors': tensors }))).rejects.toThrow(
      'some/folder: there is no adapter_config.json; give the directory of a PEFT adapter',
    );
  });
});

describe('models', () => {
  test('in numbered files without an index', async () => {
    const made = makeLlama();
    const files = Object.fromEntries(modelFiles(made, 3));
    delete files['model.safetensors.index.json'];
    const [whole, several] = await Promise.all([
      openCheckpoint(folder(Object.fromEntries(modelFiles(made)))),
      openCheckpoint(folder(files)),
    ]);
    expect([...several.tensors.keys()].sort()).toEqual([...whole.tensors.keys()].sort());
    for (const name of made.tensors.keys())
      expect(await several.readFloats(name)).toEqual(await whole.readFloats(name));
  });

  test.each([
    ['pytorch_model.bin', false],
    ['pytorch_model.bin.index.json', false],
    ['pytorch_model-00001-of-00002.bin', true],
    ['consolidated.00.pth', true],
    ['tf_model.h5', true],
    ['flax_model.msgpack', true],
    ['tiny-q4.gguf', true],
  ])('with %s only', async (name, listed) => {
    await expect(openCheckpoint(folder({ 'config.json': '{}', [name]: 'x' }, listed))).rejects.toThrow(
      `its weights are in ${name}: pickled or in another format, which is not read here; save the model`,
    );
  });
});

test.each([
  ['PK\x03\x04........', /it is a pickled file of PyTorch, no safetensors file; .*safe_serialization/],
  ['\x80\x02\x8a\x0a........', /a pickled file of PyTorch/],
  ['GGUF........', /it is a GGUF file/],
  ['version https://git-lfs.github.com/spec/v1\n', /a pointer of Git LFS, no safetensors file; fetch it: git lfs pull/],
])('a file that begins with %j says what it is', async (content, message) => {
  const bytes = Uint8Array.from(content, (c) => c.charCodeAt(0));
  await expect(readSafetensors(bytesSource('a.safetensors', bytes))).rejects.toThrow(message);
});
