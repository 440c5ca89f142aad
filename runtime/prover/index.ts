/**
 * The prover's side of the library: commit to weights once, prove outputs for activations.
 *
 * @example
 * const { commitment, opening } = await commit(bundle, 'adapter', weights, { device });
 * const prover = await createProver(bundle, { device, sources: [{ opening, weights }] });
 * const { proof } = await prover.prove(new Map([['x', activations]]));
 *
 * Any number of calls may be made at once: those on one device run one after the other, in the order of the calls.
 *
 * @module
 */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { decodeCommitment, decodeOpening, encodeCommitment, encodeOpening, encodeProof } from '../codec/files.ts';
import type { Device } from '../device/device.ts';
import { constant, mul as times, table } from '../kernels/expression.ts';
import type { IntegerArray } from '../protocol/statement/integers.ts';
import { neg } from '../protocol/scalar.ts';
import { commitmentDigest, printSource, sha256 } from '../protocol/statement/statement.ts';
import { quantise, ValueError } from '../quantise.ts';
import { requireInputs, requireWeights } from '../../compiler/ir/arguments.ts';
import { reading } from '../../compiler/ir/errors.ts';
import type { ProverHooks } from './argument.ts';
import { checkCommit, checkOpenCheck, checkProve, checkProver } from './arguments.ts';
import { planned } from './planned.ts';
import { proveProgram, type OpenedSource } from './program.ts';
import type { OnProgress } from './progress.ts';
import { freshEntropy } from './randomness.ts';
import {
  blindingSeed,
  commitOpen,
  commitSource,
  layMatrix,
  matrixDigest,
  rowBlindings,
  type MatrixEntries,
} from './commitment/range.ts';

export { HiddenValueError, ValueError } from '../quantise.ts';
export type { ProverHooks } from './argument.ts';
export { SelfCheckError } from './self-check.ts';
export type { OnProgress, ProofPhase, ProofProgress } from './progress.ts';

/** A source's tensors by checkpoint name, as floats, row-major. */
export type Weights = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: ArrayLike<number> }>;

export interface CommitOptions {
  readonly device: Device;
  /** 32 bytes; fresh ones if left out. Fixed entropy is for tests that compare bytes. */
  readonly entropy?: Uint8Array;
  readonly hooks?: ProverHooks;
  /** As in `ProverOptions`. */
  readonly treeMemory?: number | undefined;
}

/** Two files: the commitment to publish, and the opening to keep. */
export interface CommittedFiles {
  readonly commitment: Uint8Array;
  readonly opening: Uint8Array;
  /** Names the commitment, as verifiers expect it. */
  readonly digest: Uint8Array;
}

/**
 * Commits to all tensors that the program takes from `sourceName`. Secret ones with blindings, which follow from the seed
 * in the opening, and a range proof; open ones without either, so that everybody who has the weights gets the same bytes.
 * @throws ValueError if a tensor is missing, has another shape, or an entry outside its type
 */
export async function commit(
  bundleBytes: Uint8Array,
  sourceName: string,
  weights: Weights,
  options: CommitOptions,
): Promise<CommittedFiles> {
  checkCommit(bundleBytes, sourceName, options);
  const source = sourceNamed(decodeBundle(bundleBytes), sourceName);
  const entropy = options.entropy ?? freshEntropy();
  const entries = layMatrix(source, quantiseSource(source, weights));
  const layout = sha256(new TextEncoder().encode(printSource(source)));
  if (source.open) {
    const points = await options.device.exclusive(() => commitOpen(options.device, source, entries));
    const digest = commitmentDigest(source, points);
    return {
      commitment: encodeCommitment({ source: source.name, layout, points, rangeProof: new Uint8Array(0) }),
      opening: encodeOpening({ commitment: digest, matrix: matrixDigest(entries), seed: new Uint8Array(32) }),
      digest,
    };
  }
  const seed = blindingSeed(entropy, layout, entries);
  const { points, rangeProof } = await options.device.exclusive(() =>
    commitSource(
      options.device,
      source,
      entries,
      rowBlindings(source, seed),
      entropy,
      options.hooks,
      options.treeMemory,
    ),
  );
  const digest = commitmentDigest(source, points);
  return {
    commitment: encodeCommitment({ source: source.name, layout, points, rangeProof }),
    opening: encodeOpening({ commitment: digest, matrix: matrixDigest(entries), seed }),
    digest,
  };
}

