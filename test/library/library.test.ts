/** The steps as a user of the library calls them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  check,
  commit,
  compile,
  createProver,
  createVerifier,
  createWasmDevice,
  parse,
  resolveStandard,
  ValueError,
} from '../../index.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { ProofProgress } from '../../runtime/prover/index.ts';
import { inputs, numbers, smallBundle, weights } from '../support/small.ts';

describe('imports', () => {
  const text = `import { silu } from "std"
import { gelu } from "std/functions"
model m {
  public x[3]: fixed<8, 4>
  public y[i] = silu(x[i]) + gelu(x[i])
}`;

  test('of the standard library are found by default, and a program needs no name', () => {
    expect(compile({ text }).diagnostics).toEqual([]);
    const { program } = parse(text);
    expect(check({ program }).diagnostics).toEqual([]);
    const unknown = compile({ text: text.replace('"std"', '"mine"') });
    expect(unknown.diagnostics[0]).toMatchObject({ code: 'ZKL203', span: { source: 'program.zkl' } });
  });

  test('of files beside the program are found by those who look there, with the standard library or without', () => {
    const mine = { source: 'mine', text: 'block twice(x[N]) -> y[N] {\n  y[i] = 2 * x[i]\n}\n' };
    const both = `import { twice } from "mine"\n${text.replace('x[3]: fixed<8, 4>', 'x[3]: fixed<8, 4>\n  public z = twice(x)')}`;
    const found = (name: string) => (name === 'mine' ? mine : undefined);
    expect(compile({ text: both, resolveImport: (name) => resolveStandard(name) ?? found(name) }).diagnostics).toEqual(
      [],
    );
    expect(compile({ text: both, resolveImport: found }).diagnostics[0]).toMatchObject({ code: 'ZKL203' });
  });
});

describe('the library', () => {
  let device: Device;
  const bundle = smallBundle();
  beforeAll(async () => {
    device = await createWasmDevice();
  });
  afterAll(() => device.close());

  const prepare = async () => {
    const files = await commit(bundle, 'adapter', weights, { device });
    const prover = await createProver(bundle, { device, sources: [{ opening: files.opening, weights }] });
    return { ...files, prover };
  };

  test('files may be Buffers', async () => {
    const { commitment, opening } = await prepare();
    const prover = await createProver(Buffer.from(bundle), {
      device,
      sources: [{ opening: Buffer.from(opening), weights }],
    });
    const { proof } = await prover.prove(inputs);
    const verifier = await createVerifier(Buffer.from(bundle), { device });
    expect(await verifier.register(Buffer.from(commitment))).toEqual({ ok: true });
    expect(await verifier.verify(Buffer.from(proof))).toMatchObject({ ok: true });
    verifier.close();
  });

  test('a proof bound to a context is accepted with that context only', async () => {
    const { commitment, prover } = await prepare();
    const context = new TextEncoder().encode('session 7');
    const { proof } = await prover.prove(inputs, { context });
    const verifier = await createVerifier(bundle, { device });
    await verifier.register(commitment);
    expect(await verifier.verify(proof, { context })).toMatchObject({ ok: true });
    expect(await verifier.verify(proof)).toMatchObject({ ok: false, reason: 'the proof is for another context' });
    verifier.close();
  });

  test('a proof says how far it is', async () => {
    const { prover } = await prepare();
    const said: ProofProgress[] = [];
    await prover.prove(inputs, { progress: (p) => said.push(p) });
    const phases = [...new Set(said.map((p) => p.phase))];
    expect(phases).toEqual(['evaluate', 'commit', 'equations', 'close']);
    const done = said.map((p) => p.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBeCloseTo(1);
  });

  test('a validated commitment is remembered by its digest', async () => {
    const { commitment } = await prepare();
    const remembered: string[] = [];
    const cache = { has: (d: string) => remembered.includes(d), add: (d: string) => void remembered.push(d) };
    for (let i = 0; i < 2; i++) {
      const verifier = await createVerifier(bundle, { device, cache });
      expect(await verifier.register(commitment)).toEqual({ ok: true });
      verifier.close();
    }
    expect(remembered).toHaveLength(1);
  });

  test('without a commitment nothing is accepted', async () => {
    const { prover } = await prepare();
    const { proof } = await prover.prove(inputs);
    const verifier = await createVerifier(bundle, { device });
    expect(await verifier.verify(proof)).toMatchObject({
      ok: false,
      verdict: 'unverified',
      reason: 'no valid commitment for "adapter" is registered',
    });
  });

  test.each([
    ['a missing tensor', new Map([['m.A', weights.get('m.A')!]]), /no tensor "m\.B"/],
    [
      'another shape',
      new Map([...weights, ['m.B', { shape: [2, 3], values: numbers(6) }]]),
      /"m\.B" has shape \[2, 3\].*declares \[3, 2\]/,
    ],
    ['NaN', new Map([...weights, ['m.B', { shape: [3, 2], values: [0, 0, 0, NaN, 0, 0] }]]), /m\.B\[1, 1\] is NaN/],
    [
      'a value outside its type',
      new Map([...weights, ['m.B', { shape: [3, 2], values: [0, 0, 0, 0, 2, 0] }]]),
      /m\.B\[2, 0\] does not fit the 8 bits of its type/,
    ],
    [
      'changed weights',
      new Map([...weights, ['m.B', { shape: [3, 2], values: [0, 0, 0, 0, 0, 0] }]]),
      /not the ones this opening was made for: commit to them again/,
    ],
  ])('%s is refused by name', async (_, wrong, message) => {
    const { opening } = await prepare();
    const attempt = createProver(bundle, { device, sources: [{ opening, weights: wrong }] });
    await expect(attempt).rejects.toThrow(ValueError);
    await expect(createProver(bundle, { device, sources: [{ opening, weights: wrong }] })).rejects.toThrow(message);
  });

  test.each([
    ['an unknown input', new Map([...inputs, ['z', [1]]]), /no input "z"; it has x/],
    ['a missing input', new Map<string, number[]>(), /the input "x" of shape \[2, 5\] is missing/],
    ['too few entries', new Map([['x', numbers(9)]]), /x has 9 entries, its shape \[2, 5\] has 10/],
    ['infinity', new Map([['x', [...numbers(9), Infinity]]]), /x\[1, 4\] is Infinity/],
    ['a value outside its type', new Map([['x', [...numbers(9), 8]]]), /x\[1, 4\] is 8, which needs 9 bits/],
  ])('%s is refused by name', async (_, wrong, message) => {
    const { prover } = await prepare();
    await expect(prover.prove(wrong)).rejects.toThrow(message);
  });
});
