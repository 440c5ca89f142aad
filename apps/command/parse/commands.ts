/** All commands with their options: what `--help` prints and what arguments are checked against. */
import type { CommandSpec, OptionSpec } from './command.ts';

const output = (value: string, help: string): OptionSpec => ({
  name: 'output',
  short: 'o',
  value,
  required: true,
  help,
});

const dims: OptionSpec = {
  name: 'dim',
  value: 'NAME=VALUE',
  many: true,
  help: 'another value for a literal dim or const',
};
const model: OptionSpec = { name: 'model', value: 'NAME', help: 'this model, where the file has several' };
const calibration: OptionSpec = {
  name: 'calibration',
  value: 'FILE',
  help: 'the scales; default: PROGRAM.calibration.json beside PROGRAM.zkl, if it is there',
};
const samples: readonly OptionSpec[] = [
  { name: 'samples', value: 'FILE|random:SEED', required: true, help: 'inputs: JSON, or made up' },
  { name: 'limit', value: 'N', help: 'only the first N samples; of random ones N instead of one' },
];
const noCache: OptionSpec = { name: 'no-cache', help: 'neither read nor write the cache directory' };

const threads: OptionSpec = { name: 'threads', value: 'N', help: 'threads of the wasm device; default: one per core' };
const device: readonly OptionSpec[] = [
  {
    name: 'device',
    value: 'NAME',
    help: 'wasm (default), webgpu, auto (a GPU if one answers, else wasm), or reference',
  },
  threads,
  { name: 'gpu-memory', value: 'SIZE', help: 'GPU memory at most, e.g. 4G; default: what the adapter allows' },
];
const weights: OptionSpec = {
  name: 'weights',
  value: '[SOURCE=]DIR',
  many: true,
  usual: true,
  help: 'the directory of a model or of a PEFT adapter, or a safetensors file',
};
const context: OptionSpec = {
  name: 'context',
  value: 'TEXT',
  help: 'what the proof is bound to besides (a session, a nonce)',
};
const contextHex: OptionSpec = { name: 'context-hex', value: 'HEX', help: 'the same, as bytes that need not be text' };
const bundle = { name: 'BUNDLE', help: 'what `zkl compile` wrote' };
const program = { name: 'FILE', help: 'a .zkl program' };
const CACHE_NOTE = 'The cache is $XDG_CACHE_HOME/zkl or ~/.cache/zkl; without a place to write to, nothing is kept.';

