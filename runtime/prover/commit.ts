/** Commits to a source's weights, and compares published commitments with open ones. */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import { reading, ValueError } from '../../compiler/ir/errors.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { decodeCommitment, decodeOpening, encodeCommitment, encodeOpening, type OpeningFile } from '../codec/files.ts';
import type { Device } from '../device/device.ts';
import type { IntegerArray } from '../integers/arrays.ts';
import { indexAt, placeOf } from '../integers/errors.ts';
import type { MatrixEntries } from '../protocol/commitment/matrix.ts';
import { add, neg } from '../protocol/scalar.ts';
import { commitmentDigest, layoutDigest, startSha256 } from '../protocol/statement/statement.ts';
import type { WeightMap, Weights } from '../weights.ts';
import type { ProverHooks } from './argument.ts';
import { checkCommit, checkOpenCheck } from './options.ts';
import { makeOpening } from './commitment/output.ts';
import { commitOpen, commitSource } from './commitment/source.ts';
import { blindingSeed, bytesOf, matrixDigest, rowBlindings, withoutBlindings } from './commitment/source-matrix.ts';
import { freshEntropy } from './randomness.ts';
import { layWeights, openWeights, stretches } from './weights.ts';

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
  weights: Weights | WeightMap,
  options: CommitOptions,
): Promise<CommittedFiles> {
  checkCommit(bundleBytes, sourceName, options);
  const bundle = decodeBundle(bundleBytes);
  const source = sourceNamed(bundle, sourceName);
  const entropy = options.entropy ?? freshEntropy();
  const given = openWeights(source, weights);
  return options.device.exclusive(async () => {
    if (source.open) return commitOpenly(source, given, options.device);
    const { tensors, entries } = await layWeights(source, given);
    requireIndices(bundle, source, tensors);
    return commitSecretly(source, entries, entropy, options);
  });
}

/** Indices are committed to as numbers of as many bits and a sign: that they are indices is seen here, or in no proof that reads them. */
function requireIndices({ gadgets }: Bundle, source: CommittedSource, tensors: readonly IntegerArray[]): void {
  for (const { class: c, type } of gadgets.tensors) {
    if (c.kind !== 'committed' || gadgets.sources.at(c.source) !== source || type?.kind !== 'index') continue;
    for (const file of c.files) {
      const { name, axes } = source.tensors[file];
      const shape = axes.map((a) => a.length);
      for (const [i, v] of tensors[file].entries())
        if (v < 0 || v >= type.size)
          throw new ValueError(`${placeOf({ name, shape }, i)} is ${v}, outside index<${type.size}>`, {
            tensor: name,
            problem: { kind: 'number', index: indexAt(shape, i), value: Number(v) },
          });
    }
  }
}

/** A stretch of rows after the other: weights that are open are large. @param least as of `stretches` */
export async function commitOpenly(
  source: CommittedSource,
  weights: Weights,
  device: Device,
  least?: number,
): Promise<CommittedFiles> {
  const points = new Uint8Array(48 * source.rows);
  const matrix = startSha256();
  for await (const { firstRow, entries } of stretches(source, weights, least)) {
    points.set(await commitOpen(device, source, entries), 48 * firstRow);
    matrix.update(bytesOf(entries));
  }
  const digest = commitmentDigest(source, points);
  return {
    commitment: encodeCommitment({
      source: source.name,
      layout: layoutDigest(source),
      points,
      rangeProof: new Uint8Array(0),
    }),
    opening: encodeOpening({
      commitment: digest,
      matrix: new Uint8Array(matrix.digest()),
      seed: withoutBlindings,
    }),
    digest,
  };
}

async function commitSecretly(
  source: CommittedSource,
  entries: MatrixEntries,
  entropy: Uint8Array,
  { device, hooks, treeMemory }: CommitOptions,
): Promise<CommittedFiles> {
  const layout = layoutDigest(source);
  const seed = blindingSeed(entropy, layout, entries);
  const blindings = rowBlindings(source, seed);
  const { points, rangeProof } = await commitSource(device, source, entries, blindings, entropy, hooks, treeMemory);
  const digest = commitmentDigest(source, points);
  return {
    commitment: encodeCommitment({ source: source.name, layout, points, rangeProof }),
    opening: encodeOpening({ commitment: digest, matrix: matrixDigest(entries), seed }),
    digest,
  };
}

/**
 * Commits to an output of the program before there is a proof that makes it: the opening is made once, and every proof that is given it
 * makes this commitment. There is no range proof, since those proofs show it: a verifier takes the commitment from one that it accepted.
 * @param tensors of the output, by name, each in its type
 * @throws ValueError
 */
export async function commitOutput(
  bundleBytes: Uint8Array,
  outputName: string,
  tensors: Weights | WeightMap,
  options: Pick<CommitOptions, 'device' | 'entropy'>,
): Promise<CommittedFiles> {
  checkCommit(bundleBytes, outputName, options);
  const { outputs = [] } = decodeBundle(bundleBytes).gadgets;
  const layout = outputs.find((o) => o.name === outputName);
  if (!layout)
    throw new ValueError(
      `the program has no secret output "${outputName}"; it has ${outputs.map((o) => `"${o.name}"`).join(', ') || 'none'}`,
      { tensor: outputName, problem: { kind: 'unknown', known: outputs.map((o) => o.name) } },
    );
  const given = openWeights(layout, tensors);
  return options.device.exclusive(async () => {
    const { entries } = await layWeights(layout, given);
    return outputFiles(layout, await makeOpening(options.device, layout, entries, options.entropy ?? freshEntropy()));
  });
}

