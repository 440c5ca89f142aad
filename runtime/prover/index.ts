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
import type { CommittedSource, GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import { decodeOpening, encodeProof, type OpeningFile } from '../codec/files.ts';
import { outputPoints } from '../protocol/program.ts';
import type { Device } from '../device/device.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { dequantise, quantise } from '../integers/quantise.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import { powerOfTwo } from '../../compiler/ir/numbers/rational.ts';
import type { WeightMap, Weights } from '../weights.ts';
import { requireInputs } from '../../compiler/ir/arguments.ts';
import { reading } from '../../compiler/ir/errors.ts';
import type { ProverHooks } from './argument.ts';
import { checkProve, checkProver } from './options.ts';
import { rowBlindings } from './commitment/source-matrix.ts';
import { outputFiles, sourceNamed, type CommittedFiles } from './commit.ts';
import type { OpenedOutput } from './commitment/output.ts';
import { planned } from './planned.ts';
import { proveProgram, type OpenedSource } from './program.ts';
import type { OnProgress } from './progress.ts';
import { freshEntropy } from './randomness.ts';
import { openWeights, readIntegers } from './weights.ts';

export {
  checkOpenCommitment,
  commit,
  commitKnown,
  commitOutput,
  openingAs,
  type CommitOptions,
  type CommittedFiles,
} from './commit.ts';
export { HiddenValueError } from '../integers/errors.ts';
export { ValueError } from '../../compiler/ir/errors.ts';
export type { ProverHooks } from './argument.ts';
export { SelfCheckError } from './self-check.ts';
export type { OnProgress, ProofPhase, ProofProgress } from './progress.ts';
export type { WeightMap, Weights } from '../weights.ts';

export interface ProverOptions {
  readonly device: Device;
  /**
   * Bytes of the device's memory that the lookups' tree may take; default: 60 for each of its leaves, or 512 MiB if that is more, and
   * three quarters of what is free at most. With less, parts of it are computed again when they are needed. Proofs are the same.
   */
  readonly treeMemory?: number | undefined;
  /** One per source of the program, in any order. */
  readonly sources: readonly {
    readonly source?: string;
    readonly opening: Uint8Array;
    readonly weights: Weights | WeightMap;
  }[];
}

export interface ProveOptions {
  /** What the application wants the proof bound to; default empty. */
  readonly context?: Uint8Array;
  readonly entropy?: Uint8Array;
  /** Openings of secret outputs that were made before (`commitOutput`, or an earlier proof), by name; fresh ones are made of the others. */
  readonly outputs?: ReadonlyMap<string, Uint8Array>;
  /** Sources that are others in this proof than those that the prover was made with, by name: the state of a step, for instance. */
  readonly sources?: ReadonlyMap<string, { readonly opening: Uint8Array; readonly weights: Weights | WeightMap }>;
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
  /** The commitments that the proof makes, by name. */
  readonly outputs: ReadonlyMap<string, ProvedOutput>;
}

/** What leaves a proof as a commitment: what is published of it, and what its owner keeps. */
export interface ProvedOutput extends CommittedFiles {
  /** Its tensors, exactly: with the opening they are a later proof's source. */
  readonly weights: WeightMap;
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
  const opened: OpenedSource[] = [];
  for (const source of program.sources) {
    const given =
      sources.find((s) => s.source === source.name) ?? (program.sources.length === 1 ? sources[0] : undefined);
    if (!given)
      throw new ValueError(`no weights and opening for the source "${source.name}"`, {
        tensor: source.name,
        problem: { kind: 'missing' },
      });
    opened.push(await openSource(source, given.opening, given.weights));
  }

  const prove = async (inputs: ReadonlyMap<string, ArrayLike<number>>, options: ProveOptions = {}): Promise<Proved> => {
    checkProve(options);
    const context = options.context ?? new Uint8Array(0);
    // Read from now on, and waited for when it is this call's turn: calls take turns in the order in which they were made.
    const read = Promise.all(
      program.sources.map(async (source, i) => {
        const given = options.sources?.get(source.name);
        return given === undefined ? opened[i] : openSource(source, given.opening, given.weights);
      }),
    );
    read.catch(() => undefined);
    const request = {
      program,
      programDigest: bundle.digest,
      argument,
      context,
      inputs: quantiseInputs(bundle, inputs),
      outputs: givenOutputs(program, options.outputs ?? new Map()),
      entropy: options.entropy ?? freshEntropy(),
      hooks: options.hooks,
      progress: options.progress,
      treeMemory,
      check: options.check ?? true,
    };
    const { publics, body, outputs, own } = await device.exclusive(async () => {
      const sources = await read;
      return { ...(await proveProgram(device, { ...request, sources })), own: sources };
    });
    const commitments = own.map((s) => s.digest);
    const digests = outputs.map((o) => o.opening.commitment);
    const proof = encodeProof(program, {
      program: bundle.digest,
      commitments,
      outputs: digests,
      context,
      publics,
      body,
    });
    return {
      proof,
      publics: new Map([...publics].map(([id, v]) => [program.tensors[id].name, v] as const)),
      proofBytes: body.length,
      outputs: provedOutputs(program, outputs, body),
    };
  };
  return { bundle, prove };
}

function givenOutputs(program: GadgetProgram, given: ReadonlyMap<string, Uint8Array>): Map<string, OpeningFile> {
  const known = (program.outputs ?? []).map((o) => o.name);
  return new Map(
    [...given].map(([name, bytes]) => {
      if (!known.includes(name))
        throw new ValueError(`the program has no secret output "${name}"; it has ${known.join(', ') || 'none'}`, {
          tensor: name,
          problem: { kind: 'unknown', known },
        });
      return [name, reading('opening', () => decodeOpening(bytes))] as const;
    }),
  );
}

function provedOutputs(
  program: GadgetProgram,
  outputs: readonly OpenedOutput[],
  body: Uint8Array,
): Map<string, ProvedOutput> {
  const points = outputPoints(program, body);
  return new Map(
    (program.outputs ?? []).map((layout, k) => {
      const { opening, tensors } = outputs[k];
      const weights = new Map(
        layout.tensors.map(({ name, axes, frac }, i) => {
          const values = dequantise({ scale: powerOfTwo(-frac) }, tensors[i]);
          return [name, { shape: axes.map((a) => a.length), values }] as const;
        }),
      );
      return [layout.name, { ...outputFiles(layout, { opening, points: points[k].slice() }), weights }] as const;
    }),
  );
}

async function openSource(
  source: CommittedSource,
  openingBytes: Uint8Array,
  weights: Weights | WeightMap,
): Promise<OpenedSource> {
  const opening = reading('opening', () => decodeOpening(openingBytes));
  const { tensors, matrix } = await readIntegers(source, openWeights(source, weights), !source.open);
  if (!matrix.every((b, i) => b === opening.matrix[i]))
    throw new ValueError(
      `the weights of "${source.name}" are not the ones this opening was made for: commit to them again`,
      { tensor: source.name, problem: { kind: 'opening' } },
    );
  return { tensors, matrix, blindings: rowBlindings(source, opening.seed), digest: opening.commitment };
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
