/** What the library says to callers that no type checker looked at: an error of one family, which names the argument. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as zkl from '../../index.ts';
import { ArgumentError, CodecError, EvaluationError, ValueError, ZklError } from '../../index.ts';
import type { Device } from '../../runtime/device/device.ts';
import * as formats from '../../models/index.ts';
import { NodeGpuError } from '../../runtime/device/webgpu/node.ts';
import * as verifierModule from '../../runtime/verifier/index.ts';
import { createSubject } from '../kit/subject.ts';
import { inputs, numbers, smallBundle, weights } from '../support/small.ts';

// As JavaScript calls it.
/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-argument */
const loose = (value: unknown): any => value;

const bundle = smallBundle();
let device: Device;
let files: { commitment: Uint8Array; opening: Uint8Array };
let prover: zkl.Prover;
let verifier: zkl.Verifier;
beforeAll(async () => {
  device = await zkl.createWasmDevice({ threads: 1 });
  files = await zkl.commit(bundle, 'adapter', weights, { device });
  prover = await zkl.createProver(bundle, { device, sources: [{ opening: files.opening, weights }] });
  verifier = await zkl.createVerifier(bundle, { device });
});
afterAll(async () => {
  verifier.close();
  await device.close();
});

type Case = readonly [what: string, call: () => unknown, message: string | RegExp];

const tensor = (values: unknown, shape: unknown = [3, 2]): unknown => new Map([...weights, ['m.B', { shape, values }]]);
const commit = (w: unknown): unknown => zkl.commit(bundle, 'adapter', loose(w), { device });
const sources = (w: unknown): unknown => [{ opening: files.opening, weights: w }];
const proverOf = (b: unknown, options: unknown): unknown => zkl.createProver(loose(b), loose(options));
const text = 'model m {\n  public x[2]: fixed<8, 4>\n  public y[i] = 2 * x[i]\n}';

