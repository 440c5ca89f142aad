import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { CodecError } from '../../../compiler/bundle/canonical.ts';
import { checkHeader } from '../../../compiler/bundle/container.ts';
import { decodeCommitment, type CommitmentFile } from '../../../runtime/codec/files.ts';
import type { Device } from '../../../runtime/device/device.ts';
import { commitmentDigest, printSource, sha256 } from '../../../runtime/protocol/statement/statement.ts';
import { BudgetError, createVerifier, type Accepted, type Verifier } from '../../../runtime/verifier/index.ts';
import type { Arguments } from '../parse/arguments.ts';
import { readBundle, type BundleFile } from '../steps/bundle.ts';
import { checkedCache, validationCache, type CheckedCache } from '../../host/cache.ts';
import type { Outcome, Run } from '../parse/command.ts';
import { contextOf } from '../parse/context.ts';
import { withDevice } from '../steps/device.ts';
import { about, CliError } from '../errors.ts';
import { readInput, TooLarge } from '../../host/files/read.ts';
import { mostOfCommitment } from '../../host/limits.ts';
import { readTensors, type TensorFile } from '../steps/inputs.ts';
import { expectedProgram, type ExpectedProgram } from '../steps/expected-program.ts';
import { limitOf } from '../parse/limit.ts';
import { phaseLine, phaseTimes, type Progress } from '../show/progress.ts';
import { firstDifference, summarise, summaryText } from '../show/publics.ts';
import {
  checkWeights,
  expectations,
  givenOf,
  outputsJson,
  outputsText,
  restsOnJson,
  restsOnText,
  uncheckedError,
  type Given,
} from '../steps/rests-on.ts';
import { shown, shownName } from '../show/terminal.ts';
import { bytes, hex } from '../show/text.ts';
import { textLines, textsJson } from '../show/texts.ts';
import { verifyTraining } from '../training/verify.ts';
import { tokenizerOfResults } from '../steps/text.ts';
import { textOfPublics } from '../../../models/text/results.ts';
import type { TextTokenizer } from '../../../models/text/tokenizer.ts';

/** A commitment as it was given. */
interface CommitmentGiven extends CommitmentFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export const run: Run = async (args, progress) => {
  const [bundlePath, proofPath] = args.positionals;
  if (isDirectory(proofPath)) return verifyTraining(args, progress);
  const ofRun = ['nonce', 'phases'].find((name) => args.flag(name));
  if (ofRun !== undefined)
    throw new CliError(`--${ofRun} is about a run, and ${proofPath} is no directory`, `leave --${ofRun} out`);
  const file = await readBundle(bundlePath);
  const paths = commitmentPaths(args, file);
  const given = givenOf(args, file);
  const context = contextOf(args);
  const limit = limitOf(args);
  const commitments = await Promise.all(paths.map((path) => readCommitment(path, file)));
  const tolerance = toleranceOf(args);
  const publicPath = args.value('public');
  const expected =
    publicPath === undefined ? undefined : await readTensors(publicPath, 'the public tensors', file.bundle);
  const tokenizer = await tokenizerOfResults(args, file.bundle, progress);
  const program = await expectedProgram(args, progress);
  if (program !== undefined && program.digest !== hex(file.bundle.digest))
    return rejection(
      `${bundlePath} is the program ${hex(file.bundle.digest)}, ${program.from} is ${program.digest}`,
      progress,
    );

  return withDevice(args, progress, async (device): Promise<Outcome> => {
    const cached = !args.flag('no-cache');
    const checked = cached ? checkedCache() : undefined;
    const digests = digestsOf(file, commitments);
    // What the bundle asks for is counted before anything of it is done.
    const verifier = await about(file.path, 'allow it what it needs, if it is worth that', [BudgetError], async () =>
      createVerifier(file.bytes, {
        device,
        cache: cached ? validationCache() : undefined,
        limit,
        expect: { program: program?.digest, sources: await expectations(file, digests, given, checked) },
      }),
    );
    try {
      const wrong = await checkWeights(device, file, given, commitments, progress);
      if (wrong !== undefined) return rejection(wrong, progress);
      for (const [source, path] of given.weights) {
        const digest = digests.get(source);
        if (digest !== undefined) await checked?.add(digest, resolve(path));
      }
      const proof = await readProof(proofPath, verifier.proofSize.most);
      if (typeof proof === 'string') return rejection(proof, progress);
      const reason = await registerAll(verifier, commitments, progress);
      if (reason !== undefined) return rejection(reason, progress);
      const verdict = await progress.phase('verify', () => verifier.verify(proof, { context }));
      if (verdict.ok)
        return await accepted(file, verdict, {
          program,
          given,
          checked,
          proof,
          device,
          expected,
          tolerance,
          tokenizer,
          progress,
        });
      if (verdict.verdict === 'rejected') return rejection(verdict.reason, progress);
      if (verdict.sources.some((source) => !digests.has(source)))
        throw new CliError(`could not verify: ${verdict.reason}`, 'give --commitment FILE once for each source');
      throw uncheckedError(verdict.sources, digests);
    } finally {
      verifier.close();
    }
  });
};

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

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

