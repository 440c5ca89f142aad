/** `zkl train`: steps, their proofs, and going on where a run was left. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProgramError } from '../../../models/calibrate/model.ts';
import { newAdapterConfig } from '../../../models/run/config.ts';
import type { TrainingModel } from '../../../models/train/model.ts';
import { train, type TrainEvent, type Trained } from '../../../models/run/train.ts';
import { readHeader } from '../../../models/run/store.ts';
import type { Start } from '../../../models/train/start.ts';
import { CodecError, ValueError } from '../../../compiler/ir/errors.ts';
import type { RunHeader } from '../../../runtime/run/header.ts';
import { readText } from '../../host/files/read.ts';
import { withRunDirectory } from '../../host/files/store.ts';
import { STREAM } from '../../host/outputs.ts';
import { isModel, withModel } from '../../host/weights.ts';
import { CliError } from '../errors.ts';
import type { Arguments } from '../parse/arguments.ts';
import type { Outcome, Run } from '../parse/command.ts';
import { phaseTimes, type Progress } from '../show/progress.ts';
import { duration, plural, real } from '../show/text.ts';
import { calibrationOf } from '../steps/calibration.ts';
import { withDevice } from '../steps/device.ts';
import { modelInput, refusal } from '../steps/model.ts';
import { readProgram } from '../steps/program.ts';
import { givenAdapter, openTrainingSources, readTrainingModel } from './inputs.ts';

const COUNT = 1_000_000;
const MAX_PHASES = 4096;

export const run: Run = async (args, progress) => {
  const path = args.positionals[0];
  const directory = args.required('output');
  if (directory === STREAM) throw new CliError('a run is a directory, and stdout is none', 'name one: -o DIR');
  const prove = proofsOf(args);
  const [steps = 0, phases] = [args.integer('steps', 0, COUNT), args.integer('phases', 1, MAX_PHASES)];
  const [nonce, seed] = [hexOption(args, 'nonce', 1, 64), hexOption(args, 'seed', 32, 32)];
  if (seed !== undefined && args.flag('adapter'))
    throw new CliError('--seed and --adapter are both given', 'begin with the one or with the other');
  const source = await readProgram(path);
  const model = modelInput(source, args);
  return withRunDirectory(directory, async (store): Promise<Outcome> => {
    const there = await readHeader(store);
    if (there === undefined && Array.isArray(prove))
      throw new CliError(`${directory} has no run yet`, `train first: zkl train ${path} ... --steps N -o ${directory}`);
    if (there !== undefined && seed !== undefined && there.seed !== seed)
      throw new CliError(`the run began with another --seed`, 'leave --seed out to go on, or name another directory');
    const calibration = there === undefined ? await calibrationOf(args, path) : there.phases[0].calibration;
    const checked = await progress.phase('check', () => readTrainingModel(source, args, calibration));
    await using files = new AsyncDisposableStack();
    const sources = await openTrainingSources(args, checked, files);
    const given = await givenAdapter(args, checked, files);
    const start = given ?? (there === undefined ? newAdapter(seed) : undefined);
    const adapterConfig = there === undefined ? await configOf(args, checked, model) : undefined;
    const trained = await withDevice(args, progress, (device) =>
      train(
        store,
        {
          ...{ model, calibration, sources, start, adapterConfig, nonce, steps, prove, phases, device },
          // The GPU has no float64.
          ...(device.name === 'wasm' ? { floats: device } : {}),
        },
        teller(progress, steps),
        (name, body) => progress.phase(name, body),
      ),
    ).catch((error: unknown) => {
      if (error instanceof ProgramError) throw refusal(error, source);
      if (error instanceof CodecError) throw new CliError(`${directory}: ${error.message}`, error.remedy);
      throw error instanceof ValueError ? new CliError(`${directory}: ${error.message}`, error.remedy) : error;
    });
    return outcome(path, directory, trained, progress);
  });
};

/** `--no-prove`, or `--prove A..B`. @throws CliError */
function proofsOf(args: Arguments): 'none' | readonly [number, number] | undefined {
  const text = args.value('prove');
  if (args.flag('no-prove')) {
    if (text !== undefined) throw new CliError('--prove and --no-prove are both given', 'give one of them');
    return 'none';
  }
  if (text === undefined) return undefined;
  if (args.value('steps') !== undefined)
    throw new CliError('--steps has no meaning beside --prove, which trains nothing', 'leave --steps out');
  const [, first, last = first] = /^(\d{1,6})(?:\.\.(\d{1,6}))?$/.exec(text) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new CliError(`--prove is "${text}"`, 'give the first step and the last, from 0: --prove 0..9');
  return [Number(first), Number(last)];
}

