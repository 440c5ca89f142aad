/** A run as `verifyRun` takes it: from where it is kept, and the verifier's own text. */
import { CodecError } from '../../compiler/ir/errors.ts';
import type { Bundle } from '../../compiler/bundle/bundle.ts';
import type { OwnProgram, RunToVerify } from '../../runtime/run/chain.ts';
import type { Phase } from '../../runtime/run/header.ts';
import type { ModelInput } from '../calibrate/model.ts';
import { firstState, stateWeights } from '../train/integers.ts';
import { beginningOf, linkBundle } from './link.ts';
import { stateLayout } from './export.ts';
import { phaseProgram } from './phase.ts';
import { weightsOfSeed } from '../train/start.ts';
import { readHeader, runFiles, type RunStore } from './store.ts';

/** Compiles a text with the types of a phase. @throws ProgramError; ValueError where the model trains nothing */
export function ownProgram(
  input: ModelInput,
  calibration: Phase['calibration'],
): OwnProgram & { readonly decoded: Bundle } {
  const { bytes, bundle, model, texts } = phaseProgram(input, calibration);
  return {
    bundle: bytes,
    decoded: bundle,
    model: texts,
    start: (seed) => {
      const numbers = stateWeights(model, firstState(model, weightsOfSeed(model, seed)));
      return new Map([...numbers].map(([tensor, { values }]) => [tensor, values]));
    },
    link: (isStart) => linkBundle(stateLayout(bundle), isStart ? beginningOf(model) : undefined),
  };
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
