/** The adapter of a run: as PEFT reads it, with an ordinary commitment, and the proof that it is what a state holds. */
import { decodeBundle, type Bundle } from '../../compiler/bundle/bundle.ts';
import { STATE } from '../../compiler/check/optimizers/step.ts';
import { CodecError, ValueError } from '../../compiler/ir/errors.ts';
import type { CommittedSource } from '../../compiler/ir/gadget/program.ts';
import { plural } from '../../compiler/ir/words.ts';
import type { Device } from '../../runtime/device/device.ts';
import { commit, createProver } from '../../runtime/prover/index.ts';
import { decodeOpening } from '../../runtime/codec/files.ts';
import { linkContext, type RunHeader } from '../../runtime/run/header.ts';
import { toHex } from '../../runtime/verifier/verdict.ts';
import type { WeightMap } from '../../runtime/weights.ts';
import { readSafetensors } from '../files/safetensors.ts';
import { bytesSource } from '../files/source.ts';
import { writeAdapter } from '../adapters/write.ts';
import { runAtOnce, type RunPhase } from '../phases.ts';
import { canLink, linkBundle, type Beginning } from './link.ts';
import { isProved } from './proved.ts';
import { readHeader, runFiles, type RunStore } from './store.ts';

export interface ExportedAdapter {
  /** `adapter_config.json`, and the bytes of `adapter_model.safetensors`. */
  readonly config: string;
  readonly tensors: Uint8Array;
  /** The ordinary commitment, as programs take it that serve the adapter, and what opens it. */
  readonly commitment: Uint8Array;
  readonly opening: Uint8Array;
  /** Of the commitment, hex. */
  readonly digest: string;
  /** The step that the state is before: how many steps were made. */
  readonly step: number;
  readonly header: RunHeader;
}

/** How a step lays out the state that it puts out. */
export function stateLayout({ gadgets }: Bundle): CommittedSource {
  const layout = (gadgets.outputs ?? []).find(({ name }) => name === STATE);
  if (layout === undefined) throw new CodecError('the program is no step of training: it puts out no state');
  return layout;
}

/**
 * The adapter after a number of steps; default: after the last. Its commitment and the proof of the link are made once, and kept
 * with the run.
 *
 * @param config the text of `adapter_config.json`; default: the run's
 * @throws ValueError, CodecError
 */
export async function exportAdapter(
  store: RunStore,
  given: { readonly step?: number | undefined; readonly config?: string | undefined; readonly device: Device },
  phase: RunPhase = runAtOnce,
): Promise<ExportedAdapter> {
  const { device } = given;
  const header = await readHeader(store);
  if (header === undefined) throw new CodecError('there is no run.json: this is no run');
  let last = 0;
  while (await store.has(runFiles.state(last + 1))) last++;
  const { step = last } = given;
  if (step > last)
    throw new ValueError(`the run has ${plural(last, 'step')}: there is no state after ${step}`, {
      remedy: `give --step ${last} or less`,
    });
  if (step === 0 && !(await store.has(runFiles.link(0))))
    throw new ValueError('the state before the first step is what the run began with', {
      remedy: 'give --step 1 or more',
    });
  const kept = await store.read(runFiles.adapter);
  const config = given.config ?? (kept && new TextDecoder().decode(kept));
  if (config === undefined)
    throw new ValueError('the model says no number `alpha`, so what scales the adapter is not known', {
      remedy: 'give the configuration that PEFT is to read: --config adapter_config.json',
    });
  const layout = stateLayout(decodeBundle(await read(store, runFiles.program(header.phases[0].program))));
  const weights = await stateOf(store, step, layout);
  const adapter = adapterOf(weights);
  const made = await link(store, header, { step, layout, weights, adapter, device }, phase);
  return { ...made, config, tensors: writeAdapter(adapter), step, header };
}

async function read(store: RunStore, name: string): Promise<Uint8Array> {
  const bytes = await store.read(name);
  if (bytes !== undefined) return bytes;
  throw new ValueError(`${name} is missing`, { remedy: 'take it from a copy of the run' });
}

async function stateOf(store: RunStore, step: number, { tensors }: CommittedSource): Promise<WeightMap> {
  const name = runFiles.state(step);
  const file = await readSafetensors(bytesSource(name, await read(store, name)));
  const out = new Map<string, { shape: readonly number[]; values: Float64Array }>();
  for (const { name: tensor, axes } of tensors)
    out.set(tensor, { shape: axes.map((a) => a.length), values: await file.readFloats(tensor) });
  return out;
}

/** The weights of a state, by their own names. */
const adapterOf = (state: WeightMap): WeightMap =>
  new Map([...state].flatMap(([name, tensor]) => (name.startsWith('w:') ? [[name.slice(2), tensor] as const] : [])));

interface ToLink {
  readonly step: number;
  readonly layout: CommittedSource;
  readonly weights: WeightMap;
  readonly adapter: WeightMap;
  /** Of the state before the first step. */
  readonly beginning?: Beginning;
  readonly device: Device;
}

/** Commits to the adapter of a state and proves that it is: once, whatever interrupts it. */
async function link(
  store: RunStore,
  header: RunHeader,
  { step, layout, weights, adapter, beginning, device }: ToLink,
  phase: RunPhase,
): Promise<Pick<ExportedAdapter, 'commitment' | 'opening' | 'digest'>> {
  const bundle = linkBundle(layout, beginning);
  const [openingName, commitmentName] = [runFiles.linkOpening(step), runFiles.linkCommitment(step)];
  // The commitment is written after its opening, and proved when both are there.
  if (!(await store.has(commitmentName))) {
    const made = await phase('commit to the adapter', () => commit(bundle, 'adapter', adapter, { device }));
    await store.write([
      { name: openingName, bytes: made.opening, secret: true },
      { name: commitmentName, bytes: made.commitment },
    ]);
  }
  const [opening, commitment] = [await read(store, openingName), await read(store, commitmentName)];
  const sources = [
    { source: 'adapter', opening, weights: adapter },
    { source: STATE, opening: await read(store, runFiles.stateOpening(step)), weights },
  ];
  const context = linkContext(header, step);
  const reads = [openingName, runFiles.stateOpening(step)];
  if (!(await isProved(store, runFiles.link(step), { reads, context }))) {
    const { proof } = await phase('prove the link', async () => {
      const prover = await createProver(bundle, { device, sources });
      return prover.prove(new Map(), { context });
    });
    await store.write([{ name: runFiles.link(step), bytes: proof }]);
  }
  return { commitment, opening, digest: toHex(decodeOpening(opening).commitment) };
}

/** Links the adapter that a run begins with to its first state, unless that is done, or a state begins as something that is rounded. */
export async function linkStart(
  store: RunStore,
  header: RunHeader,
  bundle: Bundle,
  beginning: Beginning,
  device: Device,
  phase: RunPhase,
): Promise<void> {
  const layout = stateLayout(bundle);
  if (!canLink(layout, beginning) || (await store.has(runFiles.link(0)))) return;
  const weights = await stateOf(store, 0, layout);
  await link(store, header, { step: 0, layout, weights, adapter: adapterOf(weights), beginning, device }, phase);
}