/**
 * Commits to numbers that everybody knows, as the tensors of a secret source: without blindings, so that whoever has the numbers gets the same
 * points (`registerKnown` of a verifier), and without a range proof, since he sees what they are.
 * @throws ValueError
 */
export async function commitKnown(
  bundleBytes: Uint8Array,
  sourceName: string,
  tensors: Weights | WeightMap,
  options: Pick<CommitOptions, 'device'>,
): Promise<CommittedFiles> {
  checkCommit(bundleBytes, sourceName, options);
  const source = sourceNamed(decodeBundle(bundleBytes), sourceName);
  const given = openWeights(source, tensors);
  return options.device.exclusive(async () => {
    const { entries } = await layWeights(source, given);
    const points = await commitOpen(options.device, source, entries);
    const opening = {
      commitment: commitmentDigest(source, points),
      matrix: matrixDigest(entries),
      seed: withoutBlindings,
    };
    return outputFiles(source, { opening, points });
  });
}

/**
 * The opening of an output as that of a source of another program, which may have another name: its commitment has another digest then.
 * @throws ValueError if the output is of other tensors than the source, or laid out otherwise, or the files are not of one commitment
 */
export function openingAs(
  bundleBytes: Uint8Array,
  sourceName: string,
  files: Pick<CommittedFiles, 'commitment' | 'opening'>,
): Uint8Array {
  const source = sourceNamed(decodeBundle(bundleBytes), sourceName);
  const { source: name, points } = reading('commitment', () => decodeCommitment(files.commitment));
  const opening = reading('opening', () => decodeOpening(files.opening));
  if (!commitmentDigest({ ...source, name }, points).every((b, i) => b === opening.commitment[i]))
    throw new ValueError(
      `the output "${name}" is not of the tensors that the program takes from "${sourceName}", or the opening is of another commitment`,
      { tensor: sourceName, problem: { kind: 'opening' } },
    );
  return encodeOpening({ ...opening, commitment: commitmentDigest(source, points) });
}

/** An output's files, as those of a commitment but for the range proof. */
export function outputFiles(
  layout: CommittedSource,
  { opening, points }: { readonly opening: OpeningFile; readonly points: Uint8Array },
): CommittedFiles {
  const rangeProof = new Uint8Array(0);
  return {
    commitment: encodeCommitment({ source: layout.name, layout: layoutDigest(layout), points, rangeProof }),
    opening: encodeOpening(opening),
    digest: opening.commitment,
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
  weights: Weights | WeightMap,
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
  if (!layoutDigest(source).every((b, i) => b === file.layout[i]))
    return { ok: false, reason: 'it is for tensors of other names, shapes or types than this program uses' };
  const given = openWeights(source, weights);
  const verdict = await device.exclusive(() => combinesTo(device, source, file.points, given));
  return verdict === undefined
    ? { ok: true, digest: commitmentDigest(source, file.points) }
    : { ok: false, reason: verdict };
}

/** The reason why the points are not the rows' commitments, if they are not. @param least as of `stretches` */
export const combinesTo = (
  device: Device,
  source: CommittedSource,
  points: Uint8Array,
  weights: Weights,
  least?: number,
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
    const scalars = Array.from({ length: source.rows }, random);
    const sum = await device.msm([
      { points: rows, scalars: device.frVector(scalars) },
      {
        points: await device.generators(source.columns),
        scalars: device.frVector((await combineRows(device, source, weights, scalars, least)).map(neg)),
      },
    ]);
    const isInfinity = sum[0] === 0xc0 && sum.subarray(1).every((b) => b === 0);
    return isInfinity ? undefined : 'it is a commitment to other weights';
  });

/** The sum of the source's rows, each times its scalar. */
async function combineRows(
  device: Device,
  source: CommittedSource,
  weights: Weights,
  scalars: readonly bigint[],
  least: number | undefined,
): Promise<bigint[]> {
  const { columns } = source;
  let sum: bigint[] = Array.from({ length: columns }, () => 0n);
  for await (const { firstRow, entries } of stretches(source, weights, least)) {
    const rows = entries.length / columns;
    const part = await device.scope(async () => {
      const own = device.frVector(scalars.slice(firstRow, firstRow + rows));
      return device.readFr(device.contract(device.intVector(entries), [1, rows, columns], own));
    });
    sum = sum.map((v, i) => add(v, part[i]));
  }
  return sum;
}

/** @throws ValueError if the program has none of that name */
export function sourceNamed(bundle: Bundle, name: string): CommittedSource {
  const source = bundle.gadgets.sources.find((s) => s.name === name);
  if (source) return source;
  const names = bundle.gadgets.sources.map((s) => `"${s.name}"`).join(', ');
  throw new ValueError(`the program takes no tensors from "${name}"; its sources: ${names || 'none'}`, {
    tensor: name,
    problem: { kind: 'unknown', known: bundle.gadgets.sources.map((s) => s.name) },
  });
}
