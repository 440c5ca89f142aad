import { existsSync } from 'node:fs';
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import { CodecError } from '../../../compiler/bundle/canonical.ts';
import { writeSafetensors } from '../../../models/files/safetensors-writer.ts';
import { createProver, HiddenValueError, ValueError, type ProvedOutput } from '../../../runtime/prover/index.ts';
import { forSource, perSource, readBundle } from '../steps/bundle.ts';
import type { Run } from '../parse/command.ts';
import { contextOf } from '../parse/context.ts';
import { withDevice } from '../steps/device.ts';
import { about, CliError } from '../errors.ts';
import { readInput } from '../../host/files/read.ts';
import { writeOutputs, type Output } from '../../host/files/write.ts';
import { checkMemory } from '../show/memory.ts';
import { readProofInputs } from '../steps/proof-inputs.ts';
import { disclosureWarnings } from '../../../runtime/inspect/disclosures.ts';
import { checkOutput, kinds, STREAM } from '../../host/outputs.ts';
import { leavingJson, leavingText, type Leaving } from '../show/leaving.ts';
import { fidelityWords } from '../show/measured.ts';
import { shownName } from '../show/terminal.ts';
import { phaseLine, phaseTimes } from '../show/progress.ts';
import { summarise, summaryText } from '../show/publics.ts';
import { bytes } from '../show/text.ts';
import { textLines, textsJson } from '../show/texts.ts';
import { textOfPublics } from '../../../models/text/results.ts';
import { openSourceWeights } from '../../host/weights.ts';

export const run: Run = async (args, progress) => {
  const file = await readBundle(args.positionals[0]);
  const { sources } = file.bundle.gadgets;
  const output = args.required('output');
  await checkOutput(output, kinds.proof, args.inputs);
  const leaving = await placesOf(file.bundle, output);
  const paths = sources.map((source) => ({
    source,
    weights: forSource('weights', perSource('weights', args.list('weights'), sources), source),
    opening: forSource('opening', perSource('opening', args.list('opening'), sources), source),
  }));
  if ((args.value('device') ?? 'wasm') === 'wasm') checkMemory(file.path, file.bundle, file.bytes.length, progress);
  const context = contextOf(args);
  const { inputs, from, tokenizer, length } = await readProofInputs(args, file.bundle, progress);
  await using files = new AsyncDisposableStack();
  const opened = await progress.phase('open weights', () =>
    Promise.all(
      paths.map(async ({ source, weights, opening }) => ({
        source: source.name,
        opening: await readInput(opening, 'the opening'),
        weights: await openSourceWeights(weights, source, files),
      })),
    ),
  );

  const made = await withDevice(args, progress, async (device) => {
    const secrets = paths.map((p) => `${p.weights} with ${p.opening}`).join(', ');
    const prover = await progress.phase('open', () =>
      about(secrets, 'give the weights and the opening of one and the same commitment', [ValueError, CodecError], () =>
        createProver(file.bytes, { device, sources: opened }).catch((error: unknown) => {
          throw error instanceof HiddenValueError ? doesNotFit(secrets, error, args.flag('verbose')) : error;
        }),
      ),
    );
    const proved = await progress.phase('prove', (report) =>
      about(from, 'mend the inputs, or declare a wider type and compile again', [ValueError], () =>
        prover
          .prove(inputs, { context, progress: ({ phase, done }) => report(done, phase) })
          .catch((error: unknown) => {
            if (error instanceof HiddenValueError) throw doesNotFit(from, error, args.flag('verbose'));
            throw error;
          }),
      ),
    );
    return { ...proved, device: device.name };
  });
  await progress.phase('write', () =>
    writeOutputs([...filesOf(file.bundle, leaving, made.outputs), { path: output, bytes: made.proof }]),
  );
  for (const warning of disclosureWarnings(file.bundle.gadgets)) progress.note(warning);
  const fidelity = fidelityWords(file.bundle);
  if (fidelity !== undefined) progress.note(`${file.bundle.gadgets.name}: ${fidelity}`);

  const summaries = summarise(file.bundle, made.publics);
  const texts = tokenizer === undefined ? [] : textOfPublics(file.bundle.gadgets, made.publics, tokenizer, length);
  const text = [
    `${output}: ${bytes(made.proofBytes)} of proof, ${bytes(made.proof.length - made.proofBytes)} of public tensors and headers`,
    summaryText(summaries),
    ...leavingText(leaving, made.outputs),
    ...textLines(texts),
    `on ${made.device}: ${phaseLine(progress.times)}`,
  ].join('\n');
  const json = {
    output,
    bytes: made.proof.length,
    proofBytes: made.proofBytes,
    publics: summaries.map((s) => ({ ...s })),
    ...(leaving.length > 0 && { outputs: leavingJson(leaving, made.outputs) }),
    texts: textsJson(texts),
    device: made.device,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json, wroteStdout: output === STREAM };
};

