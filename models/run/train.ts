/**
 * A run of training: steps in exact integers, each state committed to once, each step proved. It can be interrupted at any
 * point: a state is there with its opening or not at all, a proof is made of two states that are there, and what is missing is made
 * when the run goes on. Randomness of a proof is fresh with every attempt.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { STATE } from '../../compiler/check/optimizers/step.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import type { TensorId } from '../../compiler/ir/tensor/program.ts';
import { plural } from '../../compiler/ir/words.ts';
import type { Device } from '../../runtime/device/device.ts';
import { EvaluationError, type Numbers } from '../../runtime/evaluate/index.ts';
import { commitOutput, createProver, type Prover } from '../../runtime/prover/index.ts';
import { encodeHeader, phaseOf, samplingSeed, stepContext } from '../../runtime/run/header.ts';
import type { Phase, RunHeader } from '../../runtime/run/header.ts';
import { createSampler, type Sampler } from '../../runtime/run/sampling.ts';
import type { WeightMap, Weights } from '../../runtime/weights.ts';
import type { ModelInput } from '../calibrate/model.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { bytesSource } from '../files/source.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { readNumbers } from '../train/data.ts';
import type { Start } from '../train/start.ts';
import { beginRun, checkStart } from './begin.ts';
import { encodeState, exactStep, floatsOf, readState, stateWeights, stepInputs } from '../train/integers.ts';
import type { IntegerState, StepInputs } from '../train/integers.ts';
import { linkStart } from './export.ts';
import { beginningOf } from './link.ts';
import type { TrainingModel } from '../train/model.ts';
import { phaseProgram, type PhaseProgram, type Scales } from './phase.ts';
import { isProved } from './proved.ts';
import { recalibrated } from './recalibrate.ts';
import { readHeader, runFiles, type RunStore } from './store.ts';

export interface TrainInput {
  readonly model: ModelInput;
  /** Of a run that is there already it is not needed. */
  readonly calibration?: Scales | undefined;
  /** Weights of every source that a step reads besides its state, by source. */
  readonly sources: ReadonlyMap<string, Weights | WeightMap>;
  /** Of a new run. With one that is there an adapter is compared, and a seed means nothing. */
  readonly start?: Start | undefined;
  readonly adapterConfig?: string | undefined;
  /** Hex; drawn by whoever the run is for, after the commitments. Can be given until the first step is made. */
  readonly nonce?: string | undefined;
  /** How many steps the run is to have. */
  readonly steps: number;
  /** Steps to prove, first and last: those that are not proved yet. Default: all. `none`: states are kept, and can be proved later. */
  readonly prove?: 'none' | readonly [first: number, last: number] | undefined;
  /** How many phases the run may have; default 16. */
  readonly phases?: number | undefined;
  readonly device: Device;
  /** Where float64 is computed; default: on this thread. */
  readonly floats?: Device | undefined;
}

export type TrainEvent =
  | { readonly kind: 'begun' | 'resumed'; readonly header: RunHeader; readonly states: number }
  | { readonly kind: 'step'; readonly step: number; readonly losses: ReadonlyMap<string, number> }
  | { readonly kind: 'proved'; readonly step: number; readonly bytes: number }
  | { readonly kind: 'phase'; readonly first: number; readonly because: string };

export interface Trained {
  readonly header: RunHeader;
  /** Steps that are made, and those that are proved. */
  readonly steps: number;
  readonly proved: number;
}

const MAX_PHASES = 16;

/**
 * Trains, from where the run is.
 * @throws ProgramError, ValueError, CodecError
 */
