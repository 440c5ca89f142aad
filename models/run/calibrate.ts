/** Scales of a step of training, from what a run would begin with: what `zkl calibrate --data` does. */
import type { WeightMap, Weights } from '../../runtime/weights.ts';
import type { Device } from '../../runtime/device/device.ts';
import { createSampler } from '../../runtime/run/sampling.ts';
import type { ModelInput } from '../calibrate/model.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { calibrateTraining, type TrainingCalibration } from '../train/calibrate.ts';
import { readNumbers } from '../train/data.ts';
import { firstFloats } from '../train/floats.ts';
import { trainingModel } from '../train/model.ts';
import { startingWeights, type Start } from '../train/start.ts';

export interface CalibrateStepsInput extends ModelInput {
  /** Weights of every source that a step reads besides its state, by source. */
  readonly sources: ReadonlyMap<string, Weights | WeightMap>;
  /** What training begins with; default: a new adapter. */
  readonly start?: Start | undefined;
  /** In float64; default 8. */
  readonly steps?: number | undefined;
  /** Of open weights whose types the text leaves open; default 16. */
  readonly weightBits?: number | undefined;
  /** Where large products of matrices are made; default: on this thread. It has float64, as the WASM device does. */
  readonly device?: Device | undefined;
}

const STEPS = 8;

/** Rows and the new adapter are those of this seed, so that calibrating twice gives the same scales. */
const SEED = new Uint8Array(32);

/**
 * Chooses scales from a few steps in float64. The same input gives the same scales.
 * @throws ProgramError for a program that cannot be run; ValueError for weights and data that do not fit it; ArgumentError
 */
export async function calibrateSteps(
  input: CalibrateStepsInput,
  phase: RunPhase = runAtOnce,
): Promise<TrainingCalibration> {
  const { sources, start = { seed: SEED }, steps = STEPS, ...others } = input;
  const model = await phase('check', () => trainingModel(input, { provisional: true }));
  const given = await phase('read weights and data', () => readNumbers(model, sources));
  const first = firstFloats(model, await startingWeights(model, start));
  const sampler = model.rows && createSampler({ seed: SEED, rows: model.rows.count, batch: model.rows.batch });
  const batches = Array.from({ length: Math.min(steps, model.steps) }, (_, k) => sampler?.rows(k) ?? []);
  return calibrateTraining(others, model, given, first, batches, phase);
}