export const commands: readonly CommandSpec[] = [
  {
    name: 'import',
    summary: 'write a .zkl program for a model with adapters, or for the modules of an adapter alone',
    positionals: [{ name: 'DIR', help: 'a model (config.json, safetensors) or a PEFT adapter (adapter_config.json)' }],
    options: [
      { name: 'tokens', value: 'N', usual: true, help: 'of a model: how many tokens a proof is about' },
      {
        name: 'adapter',
        value: 'DIR',
        many: true,
        usual: true,
        help: 'of a model: a PEFT adapter that is added to it',
      },
      { name: 'rows', value: 'N', help: 'of an adapter alone: rows of activations per proof' },
      { name: 'force', help: 'replace an existing file' },
      output('FILE', 'the program'),
    ],
    notes: [
      'The program is a start: read it, and edit types, lengths and what is public.',
      'Models of the LLaMA family (Llama, Mistral without windows, Qwen2) and of the GPT-2 family can be imported.',
      'An adapter alone: zkl import my-adapter --rows 15 -o adapter.zkl',
    ],
    example: 'zkl import my-model --adapter my-adapter --tokens 64 -o model.zkl',
    load: () => import('../commands/import.ts'),
  },
  {
    name: 'check',
    summary: 'check names, shapes, scales and ranges of a program',
    positionals: [program],
    options: [model, dims, calibration],
    notes: ['Ends with status 1 if the program has errors.'],
    example: 'zkl check adapter.zkl --dim T=1',
    load: () => import('../commands/check.ts'),
  },
  {
    name: 'explain',
    summary: 'say what a code such as ZKL207 means, with an example and its remedy',
    positionals: [{ name: 'CODE', help: 'of an error or a warning; default: all of them', optional: true }],
    options: [],
    notes: ['What zkl says about the example is found out now: the example is compiled.'],
    example: 'zkl explain ZKL207',
    load: () => import('../commands/explain.ts'),
  },
  {
    name: 'fmt',
    summary: 'bring programs into the one layout',
    positionals: [{ name: 'FILE...', help: '.zkl programs, or directories: all .zkl files below them' }],
    options: [{ name: 'check', help: 'change nothing; end with status 1 if a file is not formatted' }],
    notes: ['Hidden directories and node_modules below a given directory are left out.'],
    example: 'zkl fmt adapter.zkl',
    load: () => import('../commands/fmt.ts'),
  },
  {
    name: 'compile',
    summary: 'compile a program to a bundle',
    positionals: [program],
    options: [
      model,
      dims,
      calibration,
      {
        name: 'emit',
        value: 'STAGE',
        help: 'instead of the bundle print the program as tensors, as gadgets, or the expressions of its kernels',
      },
      { ...output('FILE', 'the bundle, or with --emit the text (default: stdout)'), unless: 'emit' },
    ],
    notes: [
      'The same source, dims and scales give the same bytes. Ends with status 1 if the program has errors.',
      'STAGE is tensors, gadgets or kernels. Two programs that differ print differently, as tensors and as gadgets.',
    ],
    example: 'zkl compile adapter.zkl -o adapter.zkb',
    load: () => import('../commands/compile.ts'),
  },
  {
    name: 'calibrate',
    summary: 'choose the scales that a program leaves open, from sample inputs',
    positionals: [program],
    options: [
      weights,
      ...samples,
      {
        name: 'bits',
        value: 'N',
        help: 'of every rounded value, from 4 to 24; default: 16, and more where rounding would change what the model says',
      },
      { name: 'weight-bits', value: 'N', help: 'of open weights, from 4 to 24; default 16' },
      {
        name: 'headroom',
        value: 'FACTOR',
        help: 'how many times the largest value of the samples must fit; default 2',
      },
      {
        name: 'target',
        value: 'P,L',
        help: 'percent of positions with the same most likely token, percent that the loss may be off; default 99,0.5',
      },
      threads,
      model,
      dims,
      { name: 'output', short: 'o', value: 'FILE', help: 'default: PROGRAM.calibration.json beside PROGRAM.zkl' },
    ],
    notes: [
      'Samples are JSON, for each input a list: {"tokens": [[1, 403, 407], [1, 385, 311]]}.',
      'Every fourth sample is kept apart: scales are chosen without it, and measured on it. Below the target it is said so.',
      'A secret source without --weights counts as zeros: the scales then say nothing about it.',
    ],
    example: 'zkl calibrate model.zkl --weights base=MODEL_DIR --samples samples.json',
    load: () => import('../commands/calibrate.ts'),
  },
  {
    name: 'compare',
    summary: 'run a program on samples, in integers and in float64, and compare',
    positionals: [program],
    options: [
      weights,
      ...samples,
      calibration,
      {
        name: 'reference',
        value: 'FILE',
        help: 'what other software made of the samples: JSON with logits, cross_entropy',
      },
      { name: 'logits', value: 'NAME', help: 'the tensor of scores by position and token; default logits' },
      {
        name: 'at-least',
        value: 'P',
        help: 'end with status 1 below P percent of positions with the same most likely token, or where a value overflows',
      },
      threads,
      model,
      dims,
    ],
    notes: [
      'Samples one token longer than the input also say which token should have followed: cross-entropies are compared.',
    ],
    example: 'zkl compare model.zkl --weights base=MODEL_DIR --samples samples.json',
    load: () => import('../commands/compare.ts'),
  },
  {
    name: 'inspect',
    summary: 'show what a bundle proves, how, and what it costs',
    positionals: [bundle],
    options: [{ name: 'kernels', help: 'also print the expressions that kernels are generated from' }],
    notes: [],
    example: 'zkl inspect adapter.zkb',
    load: () => import('../commands/inspect.ts'),
  },
  {
    name: 'commit',
    summary: 'commit to weights: a commitment to publish, an opening to keep',
    positionals: [bundle],
    options: [
      weights,
      { name: 'source', value: 'NAME', help: 'whose tensors, where the program has several sources' },
      { name: 'force', help: 'replace an existing commitment and its opening' },
      ...device,
      noCache,
      output('DIR', 'where commitment.zkc and opening.zko go'),
    ],
    notes: ['The opening is as secret as the weights; it is written for its owner alone (mode 600).', CACHE_NOTE],
    example: 'zkl commit adapter.zkb --weights my-adapter -o keys',
    load: () => import('../commands/commit.ts'),
  },
  {
    name: 'prove',
    summary: 'prove the outputs for given inputs',
    positionals: [bundle],
    options: [
      weights,
      { name: 'opening', value: '[SOURCE=]FILE', many: true, usual: true, help: 'what `zkl commit` wrote' },
      {
        name: 'inputs',
        value: 'FILE|random:SEED',
        required: true,
        help: 'public inputs: safetensors, JSON, or made up',
      },
      context,
      contextHex,
      { name: 'verbose', help: 'of a value that does not fit, also say what it is: it may be a secret one' },
      ...device,
      noCache,
      output('FILE', 'the proof'),
    ],
    notes: ['A JSON file holds nested lists of numbers by name: {"x": [[0.5, -1]]}.', CACHE_NOTE],
    example:
      'zkl prove adapter.zkb --weights my-adapter --opening keys/opening.zko --inputs x.safetensors -o proof.zkp',
    load: () => import('../commands/prove.ts'),
  },
  {
    name: 'verify',
    summary: 'verify a proof against a commitment, without the weights',
    positionals: [bundle, { name: 'PROOF', help: 'what `zkl prove` wrote' }],
    options: [
      { name: 'commitment', value: 'FILE', many: true, usual: true, help: 'the published commitment; one per source' },
      {
        name: 'weights',
        value: '[SOURCE=]PATH',
        many: true,
        usual: true,
        help: 'of open weights: check that they are what the commitment is to',
      },
      { name: 'pin', value: '[SOURCE=]HEX', many: true, help: 'the digest that a commitment has to have' },
      { name: 'trust', value: 'SOURCE', many: true, help: 'take the commitment to these open weights as it came' },
      {
        name: 'program',
        value: 'FILE.zkl|DIGEST',
        help: 'what the bundle has to be: a source, which is compiled, or its digest',
      },
      calibration,
      model,
      dims,
      { name: 'public', value: 'FILE', help: 'compare the public tensors with this safetensors or JSON file' },
      {
        name: 'tolerance',
        value: 'REL',
        help: 'with --public: largest difference, relative to the largest entry; default 0, and of indices always 0',
      },
      context,
      contextHex,
      {
        name: 'limit',
        value: 'TIME,MEMORY',
        help: 'what the bundle may cost, e.g. 200s,3G; default 4s,1G, counted for one thread',
      },
      ...device,
      noCache,
    ],
    notes: [
      'Ends with status 0 if the proof is accepted, 1 if it is rejected, 2 if it could not be verified.',
      'Nothing is proved of a commitment to open weights: it is checked (--weights), pinned or trusted, or it was checked earlier on this machine.',
      'Of secret weights it is proved that they are in range; whose they are says the digest alone: compare it, or --pin it.',
      '--calibration, --model and --dim belong to --program.',
      'The cache remembers which commitments were checked; it is used only where nobody else can write.',
      CACHE_NOTE,
    ],
    example:
      'zkl verify model.zkb --commitment base/commitment.zkc --commitment keys/commitment.zkc proof.zkp --weights base=MODEL_DIR',
    load: () => import('../commands/verify.ts'),
  },
  {
    name: 'page',
    summary: 'serve a page that proves and verifies in a browser, on this machine alone',
    positionals: [],
    options: [
      { name: 'port', value: 'N', help: 'of localhost; default 8377, 0 for any that is free' },
      { name: 'bundle', value: 'FILE', help: 'have the page verify a proof when it opens: the bundle' },
      { name: 'commitment', value: 'FILE', many: true, help: 'the commitment; one per source' },
      { name: 'proof', value: 'FILE', help: 'the proof' },
      { name: 'pin', value: 'SOURCE=HEX', many: true, help: 'the digest that a commitment has to have' },
      { name: 'trust', value: 'SOURCE', many: true, help: 'take the commitment to these open weights as it came' },
      context,
    ],
    notes: ['The page is in dist/page of the package, for any other server, too.'],
    example: 'zkl page --bundle adapter.zkb --commitment keys/commitment.zkc --proof proof.zkp',
    load: () => import('../commands/page.ts'),
  },
  {
    name: 'doctor',
    summary: 'look whether this machine is ready, and say what to do where it is not',
    positionals: [],
    options: [{ name: 'device', value: 'webgpu', help: 'fail where the WebGPU device would not work' }],
    notes: ['Ends with status 1 if something does not work.'],
    example: 'zkl doctor --device webgpu',
    load: () => import('../doctor/doctor.ts'),
  },
];

/** Options of every command. */
export const commonOptions: readonly OptionSpec[] = [
  { name: 'json', help: 'one JSON object on stdout' },
  { name: 'help', short: 'h', help: 'this text' },
];