export async function train(
  store: RunStore,
  input: TrainInput,
  tell: (event: TrainEvent) => void = () => undefined,
  phase: RunPhase = runAtOnce,
): Promise<Trained> {
  const run = await openRun(store, input, tell, phase);
  const { prove, steps } = input;
  await run.check();
  const states = run.states;
  if (prove !== undefined && prove !== 'none') {
    const [first, last] = prove;
    if (last >= states)
      throw new ValueError(`the run has ${plural(states, 'step')}, none of the number ${last}`, {
        remedy: states === 0 ? 'train first: --steps N' : `counted from 0, the last one is ${states - 1}`,
      });
    for (let k = first; k <= last; k++) await run.prove(k);
  } else {
    if (prove === undefined && steps > 0) await run.linkStart();
    if (prove === undefined) for (let k = 0; k < Math.min(states, steps); k++) await run.prove(k);
    while (run.states < steps) {
      await run.step();
      if (prove === undefined) await run.prove(run.states - 1);
    }
  }
  return { header: run.header, steps: run.states, proved: await run.countProofs() };
}

async function openRun(
  store: RunStore,
  input: TrainInput,
  tell: (event: TrainEvent) => void,
  phase: RunPhase,
): Promise<Run> {
  const { nonce } = input;
  const there = await readHeader(store);
  if (there === undefined) {
    const { calibration, start } = input;
    if (calibration === undefined || start === undefined)
      throw new ValueError('a new run needs a calibration, and something to begin with');
    const program = await phase('compile', () => phaseProgram(input.model, calibration));
    checkSteps(program, input.steps);
    const header = await beginRun(store, { ...input, calibration, program, start }, phase);
    tell({ kind: 'begun', header, states: 0 });
    return new Run(store, input, header, 0, program, tell, phase);
  }
  let states = 0;
  while ((await store.has(runFiles.state(states + 1))) && (await store.has(runFiles.stateOpening(states + 1))))
    states++;
  let header = there;
  if (nonce !== undefined && nonce !== header.nonce) {
    if (header.nonce !== undefined || states > 0 || (await store.has(runFiles.link(0))))
      throw new ValueError(
        header.nonce === undefined
          ? 'the order of rows was fixed when the first step was made'
          : `the run has the nonce ${header.nonce}`,
        { remedy: 'leave --nonce out to go on with this run, or begin another one' },
      );
    header = { ...header, nonce };
    await store.write([{ name: runFiles.header, bytes: utf8ToBytes(encodeHeader(header)) }]);
  }
  const program = await phase('compile', () => phaseProgram(input.model, phaseOf(header, states).calibration));
  if (program.texts !== header.model || program.digest !== phaseOf(header, states).program)
    throw new ValueError('the run was begun with another model: other texts, or other dimensions', {
      remedy: 'give the .zkl program that it was begun with, or begin another run',
    });
  checkSteps(program, input.steps);
  await checkStart(store, program, input.start);
  tell({ kind: 'resumed', header, states });
  return new Run(store, input, header, states, program, tell, phase);
}

function checkSteps({ model }: PhaseProgram, steps: number): void {
  if (steps > model.steps)
    throw new ValueError(`${steps} steps are asked for, and the program counts ${plural(model.steps, 'step')}`, {
      remedy: `ask for at most ${model.steps}, or write \`public step: index<${steps}>\``,
    });
}

/** A run that is open: what is computed once for a phase is kept. */
class Run {
  header: RunHeader;
  /** Steps that are made. */
  states: number;
  readonly #store: RunStore;
  readonly #input: TrainInput;
  readonly #tell: (event: TrainEvent) => void;
  readonly #phase: RunPhase;
  readonly #sampler: Sampler | undefined;
  readonly #programs = new Map<string, PhaseProgram>();
  readonly #provers = new Map<string, Promise<Prover>>();
  readonly #inputs = new Map<string, StepInputs>();
  #numbers: ReadonlyMap<TensorId, Numbers> | undefined;
  #last: { readonly step: number; readonly state: IntegerState } | undefined;

