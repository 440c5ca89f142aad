/** A small LoRA adapter of rank 3, as the files that people exchange. Rank 3 so that the matrix has slots outside its tensors. */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import { compile } from '../../compiler/index.ts';
import { decodeProof, encodeProof, type ProofFile } from '../../runtime/codec/files.ts';
import type { Device } from '../../runtime/device/device.ts';
import { decodeBody, encodeBody, type Argument } from '../../runtime/protocol/argument.ts';
import { planProgram } from '../../runtime/protocol/program.ts';
import type { ProofBody } from '../../runtime/protocol/commitment/sigma.ts';
import { commit, createProver, type WeightMap } from '../../runtime/prover/index.ts';
import { createVerifier, type Verifier } from '../../runtime/verifier/index.ts';
import { Draw, entropyOf } from '../kit/draw.ts';

export const text = (rank: number, alpha = 3): string => `
  model adapter at "h" {
    dim L = 2, T = 2, I = 5, O = 6, R = ${rank}
    const alpha = ${alpha}
    public x[L, T, I]: fixed<8, 4>
    secret A[l: L, R, I]: fixed<4, 2> from adapter "{l}.A"
    secret B[l: L, O, R]: fixed<4, 2> from adapter "{l}.B"
    u[l, t, r] = sum(i) x[l, t, i] * A[l, r, i]
    public y[l, t, o] = alpha / R * sum(r) u[l, t, r] * B[l, o, r]
  }`;

export const bundleOf = (source: string): Uint8Array => {
  const { bundle, diagnostics } = compile({ text: source, source: 'adapter.zkl', resolveImport: () => undefined });
  if (!bundle) throw new Error(diagnostics.map((d) => `${d.code} ${d.title}: ${d.label}`).join('\n'));
  return bundle;
};

export interface Files {
  readonly bundleBytes: Uint8Array;
  readonly bundle: Bundle;
  readonly argument: Argument;
  readonly commitment: Uint8Array;
  readonly proof: Uint8Array;
}

/** Random weights and activations of a bundle, committed to and proved. */
export async function makeFiles(device: Device, source: string, seed: number, context?: Uint8Array): Promise<Files> {
  const bundleBytes = bundleOf(source);
  const bundle = decodeBundle(bundleBytes);
  const draw = new Draw('files', seed);
  const floats = (count: number, bits: number, frac: number): Float64Array =>
    Float64Array.from(
      { length: count },
      () => Number(draw.integer({ lo: -(2n ** BigInt(bits - 1)), hi: 2n ** BigInt(bits - 1) - 1n })) / 2 ** frac,
    );
  const weights: WeightMap = new Map(
    bundle.gadgets.sources[0].tensors.map((t) => {
      const shape = t.axes.map((a) => a.length);
      return [
        t.name,
        {
          shape,
          values: floats(
            shape.reduce((n, d) => n * d, 1),
            t.bits,
            t.frac,
          ),
        },
      ] as const;
    }),
  );
  const { commitment, opening } = await commit(bundleBytes, 'adapter', weights, { device, entropy: entropyOf(seed) });
  const prover = await createProver(bundleBytes, { device, sources: [{ opening, weights }] });
  const { proof } = await prover.prove(new Map([['x', floats(20, 8, 4)]]), { context, entropy: entropyOf(seed + 1) });
  return { bundleBytes, bundle, argument: await planProgram(bundle.gadgets), commitment, proof };
}

/** A verifier that has the files' commitment. */
export async function verifierFor(device: Device, files: Pick<Files, 'bundleBytes' | 'commitment'>): Promise<Verifier> {
  const verifier = await createVerifier(files.bundleBytes, { device });
  const verdict = await verifier.register(files.commitment);
  if (!verdict.ok) throw new Error(verdict.reason);
  return verifier;
}

/** The proof file with its parts changed by `change`, and written again. */
export function withBody({ bundle, argument, proof }: Files, change: (body: ProofBody) => void): Uint8Array {
  const file = decodeProof(bundle.gadgets, proof);
  const body = decodeBody(argument, file.body.slice());
  if (typeof body === 'string') throw new Error(body);
  change(body);
  return encodeProof(bundle.gadgets, { ...file, body: encodeBody(argument, body) });
}

export function withFile({ bundle, proof }: Files, change: (file: ProofFile) => Partial<ProofFile>): Uint8Array {
  const file = decodeProof(bundle.gadgets, proof);
  return encodeProof(bundle.gadgets, { ...file, ...change(file) });
}