/** What is no commitment at all is no verdict on a proof. @throws CliError */
async function readCommitment(path: string, { bundle }: BundleFile): Promise<CommitmentGiven> {
  const data = await readInput(path, 'the commitment', mostOfCommitment(bundle.gadgets));
  const commitment = await about(path, 'give the commitment.zkc that `zkl commit` wrote', [CodecError], () => ({
    path,
    bytes: data,
    ...decodeCommitment(data),
  }));
  const source = bundle.gadgets.sources.find((s) => s.name === commitment.source);
  if (source === undefined)
    throw new CliError(
      `${path} is the commitment to "${shownName(commitment.source)}", from which the program takes nothing`,
      `its sources: ${bundle.gadgets.sources.map((s) => s.name).join(', ')}`,
    );
  if (hex(commitment.layout) !== hex(sha256(new TextEncoder().encode(printSource(source)))))
    throw new CliError(
      `${path} is a commitment to tensors of other names, shapes or types than the program takes from "${source.name}"`,
      'give the commitment that was made for this program, or one of the same layout',
    );
  return commitment;
}

/**
 * Files of other kinds are no proofs; a proof that is damaged, or longer than any of the program's, is one to be rejected: the reason.
 *
 * @throws CliError
 */
async function readProof(path: string, most: number): Promise<Uint8Array | string> {
  const remedy = 'give the proof that `zkl prove` wrote, and with the zkl that wrote it';
  const isProof = (start: Uint8Array): Promise<void> =>
    about(path, remedy, [CodecError], () => checkHeader('p', start));
  try {
    const data = await readInput(path, 'the proof', most);
    await isProof(data);
    return data;
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    await isProof(error.start);
    return error.message;
  }
}

function toleranceOf(args: Arguments): number {
  const text = args.value('tolerance');
  if (text === undefined) return 0;
  const tolerance = text.trim() === '' ? NaN : Number(text);
  if (!(tolerance >= 0 && tolerance < 1))
    throw new CliError(`--tolerance is "${text}"`, 'give a number from 0 to 1, e.g. 1e-3');
  if (args.value('public') === undefined)
    throw new CliError('--tolerance says nothing without --public', 'add --public FILE');
  return tolerance;
}

/** Digests of the commitments that are given, by source, as they would stand in the statement. */
function digestsOf({ bundle }: BundleFile, commitments: readonly CommitmentGiven[]): ReadonlyMap<string, string> {
  return new Map(
    commitments.flatMap(({ source, points }) => {
      const layout = bundle.gadgets.sources.find((s) => s.name === source);
      return layout ? [[source, hex(commitmentDigest(layout, points))] as const] : [];
    }),
  );
}

/** The reason why one of them is refused, if one is. */
async function registerAll(
  verifier: Verifier,
  commitments: readonly CommitmentGiven[],
  progress: Progress,
): Promise<string | undefined> {
  for (const commitment of commitments) {
    const verdict = await progress.phase('validate commitment', () => verifier.register(commitment.bytes));
    if (!verdict.ok) return `${commitment.path}: ${verdict.reason}`;
  }
  return undefined;
}

interface Judged {
  readonly program: ExpectedProgram | undefined;
  readonly given: Given;
  readonly checked: CheckedCache | undefined;
  readonly proof: Uint8Array;
  readonly device: Device;
  readonly expected: TensorFile | undefined;
  readonly tolerance: number;
  readonly tokenizer: TextTokenizer | undefined;
  readonly progress: Progress;
}

async function accepted(
  { bundle }: BundleFile,
  verdict: Accepted,
  { program, given, checked, proof, device, expected, tolerance, tokenizer, progress }: Judged,
): Promise<Outcome> {
  for (const [name, values] of expected?.tensors ?? []) {
    const id = bundle.gadgets.publics.find((p) => bundle.gadgets.tensors[p].name === name);
    const proved = verdict.publics.get(name);
    if (id === undefined || proved === undefined) continue;
    const difference = firstDifference(bundle.gadgets.tensors[id], proved, values, tolerance);
    if (difference !== undefined) return rejection(`not the tensors of ${expected?.path}: ${difference}`, progress);
  }
  const summaries = summarise(bundle, verdict.publics);
  const texts = tokenizer === undefined ? [] : textOfPublics(bundle.gadgets, verdict.publics, tokenizer);
  const bound = verdict.context === 'bound';
  const text = [
    `accepted: ${shownName(bundle.gadgets.name)}, proof of ${bytes(proof.length)}`,
    summaryText(summaries),
    ...outputsText(verdict),
    ...textLines(texts),
    ...(expected
      ? [
          `${tolerance > 0 ? `within ${tolerance} of` : 'equal to'} ${shown(expected.path)}: ${[...expected.tensors.keys()].map(shown).join(', ')}`,
        ]
      : []),
    'this rests on',
    `  program ${verdict.program}`,
    `    ${program === undefined ? 'given: whatever the bundle holds; --program FILE.zkl|DIGEST compares it' : `${program.basis}: the one of ${shown(program.from)}`}`,
    ...(await restsOnText(verdict, given, checked)),
    bound
      ? '  the context that is given: the proof is bound to it'
      : '  no context: the proof can be shown again in any session',
    `on ${device.name}: ${phaseLine(progress.times)}`,
  ].join('\n');
  const json = {
    verdict: 'accepted',
    program: verdict.program,
    program_basis: program?.basis ?? 'given',
    context: verdict.context,
    rests_on: restsOnJson(verdict),
    publics: summaries.map((s) => ({ ...s })),
    ...(verdict.outputs.size > 0 && { outputs: outputsJson(verdict) }),
    texts: textsJson(texts),
    compared: expected ? [...expected.tensors.keys()] : undefined,
    device: device.name,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json };
}

const rejection = (reason: string, progress: Progress): Outcome => ({
  exit: 1,
  onStdout: true,
  text: `rejected: ${shown(reason)}`,
  json: { verdict: 'rejected', reason, milliseconds: phaseTimes(progress.times) },
});