  constructor(
    store: RunStore,
    input: TrainInput,
    header: RunHeader,
    states: number,
    program: PhaseProgram,
    tell: (event: TrainEvent) => void,
    phase: RunPhase,
  ) {
    [this.#store, this.#input, this.header, this.states] = [store, input, header, states];
    [this.#tell, this.#phase] = [tell, phase];
    const { rows, batch } = header;
    this.#sampler = program.model.rows && createSampler({ seed: samplingSeed(header), rows, batch });
    this.#programs.set(program.digest, program);
  }

  #rows = (step: number): number[] => this.#sampler?.rows(step) ?? [];

  async #programOf({ program: digest, calibration }: Phase): Promise<PhaseProgram> {
    const kept = this.#programs.get(digest);
    if (kept !== undefined) return kept;
    const made = await this.#phase('compile', () => phaseProgram(this.#input.model, calibration));
    if (made.digest !== digest)
      throw new ValueError(`the program of a phase is ${made.digest}, its header says ${digest}`);
    this.#programs.set(digest, made);
    return made;
  }

  /** The numbers that every step reads, for all phases: they do not hang on scales. */
  async #read(model: TrainingModel): Promise<ReadonlyMap<TensorId, Numbers>> {
    this.#numbers ??= await this.#phase('read weights and data', () => readNumbers(model, this.#input.sources));
    return this.#numbers;
  }