/** @throws CliError */
export function hexOption(args: Arguments, name: string, least: number, most: number): string | undefined {
  const text = args.value(name)?.toLowerCase();
  if (text === undefined) return undefined;
  if (/^(?:[0-9a-f]{2})+$/.test(text) && text.length >= 2 * least && text.length <= 2 * most) return text;
  const size = least === most ? `${least} bytes` : `${least} to ${most} bytes`;
  throw new CliError(`--${name} is "${text}"`, `give ${size} as pairs of hexadecimal digits`);
}

const newAdapter = (seed: string | undefined): Start => ({
  seed: seed === undefined ? new Uint8Array(randomBytes(32)) : Uint8Array.from(Buffer.from(seed, 'hex')),
});

/** That of the adapter, or one for the new adapter. */
async function configOf(
  args: Arguments,
  checked: TrainingModel,
  model: ReturnType<typeof modelInput>,
): Promise<string | undefined> {
  const adapter = args.value('adapter');
  if (adapter !== undefined) {
    const file = join(adapter, 'adapter_config.json');
    return existsSync(file) ? readText(file, 'the configuration of the adapter') : undefined;
  }
  const base = args.pairs('weights').find(({ key }) => key === undefined || key === 'base')?.value;
  const isFolder = base !== undefined && (await isModel(base));
  const type = isFolder ? await withModel(base, async ({ config }) => config['model_type']) : undefined;
  return newAdapterConfig(model, checked, base === undefined ? undefined : { name: base, type });
}

/** Says each step: its loss where that is public, how long a step takes, and how long those that are left. */
function teller(progress: Progress, steps: number): (event: TrainEvent) => void {
  const began = performance.now();
  let made = 0;
  return (event) => {
    if (event.kind === 'begun') for (const line of commitmentLines(event.header)) progress.note(line);
    if (event.kind === 'resumed') progress.note(`going on after ${plural(event.states, 'step')}`);
    if (event.kind === 'phase')
      progress.note(`a new phase begins with step ${event.first}, with other scales: ${event.because}`);
    if (event.kind === 'proved') progress.note(`step ${event.step} is proved`);
    if (event.kind !== 'step') return;
    const each = (performance.now() - began) / ++made;
    const left = steps - event.step - 1;
    const losses = [...event.losses].map(([name, value]) => `${name} ${real(value)}, `).join('');
    progress.note(
      `step ${event.step}: ${losses}${duration(each)} a step${left > 0 ? `, about ${duration(each * left)} left` : ''}`,
    );
  };
}

/** What whoever draws the nonce has to know before he does. */
const commitmentLines = ({ model, commitments }: RunHeader): string[] => [
  `model ${model}`,
  ...Object.entries(commitments).map(([source, digest]) => `commitment to "${source}" ${digest}`),
];

function outcome(path: string, directory: string, trained: Trained, progress: Progress): Outcome {
  const { header, steps, proved } = trained;
  const phases = header.phases.filter(({ first }) => first < Math.max(1, steps));
  const text = [
    `${directory}: ${plural(steps, 'step')}, ${proved === steps ? 'all proved' : `${proved} of them proved`}` +
      (phases.length > 1 ? `, ${plural(phases.length, 'phase')}` : ''),
    ...(steps === 0 ? commitmentLines(header).map((line) => `  ${line}`) : []),
    ...(header.nonce === undefined
      ? [
          steps === 0
            ? 'the one whom the run is for keeps these digests, to verify with --pin, and draws a nonce now: --nonce HEX'
            : 'no nonce: whoever verifies learns that the order of rows could have been tried out',
        ]
      : []),
    ...(steps === 0
      ? []
      : [
          proved === steps
            ? `next: zkl verify ${path} ${directory}`
            : `next: zkl train ${path} ... --prove ${proved}..${steps - 1} -o ${directory}`,
        ]),
  ].join('\n');
  const json = {
    run: directory,
    steps,
    proved,
    model: header.model,
    commitments: header.commitments,
    nonce: header.nonce,
    phases: phases.map(({ first, program }) => ({ first, program })),
    milliseconds: phaseTimes(progress.times),
  };
  return { exit: 0, text, json };
}