/**
 * Whether a published commitment to open tensors is the one to these weights: a random combination of its rows against
 * that of the weights, which costs a second where committing costs minutes. Accepts another one with probability 2^-128.
 * @throws ValueError if the weights do not fit the program; CodecError if the bytes are no commitment
 */
export async function checkOpenCommitment(
  bundleBytes: Uint8Array,
  commitment: Uint8Array,
  weights: Weights,
  options: Pick<CommitOptions, 'device'>,
): Promise<{ readonly ok: true; readonly digest: Uint8Array } | { readonly ok: false; readonly reason: string }> {
  checkOpenCheck(bundleBytes, commitment, options);
  const { device } = options;
  const file = reading('commitment', () => decodeCommitment(commitment));
  const source = sourceNamed(decodeBundle(bundleBytes), file.source);
  if (!source.open)
    throw new ValueError(`"${source.name}" is secret: only its owner can open its commitment`, {
      tensor: source.name,
      problem: { kind: 'secret' },
    });
  const layout = sha256(new TextEncoder().encode(printSource(source)));
  if (!layout.every((b, i) => b === file.layout[i]))
    return { ok: false, reason: 'it is for tensors of other names, shapes or types than this program uses' };
  const entries = layMatrix(source, quantiseSource(source, weights));
  const verdict = await device.exclusive(() => combinesTo(device, source, file.points, entries));
  return verdict === undefined
    ? { ok: true, digest: commitmentDigest(source, file.points) }
    : { ok: false, reason: verdict };
}

/** The reason why the points are not the rows' commitments, if they are not. */
const combinesTo = (
  device: Device,
  source: CommittedSource,
  points: Uint8Array,
  entries: MatrixEntries,
): Promise<string | undefined> =>
  device.scope(async () => {
    if (points.length !== 48 * source.rows) return `it has ${points.length} bytes of points, not ${48 * source.rows}`;
    const rows = await device.decodePoints(points);
    if ('bad' in rows) return `its row ${rows.bad} is no valid point (${rows.reason})`;
    // One call a row: the platform gives at most 65,536 bytes at once, and large models have more rows than that.
    const random = (): bigint => {
      const [hi, lo] = crypto.getRandomValues(new BigUint64Array(2));
      return (hi << 64n) | lo;
    };
    const scalars = device.frVector(Array.from({ length: source.rows }, random));
    const combined = device.contract(device.intVector(entries), [1, source.rows, source.columns], scalars);
    const negative = device.map(device.prepare(times(constant(0), table(0))), [combined], [neg(1n)], source.columns);
    const sum = await device.msm([
      { points: rows, scalars },
      { points: await device.generators(source.columns), scalars: negative },
    ]);
    const isInfinity = sum[0] === 0xc0 && sum.subarray(1).every((b) => b === 0);
    return isInfinity ? undefined : 'it is a commitment to other weights';
  });

function sourceNamed(bundle: Bundle, name: string): CommittedSource {
  const source = bundle.gadgets.sources.find((s) => s.name === name);
  if (source) return source;
  const names = bundle.gadgets.sources.map((s) => `"${s.name}"`).join(', ');
  throw new ValueError(`the program takes no tensors from "${name}"; its sources: ${names || 'none'}`, {
    tensor: name,
    problem: { kind: 'unknown', known: bundle.gadgets.sources.map((s) => s.name) },
  });
}

/** @param secret whether the weights are for others not to see: errors then do not say their numbers */
function quantiseSource(source: CommittedSource, weights: Weights, secret = false): IntegerArray[] {
  const names = source.tensors.map((t) => t.name);
  requireWeights('weights', weights, names);
  return source.tensors.map((t) => {
    const given = weights.get(t.name);
    if (!given)
      throw new ValueError(`the weights have no tensor "${t.name}", which the program takes from "${source.name}"`, {
        tensor: t.name,
        problem: { kind: 'missing' },
      });
    const shape = t.axes.map((a) => a.length);
    if (given.shape.join() !== shape.join())
      throw new ValueError(
        `"${t.name}" has shape [${given.shape.join(', ')}] in the weights, the program declares [${shape.join(', ')}]`,
        { tensor: t.name, problem: { kind: 'shape', expected: shape, given: given.shape } },
      );
    return quantise(t.name, shape, { kind: 'fixed', bits: t.bits, frac: t.frac }, given.values, secret);
  });
}

