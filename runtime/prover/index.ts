/**
 * The prover's side of the library: commit to weights once, prove outputs for activations.
 *
 * @example
 * const { commitment, opening } = await commit(bundle, 'adapter', weights, { device });
 * const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
 * const { proof } = await prover.prove(new Map([['x', activations]]));
 *
 * @module
 */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import type { CommittedSource } from '../../compiler/gadget/program.ts';
import { decodeOpening, encodeCommitment, encodeOpening, encodeProof } from '../codec/files.ts';
import type { Device } from '../device/device.ts';
import type { IntegerArray } from '../protocol/integers.ts';
import { planProgram } from '../protocol/program.ts';
import { commitmentDigest, printSource, sha256 } from '../protocol/statement.ts';
import { quantise, ValueError } from '../quantise.ts';
import type { ProverHooks } from './argument.ts';
import { proveProgram, type OpenedSource } from './program.ts';
import { freshEntropy } from './randomness.ts';
import { blindingSeed, commitSource, layMatrix, matrixDigest, rowBlindings } from './range.ts';

export { ValueError } from '../quantise.ts';
export type { ProverHooks } from './argument.ts';

/** A source's tensors by checkpoint name, as floats, row-major. */
export type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: ArrayLike<number> }>;

export interface CommitOptions {
  readonly device: Device;
  /** 32 bytes; fresh ones if left out. Fixed entropy is for tests that compare bytes. */
  readonly entropy?: Uint8Array;
  readonly hooks?: ProverHooks;
}

/** Two files: the commitment to publish, and the opening to keep. */
export interface CommittedFiles {
  readonly commitment: Uint8Array;
  readonly opening: Uint8Array;
}

/**
 * Commits to all tensors that the program takes from `sourceName`.
 * @throws ValueError if a tensor is missing, has another shape, or an entry outside its type
 */
export async function commit(
  bundleBytes: Uint8Array,
  sourceName: string,
  weights: Weights,
  options: CommitOptions,
): Promise<CommittedFiles> {
  const source = sourceNamed(decodeBundle(bundleBytes), sourceName);
  const entropy = options.entropy ?? freshEntropy();
  const entries = layMatrix(source, quantiseSource(source, weights));
  const layout = sha256(new TextEncoder().encode(printSource(source)));
  const seed = blindingSeed(entropy, layout, entries);
  const { points, rangeProof } = await commitSource(
    options.device,
    source,
    entries,
    rowBlindings(source, seed),
    entropy,
    options.hooks,
  );
  return {
    commitment: encodeCommitment({ source: source.name, layout, points, rangeProof }),
    opening: encodeOpening({ commitment: commitmentDigest(source, points), matrix: matrixDigest(entries), seed }),
  };
}

function sourceNamed(bundle: Bundle, name: string): CommittedSource {
  const source = bundle.gadgets.sources.find((s) => s.name === name);
  if (source) return source;
  const names = bundle.gadgets.sources.map((s) => `"${s.name}"`).join(', ');
  throw new ValueError(`the program takes no tensors from "${name}"; its sources: ${names || 'none'}`);
}

function quantiseSource(source: CommittedSource, weights: Weights): IntegerArray[] {
  return source.tensors.map((t) => {
    const given = weights.get(t.name);
    if (!given)
      throw new ValueError(`the weights have no tensor "${t.name}", which the program takes from "${source.name}"`);
    const shape = t.axes.map((a) => a.length);
    if (given.shape.join() !== shape.join())
      throw new ValueError(
        `"${t.name}" has shape [${given.shape.join(', ')}] in the weights, the program declares [${shape.join(', ')}]`,
      );
    return quantise(t.name, shape, { kind: 'fixed', bits: t.bits, frac: t.frac }, given.values);
  });
}

export interface ProverOptions {
  readonly device: Device;
  /** One per source of the program, in any order. */
  readonly sources: readonly { readonly source?: string; readonly opening: Uint8Array; readonly weights: Weights }[];
}

export interface ProveOptions {
  /** What the application wants the proof bound to; default empty. */
  readonly context?: Uint8Array;
  readonly entropy?: Uint8Array;
  readonly hooks?: ProverHooks;
}

export interface Proved {
  readonly proof: Uint8Array;
  /** All public tensors by name, as integers. */
  readonly publics: ReadonlyMap<string, IntegerArray>;
  /** Bytes of the proof besides the public tensors. */
  readonly proofBytes: number;
}

export interface Prover {
  readonly bundle: Bundle;
  /** Public inputs by name, as floats, row-major. @throws ValueError */
  prove(inputs: ReadonlyMap<string, ArrayLike<number>>, options?: ProveOptions): Promise<Proved>;
}

/** @throws ValueError if weights do not fit the program, or an opening does not fit the weights */
export async function createProver(bundleBytes: Uint8Array, { device, sources }: ProverOptions): Promise<Prover> {
  const bundle = decodeBundle(bundleBytes);
  const program = bundle.gadgets;
  const argument = await planProgram(program);
  const opened = program.sources.map((source): OpenedSource => {
    const given =
      sources.find((s) => s.source === source.name) ?? (program.sources.length === 1 ? sources[0] : undefined);
    if (!given) throw new ValueError(`no weights and opening for the source "${source.name}"`);
    return openSource(source, given.opening, given.weights);
  });

  const prove = async (inputs: ReadonlyMap<string, ArrayLike<number>>, options: ProveOptions = {}): Promise<Proved> => {
    const context = options.context ?? new Uint8Array(0);
    const { publics, body } = await proveProgram(device, {
      program,
      programDigest: bundle.digest,
      argument,
      context,
      sources: opened,
      inputs: quantiseInputs(bundle, inputs),
      entropy: options.entropy ?? freshEntropy(),
      hooks: options.hooks,
    });
    const commitments = opened.map((s) => s.digest);
    const proof = encodeProof(program, { program: bundle.digest, commitments, context, publics, body });
    return {
      proof,
      publics: new Map([...publics].map(([id, v]) => [program.tensors[id].name, v] as const)),
      proofBytes: body.length,
    };
  };
  return { bundle, prove };
}

function openSource(source: CommittedSource, openingBytes: Uint8Array, weights: Weights): OpenedSource {
  const opening = decodeOpening(openingBytes);
  const tensors = quantiseSource(source, weights);
  const entries = layMatrix(source, tensors);
  const matrix = matrixDigest(entries);
  if (!matrix.every((b, i) => b === opening.matrix[i]))
    throw new ValueError(
      `the weights of "${source.name}" are not the ones this opening was made for: commit to them again`,
    );
  return { tensors, entries, matrix, blindings: rowBlindings(source, opening.seed), digest: opening.commitment };
}

function quantiseInputs(bundle: Bundle, inputs: ReadonlyMap<string, ArrayLike<number>>): Map<number, IntegerArray> {
  const { gadgets } = bundle;
  const wanted = gadgets.publics.filter((id) => gadgets.tensors[id].class.kind === 'input');
  const names = new Set(wanted.map((id) => gadgets.tensors[id].name));
  for (const name of inputs.keys())
    if (!names.has(name))
      throw new ValueError(`the program has no public input "${name}"; it has ${[...names].join(', ') || 'none'}`);
  return new Map(
    wanted.map((id) => {
      const t = gadgets.tensors[id];
      const values = inputs.get(t.name);
      if (!values) throw new ValueError(`the public input "${t.name}" of shape [${t.shape.join(', ')}] is missing`);
      if (!t.type) throw new Error(`internal error: the input ${t.name} has no type`);
      return [id, quantise(t.name, t.shape, t.type, values)] as const;
    }),
  );
}
