import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { commit, ValueError } from '../../../runtime/prover/index.ts';
import type { CommittedSource } from '../../../compiler/ir/gadget/program.ts';
import type { Arguments } from '../parse/arguments.ts';
import { didYouMean } from '../../host/suggest.ts';
import { forSource, perSource, readBundle, type BundleFile } from '../steps/bundle.ts';
import { checkedCache } from '../../host/cache.ts';
import type { Run } from '../parse/command.ts';
import { withDevice } from '../steps/device.ts';
import { about, CliError } from '../errors.ts';
import { HostError } from '../../host/errors.ts';
import { inDirectory, writeOutputs } from '../../host/files/write.ts';
import { checkDirectory, checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import { phaseLine, phaseTimes } from '../show/progress.ts';
import { bytes, count, hex, plural } from '../show/text.ts';
import { openSourceWeights } from '../../host/weights.ts';

export const run: Run = async (args, progress) => {
  const file = await readBundle(args.positionals[0]);
  const given = args.list('weights');
  const source = chosenSource(args, file, given);
  const path = forSource('weights', perSource('weights', given, file.bundle.gadgets.sources), source);
  const directory = args.required('output');
  if (directory === STREAM)
    throw new CliError('commit writes two files, and stdout is one', 'name a directory: -o DIR');
  const force = args.flag('force');
  const [openingPath, commitmentPath] = [join(directory, 'opening.zko'), join(directory, 'commitment.zkc')];
  if (!force) for (const path of [openingPath, commitmentPath]) if (existsSync(path)) throw alreadyThere(path);
  if (await checkDirectory(directory)) {
    await checkOutput(openingPath, kinds.opening, args.inputs);
    await checkOutput(commitmentPath, kinds.commitment, args.inputs);
  }

  await using files = new AsyncDisposableStack();
  const weights = await progress.phase('open weights', () => openSourceWeights(path, source, files));
  const { made, device } = await withDevice(args, progress, async (device) => ({
    device: device.name,
    made: await progress.phase(source.open ? 'commit' : 'commit and prove ranges', () =>
      about(path, 'change the types in the program, or the weights, and compile again', [ValueError], () =>
        commit(file.bytes, source.name, weights, { device }),
      ),
    ),
  }));
  await progress.phase('write', () =>
    inDirectory(directory, () =>
      writeOutputs([
        { path: openingPath, bytes: made.opening, mode: 0o600, exclusive: !force },
        { path: commitmentPath, bytes: made.commitment },
      ]),
    ).catch((error: unknown) => {
      throw error instanceof HostError && error.problem.kind === 'replaces' ? alreadyThere(error.problem.path) : error;
    }),
  );

  const digest = hex(made.digest);
  // It was made from these weights: there is nothing left to compare.
  if (source.open && !args.flag('no-cache')) await checkedCache()?.add(digest, resolve(path));
  const entries = source.tensors.reduce((n, t) => n + t.axes.reduce((p, a) => p * a.length, 1), 0);
  const text = [
    `committed to ${plural(source.tensors.length, 'tensor')} of "${source.name}" (${count(entries)} values, ${source.rows} x ${source.columns}) on ${device}`,
    `  ${commitmentPath}  ${bytes(made.commitment.length)}, to publish; its digest is ${digest}`,
    source.open
      ? `  ${openingPath}  ${bytes(made.opening.length)}, for proving: it says which weights were committed to, and is no secret`
      : `  ${openingPath}  ${bytes(made.opening.length)}, to keep as secret as the weights: without it nothing can be proved`,
    `  ${phaseLine(progress.times)}`,
  ].join('\n');
  const outputs = { commitment: commitmentPath, opening: openingPath, commitmentBytes: made.commitment.length, digest };
  return {
    exit: 0,
    text,
    json: {
      ...outputs,
      source: source.name,
      tensors: source.tensors.length,
      values: entries,
      device,
      milliseconds: phaseTimes(progress.times),
    },
  };
};

/** For an opening or a commitment that would be replaced: nothing can be proved without the one, or verified without the other. */
const alreadyThere = (path: string): CliError =>
  new CliError(
    `${path} exists, and proofs for its commitment need it`,
    'choose another directory, or replace it with --force',
  );

/** What `--source` says, or the one source of which weights are given. */
function chosenSource(args: Arguments, { path, bundle }: BundleFile, weights: readonly string[]): CommittedSource {
  const { sources } = bundle.gadgets;
  const names = sources.map((s) => s.name);
  const named = names.filter((own) => weights.some((text) => text.startsWith(`${own}=`)));
  const name = args.value('source') ?? (names.length === 1 ? names[0] : named.length === 1 ? named[0] : undefined);
  if (names.length === 0)
    throw new CliError(
      `${path} has no secret or open tensors from a source: there is nothing to commit to`,
      'prove and verify without a commitment',
    );
  if (name === undefined)
    throw new CliError(
      `${path} takes tensors from ${names.length} sources: ${names.join(', ')}`,
      `say whose these weights are: --weights ${names[0]}=DIR`,
    );
  const source = sources.find((s) => s.name === name);
  if (!source)
    throw new CliError(
      `${path} takes no tensors from "${name}"`,
      didYouMean(name, names) ?? `its sources: ${names.join(', ')}`,
    );
  return source;
}
