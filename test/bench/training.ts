/**
 * Steps of fine-tuning beside forward proofs with the loss, on the same data, weights and scales, in one run. Each step begins where the one before it
 * ended, so that they are also verified together, as those of a run are.
 */
import { compile, commit, createProver, createVerifier } from '../../index.ts';
import type { Device } from '../../runtime/device/device.ts';
import { openCheckpoint } from '../../models/files/checkpoint.ts';
import { importModel } from '../../models/import/model.ts';
import { bytesSource } from '../../models/index.ts';
import { calibrateTraining } from '../../models/train/calibrate.ts';
import { firstFloats } from '../../models/train/floats.ts';
import { stateName, trainingModel } from '../../models/train/model.ts';
import { startingValues } from '../../runtime/run/start.ts';
import { createSampler } from '../../runtime/run/sampling.ts';
import type { Numbers } from '../../runtime/evaluate/index.ts';
import type { WeightMap } from '../../runtime/prover/index.ts';
import { resolveImport } from '../compiler/standard.ts';
import { checkpointFiles, countsOf, median, proveAndVerify, type ModelShape, type Timed } from './models.ts';

export interface TrainingShape {
  readonly targets: readonly string[];
  readonly rank: number;
  /** Sequences a step, of `tokens` tokens each. */
  readonly batch: number;
}

const ROWS = 64;
const STEPS = 3;

/** The program that only computes the loss: its adapter is a source as any other. */
const forwardOf = (text: string): string =>
  text
    .replace(/ *train \{\n/, '')
    .replace(/ *public step: .*\n/, '')
    .replace(/ *minimize .*\n *\}\n/, '')
    .replace(/, adamw/, '');

/** The source and the output that a state is. */
const STATE = 'state';

interface Proved extends Timed {
  /** Milliseconds of each step where so many are verified together. */
  readonly together?: { readonly steps: number; readonly each: number[] };
  readonly counts: Readonly<Record<string, number>>;
}