export interface ProverOptions {
  readonly device: Device;
  /**
   * Bytes of the device's memory that the lookups' tree may take; default: three quarters of what is free. With less,
   * parts of it are computed again when they are needed. Proofs are the same.
   */
  readonly treeMemory?: number | undefined;
  /** One per source of the program, in any order. */
  readonly sources: readonly { readonly source?: string; readonly opening: Uint8Array; readonly weights: Weights }[];
}

export interface ProveOptions {
  /** What the application wants the proof bound to; default empty. */
  readonly context?: Uint8Array;
  readonly entropy?: Uint8Array;
  readonly hooks?: ProverHooks;
  /** Whether the proof is verified before it is returned; default true. It takes about as long as a verification. */
  readonly check?: boolean;
  /** Hears how far the proof is, in its thread, some dozens of times. */
  readonly progress?: OnProgress;
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
  /**
   * Public inputs, and secret ones that come from no source, by name, as floats, row-major.
   * @throws ValueError; SelfCheckError where the verifier does not accept what was made
   */
  prove(inputs: ReadonlyMap<string, ArrayLike<number>>, options?: ProveOptions): Promise<Proved>;
}

/** @throws ValueError if weights do not fit the program, or an opening does not fit the weights */
export async function createProver(bundleBytes: Uint8Array, options: ProverOptions): Promise<Prover> {
  const { device, sources, treeMemory } = checkProver(bundleBytes, options);
  const bundle = decodeBundle(bundleBytes);
  const program = bundle.gadgets;
  const argument = await planned(program);
  for (const { source } of sources) if (source !== undefined) sourceNamed(bundle, source);
  const opened = program.sources.map((source): OpenedSource => {
    const given =
      sources.find((s) => s.source === source.name) ?? (program.sources.length === 1 ? sources[0] : undefined);
    if (!given)
      throw new ValueError(`no weights and opening for the source "${source.name}"`, {
        tensor: source.name,
        problem: { kind: 'missing' },
      });
    return openSource(source, given.opening, given.weights);
  });

  const prove = async (inputs: ReadonlyMap<string, ArrayLike<number>>, options: ProveOptions = {}): Promise<Proved> => {
    checkProve(options);
    const context = options.context ?? new Uint8Array(0);
    const request = {
      program,
      programDigest: bundle.digest,
      argument,
      context,
      sources: opened,
      inputs: quantiseInputs(bundle, inputs),
      entropy: options.entropy ?? freshEntropy(),
      hooks: options.hooks,
      progress: options.progress,
      treeMemory,
      check: options.check ?? true,
    };
    const { publics, body } = await device.exclusive(() => proveProgram(device, request));
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
  const opening = reading('opening', () => decodeOpening(openingBytes));
  const tensors = quantiseSource(source, weights, !source.open);
  const entries = layMatrix(source, tensors);
  const matrix = matrixDigest(entries);
  if (!matrix.every((b, i) => b === opening.matrix[i]))
    throw new ValueError(
      `the weights of "${source.name}" are not the ones this opening was made for: commit to them again`,
      { tensor: source.name, problem: { kind: 'opening' } },
    );
  const blindings = source.open ? Array.from({ length: source.rows }, () => 0n) : rowBlindings(source, opening.seed);
  return { tensors, entries, matrix, blindings, digest: opening.commitment };
}

function quantiseInputs(bundle: Bundle, inputs: ReadonlyMap<string, ArrayLike<number>>): Map<number, IntegerArray> {
  const { gadgets } = bundle;
  const publics = gadgets.publics.filter((id) => gadgets.tensors[id].class.kind === 'input');
  const wanted = [...publics, ...gadgets.secrets];
  const names = new Set(wanted.map((id) => gadgets.tensors[id].name));
  requireInputs('inputs', inputs);
  for (const name of inputs.keys())
    if (!names.has(name))
      throw new ValueError(`the program has no input "${name}"; it has ${[...names].join(', ') || 'none'}`, {
        tensor: name,
        problem: { kind: 'unknown', known: [...names] },
      });
  return new Map(
    wanted.map((id) => {
      const t = gadgets.tensors[id];
      const values = inputs.get(t.name);
      if (!values)
        throw new ValueError(`the input "${t.name}" of shape [${t.shape.join(', ')}] is missing`, {
          tensor: t.name,
          problem: { kind: 'missing' },
        });
      if (!t.type) throw new Error(`internal error: the input ${t.name} has no type`);
      return [id, quantise(t.name, t.shape, t.type, values, gadgets.secrets.includes(id))] as const;
    }),
  );
}
