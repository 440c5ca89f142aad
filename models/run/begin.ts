/** The beginning of a run: everything that steps read is committed to before the order of rows is drawn. */
import { STATE } from '../../compiler/check/optimizers/step.ts';
import { ValueError } from '../../compiler/ir/errors.ts';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Device } from '../../runtime/device/device.ts';
import { commit, commitKnown } from '../../runtime/prover/index.ts';
import { freshEntropy } from '../../runtime/prover/randomness.ts';
import { encodeHeader, type RunHeader } from '../../runtime/run/header.ts';
import { toHex } from '../../runtime/verifier/verdict.ts';
import type { WeightMap, Weights } from '../../runtime/weights.ts';
import type { RunPhase } from '../phases.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { bytesSource } from '../files/source.ts';
import { encodeState, firstState, readState, stateWeights } from '../train/integers.ts';
import type { PhaseProgram, Scales } from './phase.ts';
import { startingWeights, type Start } from '../train/start.ts';
import { runFiles, type RunFile, type RunStore } from './store.ts';

export interface BeginInput {
  readonly calibration: Scales;
  readonly program: PhaseProgram;
  readonly sources: ReadonlyMap<string, Weights | WeightMap>;
  readonly start: Start;
  /** Hex. */
  readonly nonce?: string | undefined;
  /** The text of `adapter_config.json`. */
  readonly adapterConfig?: string | undefined;
  readonly device: Device;
}

/**
 * Commits to all that steps read and to the state before the first, and writes the header, which is what makes a run of the files: whatever
 * is there of a beginning that was interrupted is made again.
 */
export async function beginRun(store: RunStore, given: BeginInput, phase: RunPhase): Promise<RunHeader> {
  const { calibration, program, sources, start, nonce, adapterConfig, device } = given;
  const { bytes, bundle, model, digest } = program;
  if (await store.has(runFiles.state(1)))
    throw new ValueError('there are states of a run, and no run.json: a new run would be written over them', {
      remedy: 'take run.json from a copy of the run, or name another directory',
    });
  const commitments: Record<string, string> = {};
  const secret: RunFile[] = [];
  for (const { name } of bundle.gadgets.sources) {
    if (name === STATE) continue;
    const weights = sources.get(name);
    if (weights === undefined)
      throw new ValueError(`there are no weights for the source "${name}"`, {
        tensor: name,
        problem: { kind: 'missing' },
      });
    const made = await phase(`commit to "${name}"`, () => commit(bytes, name, weights, { device }));
    await store.write([
      { name: runFiles.opening(name), bytes: made.opening, secret: true },
      { name: runFiles.commitment(name), bytes: made.commitment },
    ]);
    commitments[name] = toHex(made.digest);
  }
  const first = firstState(model, await startingWeights(model, start));
  const numbers = stateWeights(model, first);
  const made = await phase(`commit to "${STATE}"`, () =>
    'seed' in start ? commitKnown(bytes, STATE, numbers, { device }) : commit(bytes, STATE, numbers, { device }),
  );
  commitments[STATE] = toHex(made.digest);
  const header: RunHeader = {
    id: toHex(freshEntropy()),
    model: program.texts,
    commitments,
    ...('seed' in start ? { seed: toHex(start.seed) } : {}),
    rows: model.rows?.count ?? 1,
    batch: model.rows?.batch ?? 1,
    ...(nonce === undefined ? {} : { nonce }),
    phases: [{ first: 0, calibration, program: digest }],
  };
  if (adapterConfig !== undefined)
    secret.push({ name: runFiles.adapter, bytes: utf8ToBytes(adapterConfig), secret: true });
  await store.write([
    ...secret,
    { name: runFiles.stateOpening(0), bytes: made.opening, secret: true },
    { name: runFiles.state(0), bytes: encodeState(model, first), secret: true },
    { name: runFiles.program(digest), bytes },
    { name: runFiles.commitment(STATE), bytes: made.commitment },
    { name: runFiles.header, bytes: utf8ToBytes(encodeHeader(header)) },
  ]);
  return header;
}

/** Whether a run began with an adapter that is given. @throws ValueError where it began otherwise */
export async function checkStart(store: RunStore, { model }: PhaseProgram, start: Start | undefined): Promise<void> {
  const name = runFiles.state(0);
  const bytes = await store.read(name);
  if (start === undefined || 'seed' in start || bytes === undefined) return;
  const own = await readState(model, (await readSafetensors(bytesSource(name, bytes))).reader);
  const given = firstState(model, await startingWeights(model, start));
  for (const [tensor, values] of given)
    if (Array.from(values, BigInt).join() !== Array.from(own.get(tensor) ?? [], BigInt).join())
      throw new ValueError('the run began with another adapter', {
        remedy: 'leave --adapter out to go on with this run, or begin another one',
      });
}