const cases: readonly Case[] = [
  [
    'a bundle that is a path',
    () => zkl.decodeBundle(loose('p.zkb')),
    'bundle: expected a Uint8Array, got a string; a path',
  ],
  [
    'no bundle',
    () => proverOf(undefined, { device, sources: sources(weights) }),
    'bundle: expected a Uint8Array, got undef',
  ],
  [
    'a bundle that was not awaited',
    () => zkl.createVerifier(loose(Promise.resolve(bundle)), { device }),
    /got a Promise; it has to be awaited/,
  ],
  [
    'an ArrayBuffer',
    () => zkl.createVerifier(loose(bundle.buffer), { device }),
    /bundle: .* got an ArrayBuffer; write new Uint8Array/,
  ],
  [
    'what compile gives, whole',
    () => zkl.createVerifier(loose({ bundle }), { device }),
    'bundle: expected a Uint8Array, got an object',
  ],
  [
    'weights as an object',
    () => commit(Object.fromEntries(weights)),
    'weights: expected a Map from checkpoint names to { shape, values }, got an object; write new Map(Object.entries(object))',
  ],
  ['no weights', () => commit(undefined), 'weights: expected a Map'],
  [
    'weights that are nothing',
    () => commit(new Map<string, unknown>([...weights, ['m.B', undefined]])),
    'weights["m.B"]: expected { shape, values }, got undefined',
  ],
  [
    'weights without a shape',
    () => commit(new Map<string, unknown>([...weights, ['m.B', numbers(6)]])),
    'weights["m.B"]: expected { shape, values }, got an array of 6',
  ],
  ['weights that are a string', () => commit(tensor('abcdef')), 'weights["m.B"].values: expected numbers'],
  [
    'weights that are a Buffer',
    () => commit(tensor(Buffer.alloc(6))),
    /weights\["m\.B"\]\.values: .* got a Buffer; bytes are no numbers/,
  ],
  ['weights that are bigints', () => commit(tensor(new BigInt64Array(6))), 'got a BigInt64Array'],
  [
    'weights with null',
    () => commit(tensor([0, 0, null, 0, 0, 0])),
    'weights["m.B"].values[2]: expected a number, got null',
  ],
  ['weights with strings', () => commit(tensor(['0', 0, 0, 0, 0, 0])), 'values[0]: expected a number, got a string'],
  ['weights with holes', () => commit(tensor(Array(6))), 'values[0]: expected a number, got undefined'],
  [
    'nested weights',
    () =>
      commit(
        tensor([
          [0, 0],
          [0, 0],
          [0, 0],
        ]),
      ),
    /values\[0\]: .* nested arrays have to be flattened/,
  ],
  [
    'a shape that is a string',
    () => commit(tensor(numbers(6), '3,2')),
    'weights["m.B"].shape: expected an array of lengths, got a string',
  ],
  ['no device to commit', () => zkl.commit(bundle, 'adapter', weights, loose({})), 'options.device: expected a device'],
  [
    'no options to commit',
    () => zkl.commit(bundle, 'adapter', weights, loose(undefined)),
    'options: expected { device, ... }, got undefined',
  ],
  [
    'a device that was not awaited',
    () => zkl.commit(bundle, 'adapter', weights, loose({ device: Promise.resolve(device) })),
    /options\.device: .* got a Promise; it has to be awaited/,
  ],
  [
    'a source that is no name',
    () => zkl.commit(bundle, loose(0), weights, { device }),
    'sourceName: expected a string, got the number 0',
  ],
  [
    'entropy of another length',
    () => zkl.commit(bundle, 'adapter', weights, { device, entropy: new Uint8Array(31) }),
    'options.entropy: expected a Uint8Array of 32 bytes, got 31 bytes',
  ],
  [
    'memory that is none',
    () => zkl.commit(bundle, 'adapter', weights, { device, treeMemory: NaN }),
    'options.treeMemory: expected a number of bytes above 0',
  ],
  ['no sources', () => proverOf(bundle, { device }), 'options.sources: expected an array of { opening, weights }'],
  [
    'one source without a list',
    () => proverOf(bundle, { device, sources: { opening: files.opening, weights } }),
    'options.sources: expected an array',
  ],
  [
    'no opening',
    () => proverOf(bundle, { device, sources: [{ weights }] }),
    'options.sources[0].opening: expected a Uint8Array',
  ],
  [
    'weights of a prover as an object',
    () => proverOf(bundle, { device, sources: sources({}) }),
    'options.sources[0].weights: expected a Map',
  ],
  [
    'inputs as an object',
    () => prover.prove(loose({ x: numbers(10) })),
    'inputs: expected a Map from names of inputs to numbers, got an object',
  ],
  ['no inputs', () => prover.prove(loose(undefined)), 'inputs: expected a Map'],
  ['an input that is nothing', () => prover.prove(loose(new Map([['x', undefined]]))), 'inputs["x"]: expected numbers'],
  [
    'an input with a shape',
    () => prover.prove(loose(new Map([['x', { shape: [2, 5], values: numbers(10) }]]))),
    /inputs\["x"\]: .* give its values alone/,
  ],
  [
    'a context that is a text',
    () => prover.prove(inputs, loose({ context: 'session 7' })),
    /options\.context: .* new TextEncoder/,
  ],
  [
    'options that are the context',
    () => prover.prove(inputs, loose(new Uint8Array(3))),
    'options: expected { context, ... }, got a Uint8Array',
  ],
  [
    'progress that is no function',
    () => prover.prove(inputs, loose({ progress: true })),
    'options.progress: expected a function, got true',
  ],
  ['a verifier without a device', () => zkl.createVerifier(bundle, loose({})), 'options.device: expected a device'],
  [
    'a verifier without options',
    () => zkl.createVerifier(bundle, loose(undefined)),
    'options: expected { device, ... }',
  ],
  [
    'a cache that is a Set',
    () => zkl.createVerifier(bundle, loose({ device, cache: { has: () => false } })),
    'options.cache.add: expected a function',
  ],
  [
    'a commitment that is a path',
    () => verifier.register(loose('c.zkc')),
    'commitment: expected a Uint8Array, got a string',
  ],
  ['both files of commit', () => verifier.register(loose(files)), 'commitment: expected a Uint8Array, got an object'],
  [
    'proofs to verify together that are no list',
    () => verifier.verifyTogether({ source: 'w', output: 'w' }, loose(new Uint8Array(9))),
    'proofs: expected an array of { proof, context }, got a Uint8Array',
  ],
  [
    'proofs to verify together as bytes alone',
    () => verifier.verifyTogether({ source: 'w', output: 'w' }, loose([new Uint8Array(9)])),
    'proofs[0]: expected { proof, context }, got a Uint8Array',
  ],
  [
    'what prove gives, whole',
    () => verifier.verify(loose({ proof: new Uint8Array(9) })),
    'proof: expected a Uint8Array, got an object',
  ],
  [
    'another context that is a text',
    () => verifier.verify(new Uint8Array(9), loose({ context: 'session 7' })),
    'options.context: expected',
  ],
  [
    'no commitment to check',
    () => zkl.checkOpenCommitment(bundle, loose(undefined), weights, { device }),
    'commitment: expected',
  ],
  [
    'no device to check with',
    () => zkl.checkOpenCommitment(bundle, files.commitment, weights, loose(undefined)),
    'options: expected',
  ],
  ['a program that is a path', () => zkl.compile(loose('p.zkl')), 'input: expected { text, ... }, got a string'],
  ['a program that is bytes', () => zkl.compile(loose({ text: new Uint8Array(3) })), /input\.text: .* decode it/],
  [
    'a resolver that is none',
    () => zkl.compile(loose({ text, resolveImport: 'std' })),
    'input.resolveImport: expected a function',
  ],
  [
    'scales as a Map',
    () => zkl.compile(loose({ text, calibration: new Map() })),
    /input\.calibration: .* got a Map; write Object\.fromEntries/,
  ],
  [
    'scales as texts',
    () => zkl.compile(loose({ text, calibration: { y: 'fixed<8, 4>' } })),
    'input.calibration["y"]: expected { kind',
  ],
  [
    'dimensions as a Map',
    () => zkl.compile(loose({ text, overrides: new Map() })),
    'input.overrides: expected an object',
  ],
  [
    'what parse gives, whole',
    () => zkl.check(loose({ program: zkl.parse(text) })),
    'input.program: expected the program that parse gives, got an object; give its `program`',
  ],
  ['a text that is none', () => zkl.parse(loose(undefined)), 'text: expected a string, got undefined'],
  ['a text to format that is none', () => zkl.format(loose(7), 'x'), 'text: expected a string, got the number 7'],
  [
    'what compile gives, interpreted',
    () => zkl.interpret(loose(zkl.compile({ text })), new Map()),
    /program: .* give its `tensors`/,
  ],
  [
    'numbers to interpret',
    () => zkl.interpret(zkl.compile({ text }).tensors!, loose(new Map([[0, [1, 2]]]))),
    'inputs[0]: expected { shape, values }',
  ],
  [
    'numbers to evaluate exactly',
    () => zkl.evaluateExactly(zkl.compile({ text }).tensors!, loose(new Map([[0, [1, 2]]]))),
    'inputs[0]: expected an array of bigints',
  ],
  [
    'an object to evaluate',
    () => zkl.evaluateReal(zkl.compile({ text }).tensors!, loose({})),
    'inputs: expected a Map',
  ],
  [
    'threads that are a text',
    () => zkl.createWasmDevice(loose({ threads: '4' })),
    'options.threads: expected a whole number from 1 to 64, got a string',
  ],
  ['too many threads', () => zkl.createWasmDevice({ threads: 65 }), 'got the number 65'],
  [
    'no adapter',
    () => zkl.createWebGpuDevice(loose({ adapter: null, host: device })),
    'options.adapter: expected a GPUAdapter, which is null where no GPU answers, got null',
  ],
  ['numbers without a type', () => zkl.quantise('x', [1], loose(undefined), [1]), 'type: expected'],
  [
    'bytes to read safetensors from',
    () => formats.readSafetensors(loose(new Uint8Array(9))),
    /source: expected a ByteSource .* bytesSource/,
  ],
  [
    'a folder that is a path',
    () => formats.openCheckpoint(loose('model')),
    'folder: expected a Folder { name, open }, got a string',
  ],
  [
    'a configuration that was parsed',
    () => formats.readLoraConfig(loose({ r: 8 })),
    'text: expected a string, got an object',
  ],
  ['tensors to write as an object', () => formats.writeSafetensors(loose({ x: 1 })), 'tensors: expected a Map'],
  ['no tokens', () => formats.importModel(loose('model'), [], 4), 'checkpoint: expected what openCheckpoint gives'],
];

