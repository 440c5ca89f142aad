/** Scales of a new phase, where a value did not fit those of the last one. */
import type { TensorId } from '../../compiler/ir/tensor/program.ts';
import type { Device } from '../../runtime/device/device.ts';
import type { Numbers } from '../../runtime/evaluate/index.ts';
import type { ModelInput } from '../calibrate/model.ts';
import type { RunPhase } from '../phases.ts';
import { calibrateTraining } from '../train/calibrate.ts';
import type { FloatState } from '../train/floats.ts';
import { trainingModel } from '../train/model.ts';
import type { Scales } from './phase.ts';

/** Steps in float64 that scales are chosen from. */
const LOOK_AHEAD = 8;

/**
 * Scales from the next steps in float64. Types of states, and of all that was committed to, stay what they were when the run began.
 *
 * @param at the first step of the phase, how many there are at most, and the state before it
 */
export async function recalibrated(
  run: {
    readonly input: ModelInput;
    readonly device: Device | undefined;
    readonly began: Scales;
    readonly numbers: ReadonlyMap<TensorId, Numbers>;
  },
  at: {
    readonly step: number;
    readonly most: number;
    readonly state: FloatState;
    readonly rows: (step: number) => readonly number[];
  },
  phase: RunPhase,
): Promise<Scales> {
  const { input, device, began, numbers } = run;
  const provisional = trainingModel(input, { provisional: true });
  const batches = Array.from({ length: Math.min(LOOK_AHEAD, at.most - at.step) }, (_, k) => at.rows(at.step + k));
  const options = { ...input, device, states: began, from: at.step };
  const { calibration } = await calibrateTraining(options, provisional, numbers, at.state, batches, phase);
  const committed = provisional.program.tensors.flatMap(({ role, key }) =>
    role === 'input' && key !== undefined && Object.hasOwn(began, key) ? [[key, began[key]] as const] : [],
  );
  return { ...calibration, ...Object.fromEntries(committed) };
}
