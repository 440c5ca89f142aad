/** Proves a program: evaluates it, and runs its protocol as the prover. */
import type { GadgetProgram } from '../../compiler/ir/gadget/program.ts';
import type { Device, IntVector } from '../device/device.ts';
import { encodeBody, type Argument } from '../protocol/argument.ts';
import type { OpeningFile } from '../codec/files.ts';
import { discard, type IntegerArray } from '../integers/arrays.ts';
import { isOutput } from '../../compiler/ir/gadget/walk.ts';
import type { MatrixEntries } from '../protocol/commitment/matrix.ts';
import { outputDigests, programProtocol, publicDigests, type ProgramRole } from '../protocol/program.ts';
import { upload, type DeviceTensor } from '../protocol/statement/publics.ts';
import { programTranscript, statementDigest } from '../protocol/statement/statement.ts';
import { scalarBytes } from '../protocol/transcript.ts';
import { proveArgument, type ProverHooks } from './argument.ts';
import { checkOpened, openOutputs, type OpenedOutput } from './commitment/output.ts';
import { matrixOn, type ProverMatrix } from './commitment/rows.ts';
import { fractionProver } from './lookup/fraction-tree.ts';
import { Held, type HeldValue } from './held.ts';
import { levelProver } from './sumcheck/claim-reduction.ts';
import { lookUp, tensorLeaves, type LookedUp } from './lookup/tensor-lookups.ts';
import { ProgressMeter, proofCosts, type OnProgress } from './progress.ts';
import { Randomness } from './randomness.ts';
import { selfCheck } from './self-check.ts';
import { matrixDigest } from './commitment/source-matrix.ts';
import { evaluateProgram, type Witness } from '../evaluate/witness/witness.ts';
import { ownEntries } from './commitment/witness-matrix.ts';
import { combineSource } from './weights.ts';

/** What the owner of a source keeps: its tensors, a digest of their matrix, the blindings of its rows, and the commitment's digest. */
export interface OpenedSource {
  /** Row-major integers of each of the source's tensors, in the order of its layout. */
  readonly tensors: readonly IntegerArray[];
  /** `matrixDigest` of the matrix of the tensors. */
  readonly matrix: Uint8Array;
  readonly blindings: readonly bigint[];
  readonly digest: Uint8Array;
}

export interface ProofRequest {
  readonly program: GadgetProgram;
  readonly programDigest: Uint8Array;
  readonly argument: Argument;
  readonly context: Uint8Array;
  /** One per source of the program. */
  readonly sources: readonly OpenedSource[];
  /** Public inputs, and secret ones that no source commits, by tensor, row-major. */
  readonly inputs: ReadonlyMap<number, IntegerArray>;
  /** Openings of outputs that were made before, by name. */
  readonly outputs?: ReadonlyMap<string, OpeningFile>;
  readonly entropy: Uint8Array;
  readonly hooks?: ProverHooks;
  readonly progress?: OnProgress;
  /** Bytes that the lookups' tree may take; default: a share of what the device has free. */
  readonly treeMemory?: number | undefined;
  /** Whether to verify the proof. */
  readonly check?: boolean;
}

export interface ProvedProgram {
  readonly publics: ReadonlyMap<number, IntegerArray>;
  readonly body: Uint8Array;
  /** One of each output of the program. */
  readonly outputs: readonly OpenedOutput[];
}

/** Every input has to be inside its range. @throws SelfCheckError where `check` finds the proof wrong */
export async function proveProgram(device: Device, request: ProofRequest): Promise<ProvedProgram> {
  const { program, argument, sources } = request;
  const meter = new ProgressMeter(proofCosts(program), request.progress);
  return device.scope(async () => {
    await device.prepareGenerators(argument.columns + 1);
    const inputs = new Map(request.inputs);
    for (const [id, values] of committedInputs(program, sources)) inputs.set(id, values);
    const witness = await evaluateProgram(device, program, inputs);
    const publics = new Map(program.publics.map((id) => [id, witness.entries(id)] as const));
    const looked = lookUp(program, witness);
    const own = ownEntries(program, witness, looked);
    const outputs = await openOutputs(device, program, witness, request.outputs ?? new Map(), request.entropy);
    await meter.advance('evaluate', 1);

    const statement = {
      program: request.programDigest,
      context: request.context,
      commitments: sources.map((s) => s.digest),
      publics: publicDigests(program, publics),
    };
    const secrets = sources.flatMap((s) => [s.matrix, ...s.blindings.slice(0, 1).map(scalarBytes)]);
    const randomness = new Randomness(
      'proof',
      request.entropy,
      statementDigest(statement),
      ...secrets,
      ...own.map(matrixDigest),
      // With the same entropy again, another output's proof has other pads.
      ...outputs.map((o) => o.opening.commitment),
    );
    const matrices = proverMatrices(device, program, sources, own, randomness, outputs);
    const held = new Held(device);
    const role = proverRole(device, program, witness, looked, held, {
      meter,
      treeMemory: request.treeMemory,
      uploaded: () => discard(looked.values),
    });
    const body = await proveArgument(
      device,
      argument,
      programTranscript(statement),
      matrices,
      randomness,
      async (ctx) => {
        await meter.advance('commit', 1);
        await programProtocol(ctx, program, role);
        // What is left is the matrices' part.
        held.releaseAll();
        await meter.advance('equations', 1);
      },
      request.hooks,
    ).finally(() => held.releaseAll());
    await meter.advance('close', 1);
    const encoded = encodeBody(argument, body);
    if (request.check) {
      const { program, programDigest, context } = request;
      const about = { program, programDigest, argument, context, publics, body: encoded };
      await selfCheck(device, { ...about, sources, matrices });
    }
    checkOpened(program, outputs, outputDigests(program, encoded));
    return { publics, body: encoded, outputs };
  });
}

