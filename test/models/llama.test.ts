/** A whole decoder through the library: open base weights, secret adapters, secret tokens; only the next token is public. */
import { describe, expect, test } from 'vitest';
import { decodeBundle } from '../../compiler/bundle/bundle.ts';
import { compile } from '../../compiler/index.ts';
import { interpret } from '../../compiler/interpret/index.ts';
import type { TensorProgram } from '../../compiler/ir/tensor/program.ts';
import {
  checkOpenCommitment,
  commit,
  createProver,
  ValueError,
  type CommittedFiles,
  type WeightMap,
} from '../../runtime/prover/index.ts';
import { createVerifier } from '../../runtime/verifier/index.ts';
import { entropyOf } from '../kit/draw.ts';
import { testDevice } from '../kit/devices.ts';
import { checkText, resolveImport } from '../compiler/standard.ts';

const device = await testDevice();

const text = `
import { rmsnorm, linear, lora, rope, attention, swiglu } from "std"

model llama {
  dim T = 5, V = 11, D = 8, F = 12, H = 4, G = 2, L = 2, R = 3, K = D / H
  const eps = 1e-5, base = 10000, alpha = 8

  secret tokens[T]: index<V>
  open   E[V, D] from base "embed"

  x[t, d] = round(E[tokens[t], d])

  repeat l: L at "layers.{l}" {
    h  = rmsnorm(x, eps)                                    at "norm"
    q  = round(linear<H * K>(h) + lora<H * K, R>(h, alpha)) at "q"
    k  = round(linear<G * K>(h))                            at "k"
    v  = round(linear<G * K>(h) + lora<G * K, R>(h, alpha)) at "v"
    qr = rope(q as [1, T, H, K], base)
    kr = rope(k as [1, T, G, K], base)
    o  = attention(qr, kr, v as [1, T, G, K])
    a  = round(x + linear<D>(o) at "o")
    n  = rmsnorm(a, eps)                                    at "post"
    x' = round(a + swiglu<F>(n) at "mlp")
  }

  y            = rmsnorm(x, eps) at "final"
  logits[t, v] = sum(d) y[t, d] * E[v, d]
  public next  = argmax(v) logits[T - 1, v]
}`;

const fixed = { bits: 16, frac: 10 };
const { uncalibrated } = checkText(text, { forProof: false });
const calibration = Object.fromEntries(uncalibrated.map(({ key }) => [key, fixed]));
const compiled = compile({ text, source: 'llama.zkl', resolveImport, calibration });
const bundle = compiled.bundle ?? new Uint8Array();
const program = compiled.tensors as TensorProgram;

/** WeightMap of about unit gain from a small generator. */
function weightsOf(source: string, seed: number): WeightMap {
  let state = seed;
  const uniform = (): number => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 30 - 1;
  const tensors = decodeBundle(bundle).gadgets.sources.find((s) => s.name === source)?.tensors ?? [];
  return new Map(
    tensors.map((t) => {
      const shape = t.axes.map((a) => a.length);
      const gain = shape.length === 1 ? 0.1 : t.name === 'embed' ? 1.5 : 1.5 / Math.sqrt(shape[1]);
      const values = Float64Array.from({ length: shape.reduce((n, d) => n * d, 1) }, () => gain * uniform());
      return [t.name, { shape, values: shape.length === 1 ? values.map((v) => 1 + v) : values }] as const;
    }),
  );
}

/** What the interpreter says the next token is. */
function expected(weights: ReadonlyMap<string, WeightMap>, tokens: readonly number[]): bigint {
  const inputs = new Map(
    program.tensors
      .filter((t) => t.role === 'input')
      .map((t) => {
        const { file, type, shape } = t;
        const floats = file
          ? file.names.flatMap((n) => Array.from(weights.get(file.source)?.get(n)?.values ?? []))
          : tokens;
        const scale = type?.kind === 'fixed' ? 2 ** type.frac : 1;
        return [t.id, { shape, values: Array.from(floats, (v) => BigInt(Math.floor(v * scale + 0.5))) }] as const;
      }),
  );
  const next = program.tensors.find((t) => t.name === 'next');
  const [value] = interpret(program, inputs).get(next?.id ?? -1)?.values ?? [];
  return value;
}

describe('a small LLaMA', () => {
  test('proves its next token; the interpreter, another base, other weights and wrong tokens agree or are refused', async () => {
    expect(compiled.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
    const weights = new Map(['base', 'adapter'].map((s, i) => [s, weightsOf(s, 7 + i)] as const));
    const files = new Map<string, CommittedFiles>();
    for (const [source, w] of weights)
      files.set(source, await commit(bundle, source, w, { device, entropy: entropyOf(3) }));
    const [base, adapter] = ['base', 'adapter'].map(
      (s) => files.get(s) ?? { commitment: bundle, opening: bundle, digest: bundle },
    );

    // An open commitment depends on the weights alone, and whoever has them checks it.
    const again = await commit(bundle, 'base', weightsOf('base', 7), { device, entropy: entropyOf(4) });
    expect(again.commitment).toEqual(base.commitment);
    expect((await checkOpenCommitment(bundle, base.commitment, weightsOf('base', 7), { device })).ok).toBe(true);
    expect((await checkOpenCommitment(bundle, base.commitment, weightsOf('base', 9), { device })).ok).toBe(false);

    const prover = await createProver(bundle, {
      device,
      sources: [...weights].map(([source, w]) => ({
        source,
        weights: w,
        opening: files.get(source)?.opening ?? bundle,
      })),
    });
    const tokens = [3, 10, 0, 7, 7];
    const { proof, publics } = await prover.prove(new Map([['tokens', tokens]]));
    expect([...publics.keys()]).toEqual(['next']);
    expect(BigInt(publics.get('next')?.[0] ?? -1)).toBe(expected(weights, tokens));

    // Nobody has checked the base's commitment yet.
    const unchecked = await createVerifier(bundle, { device });
    for (const { commitment } of [base, adapter]) expect(await unchecked.register(commitment)).toEqual({ ok: true });
    expect(await unchecked.verify(proof)).toMatchObject({ ok: false, verdict: 'unverified', sources: ['base'] });
    unchecked.close();

    const verifier = await createVerifier(bundle, { device, expect: { sources: { base: base.digest } } });
    expect(await verifier.register(base.commitment)).toEqual({ ok: true });
    expect(await verifier.register(adapter.commitment)).toEqual({ ok: true });
    expect((await verifier.verify(proof)).ok).toBe(true);
    const changed = proof.slice();
    changed[proof.length - 40] ^= 1;
    expect((await verifier.verify(changed)).ok).toBe(false);
    const other = await commit(bundle, 'base', weightsOf('base', 9), { device });
    expect((await verifier.register(other.commitment)).ok).toBe(false);
    verifier.close();
    const trusting = await createVerifier(bundle, { device, expect: { sources: { base: { basis: 'trusted' } } } });
    expect(await trusting.register(other.commitment)).toEqual({ ok: true });
    expect(await trusting.register(adapter.commitment)).toEqual({ ok: true });
    expect(await trusting.verify(proof)).toMatchObject({ ok: false, reason: 'the proof is for another commitment' });
    trusting.close();

    await expect(prover.prove(new Map([['tokens', [3, 11, 0, 7, 7]]]))).rejects.toThrow(ValueError);
  });
});
