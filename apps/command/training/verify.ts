/** `zkl verify MODEL.zkl RUN`: a whole run, with the verifier's own text. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ProgramError } from '../../../models/calibrate/model.ts';
import { ownProgram, readRun } from '../../../models/run/verify.ts';
import { CodecError, ValueError } from '../../../compiler/ir/errors.ts';
import { decodeCommitment } from '../../../runtime/codec/files.ts';
import { commitmentDigest } from '../../../runtime/protocol/statement/statement.ts';
import { BudgetError } from '../../../runtime/verifier/index.ts';
import { verifyRun } from '../../../runtime/run/chain.ts';
import type { AcceptedRun, PhaseReport, RefusedRun } from '../../../runtime/run/verdict.ts';
import { checkedCache, validationCache } from '../../host/cache.ts';
import { directoryStore, numbersIn } from '../../host/files/store.ts';
import { about, CliError } from '../errors.ts';
import type { Arguments } from '../parse/arguments.ts';
import type { Outcome } from '../parse/command.ts';
import { limitOf } from '../parse/limit.ts';
import { phaseLine, phaseTimes, type Progress } from '../show/progress.ts';
import { shown } from '../show/terminal.ts';
import { hex, plural, real } from '../show/text.ts';
import type { BundleFile } from '../steps/bundle.ts';
import { withDevice } from '../steps/device.ts';
import { modelInput, refusal } from '../steps/model.ts';
import { readProgram } from '../steps/program.ts';
import {
  checkWeights,
  expectations,
  givenOf,
  restsOnJson,
  restsOnText,
  uncheckedError,
  type Given,
} from '../steps/rests-on.ts';
import type { CheckedCache } from '../../host/cache.ts';
import { hexOption } from './train.ts';

const OF_PROOFS = [
  ...['commitment', 'program', 'calibration', 'tokenizer', 'public', 'tolerance', 'context', 'context-hex'],
];
const MAX_PHASES = 4096;
/** Types that a report lists of a phase. */
const MAX_TYPES = 8;

export async function verifyTraining(args: Arguments, progress: Progress): Promise<Outcome> {
  const [path, directory] = args.positionals;
  const other = OF_PROOFS.find((name) => args.flag(name));
  if (other !== undefined)
    throw new CliError(`--${other} has no meaning for a run, which has what it needs`, `leave --${other} out`);
  const nonce = hexOption(args, 'nonce', 1, 64);
  const phases = args.integer('phases', 1, MAX_PHASES);
  const limit = limitOf(args);
  if (!existsSync(join(directory, 'run.json')))
    throw new CliError(`${directory} is no run: there is no run.json`, 'give the directory that `zkl train` wrote');
  const source = await readProgram(path);
  const input = modelInput(source, args);
  const [proofs, links] = await Promise.all([numbersIn(directory, 'steps'), numbersIn(directory, 'links')]);
  const whole = 'give the directory that `zkl train` wrote, whole';
  const run = await about(directory, whole, [CodecError], () =>
    readRun(directoryStore(directory), (proofs.at(-1) ?? -1) + 1, links),
  );
  const compiled = (calibration: Parameters<typeof ownProgram>[1]) => {
    try {
      return ownProgram(input, calibration);
    } catch (error) {
      if (error instanceof ProgramError) throw refusal(error, source);
      throw error instanceof ValueError ? new CliError(`${path}: ${error.message}`, error.remedy) : error;
    }
  };
  return withDevice(args, progress, async (device): Promise<Outcome> => {
    const cached = !args.flag('no-cache');
    const checked = cached ? checkedCache() : undefined;
    const first = await progress.phase('compile', () => compiled(run.header.phases[0].calibration));
    if (typeof first === 'string') return refused({ ok: false, verdict: 'rejected', step: 0, reason: first }, progress);
    const file = { path, bytes: first.bundle, bundle: first.decoded };
    const given = givenOf(args, file);
    const digests = new Map(Object.entries(run.header.commitments));
    const commitments = await about(directory, whole, [CodecError], () =>
      Promise.all([...given.weights.keys()].map(async (name) => ({ source: name, bytes: await run.commitment(name) }))),
    );
    const wrong =
      otherCommitment(file, digests, commitments) ?? (await checkWeights(device, file, given, commitments, progress));
    if (wrong !== undefined) return refused({ ok: false, verdict: 'rejected', reason: wrong }, progress);
    for (const [name, weights] of given.weights) {
      const digest = digests.get(name);
      if (digest !== undefined) await checked?.add(digest, resolve(weights));
    }
    const sources = await expectations(file, digests, given, checked);
    const verdict = await progress.phase('verify', (report) =>
      about(path, 'allow it what it needs, if it is worth that', [BudgetError], () =>
        about(directory, whole, [CodecError], () =>
          verifyRun(run, {
            ...{ device, sources, nonce, phases, limit },
            cache: cached ? validationCache() : undefined,
            compile: (calibration) =>
              calibration === run.header.phases[0].calibration ? first : compiled(calibration),
            progress: (step, of) => report((step + 1) / of, `step ${step} of ${of}`),
          }),
        ),
      ),
    );
    if (verdict.ok) return accepted(directory, verdict, { given, checked, device: device.name, progress });
    if (verdict.sources !== undefined) throw uncheckedError(verdict.sources, digests);
    if (verdict.verdict === 'unverified')
      throw new CliError(
        `could not verify: ${inStep(verdict)}`,
        verdict.remedy ?? `prove its steps: zkl train ${path} ...`,
        {
          json: { verdict: 'unverified' },
        },
      );
    return refused(verdict, progress);
  });
}

