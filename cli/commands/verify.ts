import type { CommittedSource } from '../../compiler/gadget/program.ts';
import { decodeCommitment } from '../../runtime/codec/files.ts';
import type { Device } from '../../runtime/device/device.ts';
import { checkOpenCommitment, ValueError } from '../../runtime/prover/index.ts';
import { createVerifier, type ProofVerdict, type Verifier } from '../../runtime/verifier/index.ts';
import type { Arguments } from '../arguments.ts';
import { perSource, readBundle, type BundleFile } from '../bundle.ts';
import { validationCache } from '../cache.ts';
import type { Outcome, Run } from '../command.ts';
import { withDevice } from '../device.ts';
import { about, CliError } from '../errors.ts';
import { readInput } from '../files.ts';
import { readTensors, type TensorFile } from '../inputs.ts';
import type { Progress } from '../progress.ts';
import { phaseLine, phaseTimes } from '../progress.ts';
import { firstDifference, summarise, summaryText } from '../publics.ts';
import { bytes, hex } from '../text.ts';
import { readWeights } from '../weights.ts';

export const run: Run = async (args, progress) => {
  const [bundlePath, proofPath] = args.positionals;
  const file = await readBundle(bundlePath);
  const paths = commitmentPaths(args, file);
  const weights = openWeights(args, file);
  const commitments = await Promise.all(paths.map((path) => readInput(path, 'the commitment')));
  const proof = await readInput(proofPath, 'the proof');
  const tolerance = toleranceOf(args);
  const publicPath = args.value('public');
  const expected =
    publicPath === undefined ? undefined : await readTensors(publicPath, 'the public tensors', file.bundle);

  return withDevice(args, progress, async (device): Promise<Outcome> => {
    const cache = args.flag('no-cache') ? undefined : validationCache();
    const verifier = await createVerifier(file.bytes, { device, cache });
    try {
      const reason = await registerAll(verifier, paths, commitments, progress);
      if (reason !== undefined) return rejection(reason, progress);
      const wrong = await checkWeights(device, file, weights, commitments, progress);
      if (wrong !== undefined) return rejection(wrong, progress);
      const context = new TextEncoder().encode(args.value('context') ?? '');
      const verdict = await progress.phase('verify', () => verifier.verify(proof, { context }));
      const open = openCommitments(file, verifier);
      return judge(file, verdict, { proof, device: device.name, expected, tolerance, open, weights, progress });
    } finally {
      verifier.close();
    }
  });
};

function commitmentPaths(args: Arguments, { path, bundle }: BundleFile): readonly string[] {
  const paths = args.list('commitment');
  const names = bundle.gadgets.sources.map((s) => s.name);
  if (paths.length !== names.length)
    throw new CliError(
      `${path} needs ${names.length === 1 ? 'one commitment' : `${names.length} commitments`} (${names.join(', ') || 'it has no secrets'}), ${paths.length} given`,
      'give --commitment FILE once for each source',
    );
  return paths;
}

function toleranceOf(args: Arguments): number {
  const text = args.value('tolerance');
  if (text === undefined) return 0;
  const tolerance = Number(text);
  if (!(tolerance >= 0 && tolerance < 1))
    throw new CliError(`--tolerance is "${text}"`, 'give a number from 0 to 1, e.g. 1e-3');
  if (args.value('public') === undefined)
    throw new CliError('--tolerance says nothing without --public', 'add --public FILE');
  return tolerance;
}

/** The reason why one of them is refused, if one is. */
async function registerAll(
  verifier: Verifier,
  paths: readonly string[],
  commitments: readonly Uint8Array[],
  progress: Progress,
): Promise<string | undefined> {
  for (const [i, commitment] of commitments.entries()) {
    const verdict = await progress.phase('validate commitment', () => verifier.register(commitment));
    if (!verdict.ok) return `${paths[i]}: ${verdict.reason}`;
  }
  return undefined;
}

