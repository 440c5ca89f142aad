/** Whatever the directories of adapters are called, programs can name them. */
import { expect, test } from 'vitest';
import { sourceNames } from '../../../apps/command/steps/source-names.ts';
import { format } from '../../../grammar/format.ts';
import { parse } from '../../../grammar/index.ts';
import { KEYWORDS } from '../../../grammar/parse/tokens.ts';
import { openCheckpoint } from '../../../models/files/checkpoint.ts';
import { importModel } from '../../../models/import/model.ts';
import { loadAdapter } from '../../../models/adapters/peft.ts';
import { bytesSource } from '../../../models/files/source.ts';
import { checkText } from '../../compiler/standard.ts';
import { makeAdapter } from '../../support/adapter.ts';
import { makeLlama, modelFiles } from '../../support/model.ts';

/** Beside the words of the language: what programs have other meanings for, what JavaScript has, what no name is. */
const ODD = [
  ...[
    'base',
    'adapter',
    'adapter_2',
    'adapter_model',
    'adapter_1',
    'std',
    'lora',
    'linear',
    'tokens',
    'next',
    'logits',
  ],
  ...[
    'x',
    'y',
    'h',
    'l',
    'E',
    'U',
    'T',
    'V',
    'D',
    'F',
    'H',
    'G',
    'K',
    'L',
    'R',
    'alpha',
    'eps',
    'theta',
    'R_x',
    'alpha_x',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'length'],
  ...[
    '1',
    '007',
    '-',
    '_',
    '--',
    'a-b',
    'a_b',
    'a b',
    'a.b',
    "a'",
    'a"b',
    'a\nb',
    'grüß',
    'größ',
    '日本',
    '🙂',
    'a=b',
    'x'.repeat(250),
  ],
];

test('each gets a name of its own that a program can declare', () => {
  const names = sourceNames([...KEYWORDS, ...ODD]);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z_]\w*$/);
  expect(names.filter((name) => ['base', 'adapter'].includes(name))).toEqual([]);
  const { diagnostics, program } = parse(`model m {\n  source ${names.join(', ')}\n}\n`, 'm.zkl');
  expect(diagnostics).toEqual([]);
  expect(program.items).toHaveLength(1);
});

test('names that need no change stay, a single adapter is called adapter', () => {
  expect(sourceNames(['model'])).toEqual(['adapter']);
  expect(sourceNames(['out/style/', './task-2', 'out/model', 'other/model', '1'])).toEqual([
    ...['style', 'task_2', 'adapter_model', 'adapter_model_2', 'adapter_1'],
  ]);
  // A directory that is only pointed at has a name, too.
  expect(sourceNames(['.', '..', '/']).filter((name) => /^_*$/.test(name))).toEqual([]);
});

test('a program with adapters of all these names is right', async () => {
  const files = modelFiles(makeLlama());
  const checkpoint = await openCheckpoint({
    name: 'm',
    open: async (name) => {
      const content = files.get(name);
      return content === undefined ? undefined : bytesSource(name, new Uint8Array(Buffer.from(content)));
    },
  });
  const { config, tensors } = makeAdapter({
    modules: [{ path: 'model.layers.0.self_attn.q_proj', inputs: 12, outputs: 16 }],
    rank: 2,
  });
  const loaded = await loadAdapter(config, bytesSource('adapter_model.safetensors', tensors));
  const maxAbs = await loaded.maxAbs();
  const sources = sourceNames([...KEYWORDS, ...ODD]);
  const adapters = sources.map((source) => ({ ...loaded, maxAbs, source }));
  const { text } = await importModel(checkpoint, adapters, 4);
  const formatted = (await format(text, 'model.zkl')).text ?? '';
  const { programs, all } = checkText(formatted, { provisional: true });
  expect(all).toEqual([]);
  const named = new Set(programs[0].tensors.flatMap(({ file }) => (file === undefined ? [] : [file.source])));
  expect(named).toEqual(new Set(['base', ...sources]));
});