/** The reason why a commitment is not the one that the header names: what is said of its digest is said of no other. */
function otherCommitment(
  { bundle }: BundleFile,
  digests: ReadonlyMap<string, string>,
  commitments: readonly { readonly source: string; readonly bytes: Uint8Array }[],
): string | undefined {
  for (const { source, bytes } of commitments) {
    const layout = bundle.gadgets.sources.find((s) => s.name === source);
    if (layout === undefined) continue;
    try {
      const digest = hex(commitmentDigest(layout, decodeCommitment(bytes).points));
      const named = digests.get(source);
      if (digest !== named)
        return `the commitment to "${source}" has the digest ${digest}, the run names ${named ?? 'none'}`;
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return `the commitment to "${source}": ${error.message}`;
    }
  }
  return undefined;
}

const BEGAN: Readonly<Record<AcceptedRun['began'], string>> = {
  seed: 'worked out here, from the seed of the run',
  linked: 'an adapter with a commitment of its own, and the optimizer as it has to begin',
  committed: 'given: its entries are in their types; nothing else is known of it, nor how the optimizer began',
};

interface Judged {
  readonly given: Given;
  readonly checked: CheckedCache | undefined;
  readonly device: string;
  readonly progress: Progress;
}

async function accepted(
  directory: string,
  run: AcceptedRun,
  { given, checked, device, progress }: Judged,
): Promise<Outcome> {
  const losses = run.losses.flatMap((step) => [...step.values()].slice(0, 1));
  const text = [
    `accepted: ${shown(directory)}, ${plural(run.steps, 'step')} of training`,
    ...(losses.length === 0
      ? ['  losses are not public']
      : [`  loss from ${real(losses[0])} to ${real(losses.at(-1) ?? 0)}`]),
    `  from the state ${run.start}`,
    `    ${BEGAN[run.began]}`,
    `  to the state ${run.end}`,
    ...run.links.map(({ step, adapter }) => `  adapter after ${plural(step, 'step')}: commitment ${adapter}`),
    ...run.phases.flatMap(phaseLines),
    ...orderLines(run),
    'this rests on',
    '  the text that is given, compiled here',
    ...(await restsOnText(run, given, checked)),
    `on ${device}: ${phaseLine(progress.times)}`,
  ].join('\n');
  const json = {
    verdict: 'accepted',
    run: run.run,
    steps: run.steps,
    losses: run.losses.map((step) => Object.fromEntries(step)),
    start: run.start,
    began: run.began,
    end: run.end,
    adapters: run.links.map(({ step, adapter }) => ({ step, commitment: adapter })),
    order: run.order,
    phases: run.phases.map(({ first, program, gradients, cotangents, changed }) => ({
      first,
      program,
      gradients: Object.fromEntries(gradients.map(({ key, ...type }) => [key, typeWords(type)])),
      cotangents: Object.fromEntries(cotangents.map(({ key, ...type }) => [key, typeWords(type)])),
      changed: changed.map(({ key, before, after }) => ({ key, before: typeWords(before), after: typeWords(after) })),
    })),
    rests_on: restsOnJson(run),
    device,
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json };
}

function orderLines({ order, restsOn, start }: AcceptedRun): string[] {
  if (order === 'trainer')
    return ['  order of rows: the trainer’s, who can have tried several: give the --nonce that you drew'];
  if (order === 'customer')
    return ['  order of rows: decided by the nonce that is given, and by commitments with the digests that are given'];
  const loose = [...restsOn, { source: 'state', basis: 'given', digest: start } as const].filter(
    ({ basis }) => basis === 'given' || basis === 'trusted',
  );
  return [
    '  order of rows: decided by the nonce that is given, if these are the digests that you had before you drew it:',
    ...loose.map(({ source, digest }) => `    --pin ${source}=${digest}`),
  ];
}

function phaseLines({ first, program, gradients, cotangents, changed }: PhaseReport, index: number): string[] {
  const listed = changed
    .slice(0, MAX_TYPES)
    .map(({ key, before, after }) => `    ${shown(key)}: ${typeWords(before)} became ${typeWords(after)}`);
  const more = changed.length - listed.length;
  return [
    `  program ${program}${index === 0 ? '' : ` from step ${first}: ${plural(changed.length, 'type')} changed`}`,
    ...coarsest('gradients', gradients),
    ...coarsest('on their way', cotangents),
    ...listed,
    ...(more > 0 ? [`    and ${more} more; --json lists all`] : []),
  ];
}

function coarsest(what: string, types: PhaseReport['gradients']): string[] {
  const [one] = types.toSorted((a, b) => a.frac - b.frac);
  if (one === undefined) return [];
  return [`    ${what} in units of at most 2^${-one.frac}, of ${shown(one.key.replace(/\.grad$/, ''))}`];
}

const typeWords = (type: { readonly bits: number; readonly frac: number } | undefined): string =>
  type === undefined ? 'none' : `fixed<${type.bits}, ${type.frac}>`;

const inStep = ({ step, reason }: RefusedRun): string => (step === undefined ? reason : `step ${step}: ${reason}`);

const refused = (verdict: RefusedRun, progress: Progress): Outcome => ({
  exit: 1,
  onStdout: true,
  text: `rejected: ${shown(inStep(verdict))}`,
  json: {
    ...{ verdict: 'rejected', step: verdict.step, reason: verdict.reason },
    milliseconds: phaseTimes(progress.times),
  },
});