/** The sources' matrices, then the proof's own and its outputs', whose entries are given up once they are on the device. */
export function proverMatrices(
  device: Device,
  program: GadgetProgram,
  sources: readonly Pick<OpenedSource, 'tensors' | 'blindings'>[],
  own: readonly Int32Array[],
  randomness: Randomness,
  outputs: readonly Pick<OpenedOutput, 'entries' | 'blindings'>[] = [],
): ProverMatrix[] {
  const uploaded = (entries: MatrixEntries): (() => IntVector) => {
    let vector: IntVector | undefined;
    return () => {
      if (vector === undefined) {
        vector = device.intVector(entries);
        discard([entries]);
      }
      return vector;
    };
  };
  const registered = sources.map(({ tensors, blindings }, i): ProverMatrix => {
    const source = program.sources[i];
    const { rows, columns } = source;
    return { rows, columns, blindings, combine: (of) => combineSource(device, source, tensors, of) };
  });
  return [
    ...registered,
    ...own.map((entries) => {
      const { witnessRows: rows, columns } = program;
      return matrixOn(device, { rows, columns, blindings: randomness.scalars(rows) }, uploaded(entries));
    }),
    ...(program.outputs ?? []).map(({ rows, columns }, k) =>
      matrixOn(device, { rows, columns, blindings: outputs[k].blindings }, uploaded(outputs[k].entries)),
    ),
  ];
}

export interface RoleOptions {
  readonly meter?: ProgressMeter | undefined;
  /** Bytes for the tree of lookups. */
  readonly treeMemory?: number | undefined;
  /** Told when what is looked up is on the device: nothing reads it any more. */
  readonly uploaded?: () => void;
}

/** What the prover computes of a program, given its witness. */
export function proverRole(
  device: Device,
  program: GadgetProgram,
  witness: Witness,
  looked: LookedUp,
  held: Held,
  { meter, treeMemory, uploaded: done }: RoleOptions = {},
): ProgramRole {
  let level = 0;
  /** Of the current level: weights are large, and most are for one level. */
  const uploaded = new Map<number, Promise<HeldValue<DeviceTensor>>>();
  const tensors = async (id: number): Promise<DeviceTensor> => {
    const v = uploaded.get(id) ?? held.make(() => upload(device, witness.entries(id)));
    uploaded.set(id, v);
    return (await v).value;
  };
  return {
    indices: (id) => witness.entries(id),
    evaluate: () => undefined,
    evaluateView: () => undefined,
    evaluateTable: () => undefined,
    tree: fractionProver(device, () => tensorLeaves(program, witness, looked), held, {
      memory: treeMemory,
      uploaded: (leaves) => {
        discard([leaves.numeratorIndex, leaves.denominatorIndex]);
        done?.();
      },
      progress: async (part) => meter?.advance('lookups', part),
    }),
    async prover(stacks) {
      await meter?.advance('equations', level++ / program.levels);
      for (const tensor of uploaded.values()) (await tensor).release();
      uploaded.clear();
      return levelProver(device, program, tensors, stacks, held);
    },
  };
}

/** The declared tensors that sources commit to: their files, stacked along the leading axes. */
export function committedInputs(
  program: GadgetProgram,
  sources: readonly Pick<OpenedSource, 'tensors'>[],
): [number, IntegerArray][] {
  return program.tensors.flatMap((t, id): [number, IntegerArray][] => {
    if (t.class.kind !== 'committed' || isOutput(program, t.class)) return [];
    const { source, files } = t.class;
    const parts = files.map((f) => sources[source].tensors[f]);
    return [[id, parts.length === 1 ? parts[0] : concatenate(parts)]];
  });
}

function concatenate(parts: readonly IntegerArray[]): IntegerArray {
  const length = parts.reduce((n, p) => n + p.length, 0);
  const like = parts[0];
  if (Array.isArray(like)) return parts.flatMap((p) => Array.from(p, BigInt));
  const out = new (like.constructor as new (n: number) => Int16Array)(length);
  let at = 0;
  for (const p of parts) {
    out.set(p as Int16Array, at);
    at += p.length;
  }
  return out;
}