/**
 * A value inside a program may be secret, or tell a secret to whoever chose the inputs: it is said only when its owner asks.
 */
function doesNotFit(inputs: string, error: HiddenValueError, verbose: boolean): CliError {
  return new CliError(
    `${inputs}: ${error.message}${verbose ? `: ${error.hidden}` : ''}`,
    'calibrate with samples like these or with more headroom, or write a type of more bits, and compile again' +
      (verbose ? '' : '; --verbose says the value, which may tell a secret'),
  );
}

/** Numbers of more bits are exact in no float of 32. */
const FLOAT_BITS = 24;

/**
 * The places for the outputs of a proof that goes to `proof`: beside it, under its name and theirs.
 * @throws CliError, HostError where one is there already, or could not be written
 */
async function placesOf({ gadgets }: Bundle, proof: string): Promise<readonly Leaving[]> {
  const { outputs = [] } = gadgets;
  if (outputs.length === 0) return [];
  if (proof === STREAM)
    throw new CliError(
      'the program has secret outputs, whose commitments and openings go beside the proof, and this one goes to stdout',
      'name a file for the proof: -o FILE',
    );
  const stem = proof.replace(/\.zkp$/, '');
  const places = outputs.map(({ name }): Leaving => {
    // Bundles may come from strangers, and this becomes a file's name.
    if (!/^\w[\w-]*$/.test(name))
      throw new CliError(`the output "${shownName(name)}" has a name that is none for files`, 'give it another name');
    const base = `${stem}.${name}`;
    return { name, commitment: `${base}.zkc`, opening: `${base}.zko`, numbers: `${base}.safetensors` };
  });
  for (const { commitment, opening, numbers } of places)
    for (const path of [commitment, opening, numbers]) {
      if (existsSync(path))
        throw new CliError(
          `${path} exists, and whoever takes the output that it belongs to needs it`,
          'name another file for the proof, or move that one away',
        );
      await checkOutput(path, kinds.opening, []);
    }
  return places;
}

/** The files, to be there before the proof is. */
const filesOf = ({ gadgets }: Bundle, places: readonly Leaving[], made: ReadonlyMap<string, ProvedOutput>): Output[] =>
  places.flatMap(({ name, commitment, opening, numbers }, k): Output[] => {
    const output = made.get(name);
    const layout = gadgets.outputs?.at(k);
    if (!output || !layout) throw new Error(`internal error: the proof has no output ${name}`);
    const bits = new Map(layout.tensors.map((t) => [t.name, t.bits] as const));
    const tensors = new Map(
      [...output.weights].map(([tensor, { shape, values }]) => {
        const dtype = (bits.get(tensor) ?? 0) <= FLOAT_BITS ? ('F32' as const) : ('F64' as const);
        return [tensor, { dtype, shape, values }] as const;
      }),
    );
    return [
      { path: opening, bytes: output.opening, mode: 0o600, exclusive: true },
      { path: numbers, bytes: writeSafetensors(tensors, numbers), mode: 0o600, exclusive: true },
      { path: commitment, bytes: output.commitment, exclusive: true },
    ];
  });
