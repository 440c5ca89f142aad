/** Options that several commands have. */
import type { OptionSpec } from './command.ts';

export const output = (value: string, help: string): OptionSpec => ({
  name: 'output',
  short: 'o',
  value,
  required: true,
  help,
});

export const dims: OptionSpec = {
  name: 'dim',
  value: 'NAME=VALUE',
  many: true,
  help: 'another value for a literal dim or const',
};
export const model: OptionSpec = { name: 'model', value: 'NAME', help: 'this model, where the file has several' };
export const calibration: OptionSpec = {
  name: 'calibration',
  value: 'FILE',
  help: 'the scales; default: PROGRAM.calibration.json beside PROGRAM.zkl, if it is there',
};
export const text: OptionSpec = { name: 'text', value: 'TEXT', help: 'a text' };
export const textFile: OptionSpec = {
  name: 'text-file',
  value: 'FILE',
  help: 'the text of a file, without a line break at its end',
};
export const tokenizer: OptionSpec = {
  name: 'tokenizer',
  value: 'DIR',
  help: 'the folder with tokenizer.json; default: that of the model in --weights',
};
export const samples: readonly OptionSpec[] = [
  {
    name: 'samples',
    value: 'FILE|random:SEED',
    required: true,
    unless: ['text', 'text-file', 'data'],
    help: 'inputs: JSON, or made up; or texts:',
  },
  { ...text, many: true, help: 'instead of --samples: a text, read with the tokenizer of the model' },
  { ...textFile, help: 'instead of --samples: texts, one a line; of FILE.json a list of strings' },
  tokenizer,
  { name: 'limit', value: 'N', help: 'only the first N samples; of random ones N instead of one' },
];
export const data: OptionSpec = {
  name: 'data',
  value: 'FILE',
  help: 'of a model with a `train`: safetensors with `tokens` [M, T + 1] and, optionally, `mask`, 1 where a token counts',
};
export const noCache: OptionSpec = { name: 'no-cache', help: 'neither read nor write the cache directory' };

export const threads: OptionSpec = {
  name: 'threads',
  value: 'N',
  help: 'threads of the wasm device; default: one per core',
};
export const device: readonly OptionSpec[] = [
  {
    name: 'device',
    value: 'NAME',
    help: 'wasm (default), webgpu, auto (a GPU if one answers, else wasm), or reference',
  },
  threads,
  { name: 'gpu-memory', value: 'SIZE', help: 'GPU memory at most, e.g. 4G; default: what the adapter allows' },
];
export const weights: OptionSpec = {
  name: 'weights',
  value: '[SOURCE=]DIR',
  many: true,
  usual: true,
  help: 'the directory of a model or of a PEFT adapter, or a safetensors file',
};
export const context: OptionSpec = {
  name: 'context',
  value: 'TEXT',
  help: 'what the proof is bound to besides (a session, a nonce)',
};
export const contextHex: OptionSpec = {
  name: 'context-hex',
  value: 'HEX',
  help: 'the same, as bytes that need not be text',
};
export const bundle = { name: 'BUNDLE', help: 'what `zkl compile` wrote' };
export const program = { name: 'FILE', help: 'a .zkl program' };
export const CACHE_NOTE =
  'The cache is $XDG_CACHE_HOME/zkl or ~/.cache/zkl; without a place to write to, nothing is kept.';