  async #file(name: string): Promise<Uint8Array> {
    const bytes = await this.#store.read(name);
    if (bytes !== undefined) return bytes;
    throw new ValueError(`${name} is missing`, { remedy: 'it is needed to go on: take it from a copy of the run' });
  }

  async #stateWeights(step: number): Promise<Weights> {
    const name = runFiles.state(step);
    return (await readSafetensors(bytesSource(name, await this.#file(name)))).reader;
  }

  async #state(step: number, { model }: PhaseProgram): Promise<IntegerState> {
    if (this.#last?.step === step) return this.#last.state;
    return readState(model, await this.#stateWeights(step));
  }

  /** Shows which adapter the run began with, by its ordinary commitment; that of a seed everybody works out. */
  async linkStart(): Promise<void> {
    if (this.header.seed !== undefined) return;
    const { bundle, model } = await this.#programOf(this.header.phases[0]);
    await linkStart(this.#store, this.header, bundle, beginningOf(model), this.#input.device, this.#phase);
  }

  /** Makes the next step: its state is written with the one opening that it will ever have. */
  async step(): Promise<void> {
    const step = this.states;
    const { state, losses } = await this.#exactStep(step, true);
    const { bytes, model } = await this.#programOf(phaseOf(this.header, step));
    const { device } = this.#input;
    const made = await commitOutput(bytes, STATE, stateWeights(model, state), { device });
    await this.#store.write([
      { name: runFiles.stateOpening(step + 1), bytes: made.opening, secret: true },
      { name: runFiles.state(step + 1), bytes: encodeState(model, state), secret: true },
    ]);
    this.#last = { step: step + 1, state };
    this.states = step + 1;
    this.#tell({ kind: 'step', step, losses });
  }

  async #exactStep(step: number, mayRecalibrate: boolean): ReturnType<typeof exactStep> {
    const program = await this.#programOf(phaseOf(this.header, step));
    const { model, digest } = program;
    const kept = this.#inputs.get(digest);
    const inputs = kept ?? stepInputs(model, await this.#read(model));
    this.#inputs.clear();
    this.#inputs.set(digest, inputs);
    const before = await this.#state(step, program);
    try {
      const at = { step, rows: this.#rows(step) };
      return await this.#phase('train', () => exactStep(model, inputs, before, at, this.#input.device));
    } catch (error) {
      if (!(error instanceof EvaluationError) || !mayRecalibrate) throw error;
      await this.#recalibrate(step, model, floatsOf(model, before), error);
      return this.#exactStep(step, false);
    }
  }

  /** A new phase from this step on: other scales, and the same types of states. */
  async #recalibrate(
    step: number,
    own: TrainingModel,
    state: ReadonlyMap<string, Numbers>,
    error: EvaluationError,
  ): Promise<void> {
    const { model, phases = MAX_PHASES, floats } = this.#input;
    // A phase of which no step was made is replaced.
    const kept = this.header.phases.filter(({ first }) => first < step);
    if (kept.length >= phases)
      throw new ValueError(`${error.message}: the run has ${plural(kept.length, 'phase')}, and may have no more`, {
        remedy: 'allow more with --phases N, or begin again with a calibration of more headroom',
      });
    const calibration = await recalibrated(
      { input: model, device: floats, began: this.header.phases[0].calibration, numbers: await this.#read(own) },
      { step, most: own.steps, state, rows: this.#rows },
      this.#phase,
    );
    const program = await this.#phase('compile', () => phaseProgram(model, calibration));
    this.#programs.set(program.digest, program);
    this.header = { ...this.header, phases: [...kept, { first: step, calibration, program: program.digest }] };
    await this.#store.write([
      { name: runFiles.program(program.digest), bytes: program.bytes },
      { name: runFiles.header, bytes: utf8ToBytes(encodeHeader(this.header)) },
    ]);
    this.#tell({ kind: 'phase', first: step, because: error.message });
  }

  /** Refuses weights and data that are not those that were committed to. @throws ValueError */
  async check(): Promise<void> {
    await this.#open(await this.#programOf(phaseOf(this.header, this.states)), this.states);
  }

  async #open(program: PhaseProgram, step: number): Promise<Prover> {
    const kept = this.#provers.get(program.digest);
    if (kept !== undefined) return kept;
    const made = Promise.resolve(this.#phase('open', () => this.#prover(program, step)));
    // Only the last phase's is kept.
    this.#provers.clear();
    this.#provers.set(program.digest, made);
    return made;
  }

  async #prover(program: PhaseProgram, step: number): Promise<Prover> {
    const { device, sources } = this.#input;
    const opened = program.bundle.gadgets.sources.map(async ({ name }) =>
      name === STATE
        ? {
            source: name,
            opening: await this.#file(runFiles.stateOpening(step)),
            weights: await this.#stateWeights(step),
          }
        : { source: name, opening: await this.#file(runFiles.opening(name)), weights: sources.get(name) ?? new Map() },
    );
    return createProver(program.bytes, { device, sources: await Promise.all(opened) });
  }

  #isProved = (step: number): Promise<boolean> =>
    isProved(this.#store, runFiles.proof(step), {
      ...{ reads: [runFiles.stateOpening(step)], makes: runFiles.stateOpening(step + 1) },
      context: stepContext(this.header, step),
    });

  /** Proves a step that is made, unless it is proved. */
  async prove(step: number): Promise<void> {
    if (await this.#isProved(step)) return;
    const program = await this.#programOf(phaseOf(this.header, step));
    const ready = await this.#open(program, step);
    const { step: counter, rows } = program.model;
    const inputs = new Map([[counter.name, [step] as readonly number[]]]);
    if (rows !== undefined) inputs.set(rows.name, this.#rows(step));
    const opening = await this.#file(runFiles.stateOpening(step));
    const weights = await this.#stateWeights(step);
    const { proof } = await this.#phase('prove', async (report) =>
      ready.prove(inputs, {
        context: stepContext(this.header, step),
        sources: new Map([[STATE, { opening, weights }]]),
        outputs: new Map([[STATE, await this.#file(runFiles.stateOpening(step + 1))]]),
        progress: ({ phase, done }) => report(done, phase),
      }),
    );
    await this.#store.write([{ name: runFiles.proof(step), bytes: proof }]);
    this.#tell({ kind: 'proved', step, bytes: proof.length });
  }

  /** Steps from the first on that are proved. */
  async countProofs(): Promise<number> {
    let count = 0;
    while (count < this.states && (await this.#isProved(count))) count++;
    return count;
  }
}