/** Files of the open weights that commitments are to be checked against, by source. */
function openWeights(args: Arguments, { path, bundle }: BundleFile): ReadonlyMap<string, string> {
  const sources = bundle.gadgets.sources.filter((s) => s.open);
  const given = args.list('weights');
  if (given.length > 0 && sources.length === 0)
    throw new CliError(`--weights is given, and ${path} has no open weights`, 'leave it out');
  return perSource('weights', given, sources);
}

/** The reason why a commitment is not one to the open weights it should be to, if one is not. */
async function checkWeights(
  device: Device,
  file: BundleFile,
  weights: ReadonlyMap<string, string>,
  commitments: readonly Uint8Array[],
  progress: Progress,
): Promise<string | undefined> {
  for (const commitment of commitments) {
    const { source: name } = decodeCommitment(commitment);
    const path = weights.get(name);
    const source = file.bundle.gadgets.sources.find((s: CommittedSource) => s.name === name);
    if (path === undefined || source === undefined) continue;
    const given = await progress.phase('read weights', () => readWeights(path, source));
    const verdict = await progress.phase('check weights', () =>
      about(path, 'give the weights that the program was written for', [ValueError], () =>
        checkOpenCommitment(file.bytes, commitment, given, { device }),
      ),
    );
    if (!verdict.ok) return `the commitment to "${name}" is not to the weights of ${path}: ${verdict.reason}`;
  }
  return undefined;
}

/**
 * Digests of the commitments to open tensors, by source. A verifier without the weights takes them on trust: a proof over
 * others is as valid, and only its digest says so.
 */
const openCommitments = ({ bundle }: BundleFile, verifier: Verifier): ReadonlyMap<string, string> =>
  new Map(
    bundle.gadgets.sources.flatMap(({ name, open }) => {
      const digest = open ? verifier.commitment(name) : undefined;
      return digest ? [[name, hex(digest)] as const] : [];
    }),
  );

interface Judged {
  readonly proof: Uint8Array;
  readonly device: string;
  readonly expected: TensorFile | undefined;
  readonly tolerance: number;
  readonly open: ReadonlyMap<string, string>;
  readonly weights: ReadonlyMap<string, string>;
  readonly progress: Progress;
}

function judge(
  { bundle }: BundleFile,
  verdict: ProofVerdict,
  { proof, device, expected, tolerance, open, weights, progress }: Judged,
): Outcome {
  if (!verdict.ok) return rejection(verdict.reason, progress);
  const { publics } = verdict;
  for (const [name, given] of expected?.tensors ?? []) {
    const tensor = bundle.gadgets.publics.map((id) => bundle.gadgets.tensors[id]).find((t) => t.name === name);
    const proved = publics.get(name);
    if (!tensor || !proved) throw new Error(`internal error: no public tensor ${name}`);
    const difference = firstDifference(tensor, proved, given, tolerance);
    if (difference !== undefined)
      return rejection(
        `the proof is valid, but for other public tensors than ${expected?.path}: ${difference}`,
        progress,
      );
  }
  const summaries = summarise(bundle, publics);
  const compared = expected ? [`equal to ${expected.path}: ${[...expected.tensors.keys()].join(', ')}`] : [];
  const text = [
    `accepted: ${bundle.gadgets.name}, program ${hex(bundle.digest).slice(0, 16)}, proof of ${bytes(proof.length)}`,
    summaryText(summaries),
    ...compared,
    ...[...open].map(([name, digest]) =>
      weights.has(name)
        ? `for the open weights of ${weights.get(name) ?? ''}, commitment ${digest}`
        : `for the open weights "${name}" of commitment ${digest}: compare it with one that was checked, or add --weights FILE`,
    ),
    `on ${device}: ${phaseLine(progress.times)}`,
  ].join('\n');
  const json = {
    program: hex(bundle.digest),
    publics: summaries.map((s) => ({ ...s })),
    compared: expected ? [...expected.tensors.keys()] : undefined,
    open: open.size > 0 ? Object.fromEntries(open) : undefined,
    device,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json };
}

const rejection = (reason: string, progress: Progress): Outcome => ({
  exit: 1,
  onStdout: true,
  text: `rejected: ${reason}`,
  json: { reason, milliseconds: phaseTimes(progress.times) },
});