export async function benchTraining(
  shape: ModelShape,
  { targets, rank, batch }: TrainingShape,
  device: Device,
  runs: number,
  say: (line: string) => void,
): Promise<void> {
  const files = checkpointFiles(shape);
  const checkpoint = await openCheckpoint({
    name: 'model',
    open: async (name) => {
      const bytes = files.get(name);
      return bytes && bytesSource(name, bytes);
    },
  });
  const choice = { targets, rank, alpha: 2 * rank, batch, examples: ROWS, steps: 1000, publicLoss: true };
  const { text } = await importModel(checkpoint, [], shape.tokens, undefined, choice);
  const input = { text, source: 'model.zkl', resolveImport };
  const model = trainingModel(input, { provisional: true });
  const vocabulary = Number(shape.config['vocab_size']);
  const length = shape.tokens + 1;
  const data: WeightMap = new Map([
    [
      'tokens',
      {
        shape: [ROWS, length],
        values: Float64Array.from({ length: ROWS * length }, (_, i) => (i * 7919 + 13) % vocabulary),
      },
    ],
    ['mask', { shape: [ROWS, length], values: new Float64Array(ROWS * length).fill(1) }],
  ]);
  const given = new Map<number, Numbers>();
  const base = new Map<string, { shape: readonly number[]; values: ArrayLike<number> }>();
  for (const { id, role, shape: own, file } of model.program.tensors) {
    if (role !== 'input' || file === undefined) continue;
    const [name] = file.names;
    if (file.source === 'data') given.set(id, data.get(name)?.values as Float64Array);
    if (file.source !== 'base') continue;
    const values = await checkpoint.readFloats(name);
    given.set(id, values);
    base.set(name, { shape: own, values });
  }
  const seed = new Uint8Array(32);
  const shapes = new Map(model.state.map(({ input: { shape: own }, state }) => [state.weight.name, own]));
  const first = firstFloats(model, (name) => startingValues(seed, { name, shape: shapes.get(name) ?? [], frac: 14 }));
  const sampler = createSampler({ seed, rows: ROWS, batch });
  const batches = Array.from({ length: STEPS }, (_, k) => sampler.rows(k));
  const since = performance.now();
  const { calibration } = await calibrateTraining({ ...input, device }, model, given, first, batches);
  say(`${shape.title.split(',')[0]}, ${batch} x ${shape.tokens} tokens, rank ${rank} on ${targets.join(' and ')}`);
  say(`  calibrate on ${STEPS} steps ${(performance.now() - since).toFixed(0)} ms`);

  const statesOf = (kind: (name: string) => boolean): WeightMap =>
    new Map(
      model.state
        .filter(({ input: tensor }) => kind(stateName(tensor)))
        .map(({ input: tensor }) => [
          stateName(tensor),
          { shape: tensor.shape, values: first.get(stateName(tensor)) ?? new Float64Array() },
        ]),
    );
  const adapter: WeightMap = new Map(
    [...statesOf((name) => name.startsWith('w:'))].map(([name, values]) => [name.slice(2), values]),
  );
  const rows = batches[0];
  const forward = await measure(
    { ...input, text: forwardOf(text) },
    new Map([
      ['base', base],
      ['data', data],
      ['adapter', adapter],
    ]),
    () => new Map([['rows', rows]]),
  );
  const step = await measure(
    input,
    new Map([
      ['base', base],
      ['data', data],
      ['state', statesOf(() => true)],
    ]),
    (k) =>
      new Map<string, readonly number[]>([
        ['rows', sampler.rows(k)],
        ['step', [k]],
      ]),
  );
  for (const [title, { proves, verifies, together, phases, bytes, counts }] of [
    ['forward with loss', forward],
    ['step', step],
  ] as const) {
    say(`  ${title}`);
    say(`    prove  ${median(proves).toFixed(0).padStart(7)} ms   (least ${Math.min(...proves).toFixed(0)})`);
    say(`    verify ${median(verifies).toFixed(0).padStart(7)} ms   (least ${Math.min(...verifies).toFixed(0)})`);
    if (together !== undefined)
      say(
        `    verify ${median(together.each).toFixed(0).padStart(7)} ms   (least ${Math.min(...together.each).toFixed(0)}) a step, ${together.steps} of them together`,
      );
    say(
      `    proof  ${bytes} bytes; ${Object.entries(counts)
        .map(([k, v]) => `${k} ${v}`)
        .join(', ')}`,
    );
    say(`    phases ${[...phases].map(([phase, ms]) => `${phase} ${median(ms).toFixed(0)} ms`).join(', ')}`);
  }
  say(`  step / forward with loss: ${(median(step.proves) / median(forward.proves)).toFixed(2)}`);

  async function measure(
    own: typeof input,
    sources: ReadonlyMap<string, WeightMap>,
    inputs: (step: number) => ReadonlyMap<string, readonly number[]>,
  ): Promise<Proved> {
    const { bundle, diagnostics } = compile({ ...own, calibration });
    if (!bundle) throw new Error(diagnostics.map((d) => `${d.title}: ${d.label}`).join('\n'));
    const committed = new Map<string, Awaited<ReturnType<typeof commit>>>();
    for (const [source, weights] of sources) committed.set(source, await commit(bundle, source, weights, { device }));
    const opened = [...sources].map(([source, weights]) => ({
      source,
      weights,
      opening: (committed.get(source) as Awaited<ReturnType<typeof commit>>).opening,
    }));
    const known = [...committed].filter(([source]) => source !== STATE);
    const expect = { sources: Object.fromEntries(known.map(([source, { digest }]) => [source, digest])) };
    const verifier = await createVerifier(bundle, { device, expect, limit: { milliseconds: 60_000, bytes: 2 ** 33 } });
    const register = async (): Promise<void> => {
      for (const { commitment } of committed.values()) {
        const verdict = await verifier.register(commitment);
        if (!verdict.ok) throw new Error(verdict.reason);
      }
    };
    await register();
    let prover = await createProver(bundle, { device, sources: opened });
    const timed = await proveAndVerify(
      async (made) => {
        const last = made.at(-1);
        const [state, adopted] = [last?.proved.outputs.get(STATE), last?.accepted.outputs.get(STATE)];
        if (state !== undefined && adopted !== undefined) {
          const verdict = await verifier.adopt(STATE, adopted);
          if (!verdict.ok) throw new Error(verdict.reason);
          const others = opened.filter(({ source }) => source !== STATE);
          prover = await createProver(bundle, { device, sources: [...others, { source: STATE, ...state }] });
        }
        return { prover, inputs: inputs(made.length) };
      },
      verifier,
      runs,
    );
    let together: Proved['together'];
    if (sources.has(STATE)) {
      await register();
      const proofs = timed.made.map(({ proved: { proof } }) => ({ proof }));
      together = { steps: proofs.length, each: [] };
      for (let i = 0; i <= runs; i++) {
        const start = performance.now();
        const accepted = await verifier.verifyTogether({ source: STATE, output: STATE }, proofs);
        if (accepted === undefined) throw new Error('steps are not accepted together');
        if (i > 0 || runs === 0) together.each.push((performance.now() - start) / proofs.length);
      }
    }
    verifier.close();
    return { ...timed, ...(together && { together }), counts: countsOf(bundle) };
  }
}