describe('wrong arguments', () => {
  test.each(cases)('%s', async (_, call, message) => {
    const error: unknown = await Promise.resolve()
      .then(call)
      .then(
        () => 'nothing was thrown',
        (e: unknown) => e,
      );
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error).toBeInstanceOf(ZklError);
    const { message: said, code, argument, expected, given } = error as ArgumentError;
    if (typeof message === 'string') expect(said).toContain(message);
    else expect(said).toMatch(message);
    expect(code).toBe('ZKL_ARGUMENT');
    expect(said.startsWith(`${argument}: expected ${expected}, got ${given}`)).toBe(true);
  });

  test('nothing of what was given is shown', async () => {
    const error = await prover.prove(loose('a secret')).catch((e: unknown) => e);
    expect(String(error) + JSON.stringify(error)).not.toContain('a secret');
  });
});

describe('one family of errors', () => {
  const caught = async (call: () => unknown): Promise<Record<string, unknown>> =>
    Promise.resolve()
      .then(call)
      .then(
        () => expect.unreachable(),
        (e: unknown) => {
          expect(e).toBeInstanceOf(ZklError);
          return e as Record<string, unknown>;
        },
      );

  test('files that are none say which they were to be', async () => {
    const bytes = new Uint8Array(40);
    const none = { name: 'CodecError', code: 'ZKL_CODEC', remedy: expect.any(String) as string };
    expect(await caught(() => zkl.decodeBundle(bytes))).toMatchObject({ ...none, file: 'bundle' });
    expect(await caught(() => zkl.decodeBundle(files.opening))).toMatchObject({
      file: 'bundle',
      message: 'this is a zkl opening, expected a bundle',
    });
    const broken = [{ opening: bytes, weights }];
    expect(await caught(() => zkl.createProver(bundle, { device, sources: broken }))).toMatchObject({
      ...none,
      file: 'opening',
    });
    expect(await caught(() => zkl.checkOpenCommitment(bundle, bytes, weights, { device }))).toMatchObject({
      ...none,
      file: 'commitment',
    });
    expect(verifierModule.CodecError).toBe(CodecError);
  });

  test('values name tensor, entry and problem', async () => {
    const value = { name: 'ValueError', code: 'ZKL_VALUE' };
    expect(await caught(() => commit(tensor([0, 0, 0, NaN, 0, 0])))).toMatchObject({
      ...value,
      tensor: 'm.B',
      index: [1, 1],
      problem: { kind: 'number' },
    });
    expect(await caught(() => commit(new Map([['m.A', weights.get('m.A')]])))).toMatchObject({
      ...value,
      tensor: 'm.B',
      problem: { kind: 'missing' },
    });
    expect(await caught(() => commit(tensor(numbers(6), [2, 3])))).toMatchObject({
      ...value,
      problem: { kind: 'shape', expected: [3, 2], given: [2, 3] },
    });
    expect(await caught(() => zkl.commit(bundle, 'adaptor', weights, { device }))).toMatchObject({
      ...value,
      tensor: 'adaptor',
      problem: { kind: 'unknown', known: ['adapter'] },
    });
    expect(
      await caught(() => proverOf(bundle, { device, sources: [{ source: 'base', opening: files.opening, weights }] })),
    ).toMatchObject({ ...value, tensor: 'base', problem: { kind: 'unknown' } });
    expect(await caught(() => proverOf(bundle, { device, sources: sources(tensor(Array(6).fill(0))) }))).toMatchObject({
      ...value,
      problem: { kind: 'opening' },
    });
    expect(await caught(() => prover.prove(new Map([['z', [1]]])))).toMatchObject({
      ...value,
      tensor: 'z',
      problem: { kind: 'unknown', known: ['x'] },
    });
    expect(await caught(() => zkl.checkOpenCommitment(bundle, files.commitment, weights, { device }))).toMatchObject({
      ...value,
      problem: { kind: 'secret' },
    });
  });

  test('a computed value that fits nowhere is named by the prover without the value', async () => {
    const { tensors, bundle: squares } = zkl.compile({
      text: 'model m {\n  public x[2]: fixed<16, 8>\n  public y[i] = round<8, 4>(x[i] * x[i])\n}',
    });
    const own = await zkl.createProver(squares!, { device, sources: [] });
    const error = await caught(() => own.prove(new Map([['x', [1, 100]]])));
    expect(error).toMatchObject({ code: 'ZKL_VALUE', tensor: 'y', index: [1], problem: { kind: 'range' } });
    expect(error['value']).toBeUndefined();

    const integers = new Map([[0, { shape: [2], values: [256n, 25600n] }]]);
    const interpreted = await caught(() => zkl.interpret(tensors!, integers));
    expect(interpreted).toBeInstanceOf(ValueError);
    expect(interpreted).toMatchObject({ tensor: 'y', index: [1], value: 160000n });
    const evaluated = await caught(() => zkl.evaluateExactly(tensors!, new Map([[0, Float64Array.of(256, 25600)]])));
    expect(evaluated).toBeInstanceOf(EvaluationError);
    expect(evaluated).toBeInstanceOf(ValueError);
    expect(evaluated).toMatchObject({ name: 'EvaluationError', code: 'ZKL_EVALUATION', tensor: 'y', index: [1] });
  });

  test('formats and GPUs belong to it', async () => {
    expect(await caught(() => formats.readLoraConfig('{'))).toMatchObject({
      name: 'FormatError',
      code: 'ZKL_FORMAT',
      file: 'adapter_config.json',
    });
    const gpu = new zkl.GpuError('lost', 'the device was lost', 'try again', 'fold');
    expect(gpu).toBeInstanceOf(ZklError);
    expect(gpu).toMatchObject({ name: 'GpuError', code: 'ZKL_GPU', kind: 'lost', remedy: 'try again', kernel: 'fold' });
    const missing = new NodeGpuError('missing', 'the package "webgpu" is not installed');
    expect(missing).toBeInstanceOf(ZklError);
    expect(missing).toMatchObject({ code: 'ZKL_NODE_GPU', remedy: 'npm install webgpu' });
    expect(formats.FormatError).toBe(zkl.FormatError);
  });

  test('there is one ValueError', async () => {
    const { ValueError: ofInterpreter } = await import('../../compiler/interpret/index.ts');
    const { ValueError: ofProver } = await import('../../runtime/prover/index.ts');
    expect([ofInterpreter, ofProver]).toEqual([ValueError, ValueError]);
    await expect(createSubject(text)).resolves.toBeDefined();
  });
});
