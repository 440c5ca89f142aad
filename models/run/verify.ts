/** A run as `verifyRun` takes it: from where it is kept, and the verifier's own text. */
import { CodecError, ValueError } from '../../compiler/ir/errors.ts';
import type { Bundle } from '../../compiler/bundle/bundle.ts';
import type { OwnProgram, RunToVerify } from '../../runtime/run/chain.ts';
import type { Phase } from '../../runtime/run/header.ts';
import { ProgramError, type ModelInput } from '../calibrate/model.ts';
import { firstState, stateWeights } from '../train/integers.ts';
import { beginningOf, linkBundle } from './link.ts';
import { stateLayout } from './export.ts';
import { phaseProgram, type PhaseProgram } from './phase.ts';
import { trainingModel, type TrainingModel } from '../train/model.ts';
import { weightsOfSeed } from '../train/start.ts';
import { readHeader, runFiles, type RunStore } from './store.ts';

/**
 * Compiles a text with the types of a phase; a reason where the text is sound, and these are no types of it.
 * @throws ProgramError; ValueError where the model trains nothing
 */
export function ownProgram(
  input: ModelInput,
  calibration: Phase['calibration'],
): (OwnProgram & { readonly decoded: Bundle }) | string {
  const made = phaseOrReason(input, calibration);
  if (typeof made === 'string') return made;
  const { bytes, bundle, model, texts } = made;
  return {
    bundle: bytes,
    decoded: bundle,
    model: texts,
    keys: keysOf(model),
    start: (seed: Uint8Array) =>
      orReason(() => {
        const numbers = stateWeights(model, firstState(model, weightsOfSeed(model, seed)));
        return new Map([...numbers].map(([tensor, { values }]) => [tensor, values]));
      }),
    link: (isStart: boolean) =>
      orReason(() => linkBundle(stateLayout(bundle), isStart ? beginningOf(model) : undefined)),
  };
}

/** Of values and weights that the program has, and of what types of states are made of. */
const keysOf = ({ program, state }: TrainingModel): ReadonlySet<string> =>
  new Set([
    ...program.tensors.flatMap(({ key }) => (key === undefined ? [] : [key])),
    ...state.map(({ state: { weight } }) => `${weight.source}:${weight.name}.state`),
  ]);

function phaseOrReason(input: ModelInput, calibration: Phase['calibration']): PhaseProgram | string {
  try {
    return phaseProgram(input, calibration);
  } catch (error) {
    if (!(error instanceof ProgramError || error instanceof ValueError)) throw error;
    // Whose fault is it? Types are the trainer's, and the text is the verifier's.
    trainingModel(input, { provisional: true });
    return `with the types of the phase the text that is given is no program: ${reasonOf(error)}`;
  }
}

const reasonOf = (error: ProgramError | ValueError): string =>
  error instanceof ProgramError && error.problem.kind === 'errors'
    ? error.problem.diagnostics.map(({ code, label = '' }) => `${code} ${label}`).join('; ')
    : error.message;

function orReason<T>(make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    if (error instanceof ValueError) return error.message;
    throw error;
  }
}

/**
 * @param steps one more than the number of the last proof
 * @param links states that have a link
 * @throws CodecError where there is no run
 */
export async function readRun(store: RunStore, steps: number, links: readonly number[] = []): Promise<RunToVerify> {
  const header = await readHeader(store);
  if (header === undefined) throw new CodecError('there is no run.json');
  const read = async (name: string): Promise<Uint8Array> => {
    const bytes = await store.read(name);
    if (bytes !== undefined) return bytes;
    throw new CodecError(`${name} is missing`);
  };
  return {
    ...{ header, steps, links },
    commitment: (source) => read(runFiles.commitment(source)),
    proof: (step) => store.read(runFiles.proof(step)),
    link: async (step) => ({
      commitment: await read(runFiles.linkCommitment(step)),
      proof: await read(runFiles.link(step)),
    }),
  };
}
