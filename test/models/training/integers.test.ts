/** The integers of training steps, with scales that calibration chooses: near torch's float64, and the reference interpreter's. */
import { describe, expect, test, type TestContext } from 'vitest';
import { interpret } from '../../../compiler/interpret/index.ts';
import type { AdapterWeights } from '../../../models/adapters/peft.ts';
import { evaluateExactly, evaluateOn, type Values } from '../../../runtime/evaluate/index.ts';
import { testDevice } from '../../kit/devices.ts';
import { calibrated, curveOf, gradientsOf, integerRun, momentumOf, trainingOf } from './integers.ts';
import { gpt2Fused, llamaAll, llamaMomentum, nearness, storiesQv, type GradientVector } from './vectors.ts';

const device = await testDevice();

// stories260k with all projections, and its whole curve: `npm run fidelity`.
describe.each<[string, (context: TestContext) => Promise<GradientVector>]>([
  ['GPT-2, the fused q, k and v', gpt2Fused],
  ['LLaMA, all projections', llamaAll],
  ['stories260k, q and v', storiesQv],
])('%s', (_, read) => {
  test('every gradient', async (context) => {
    const vector = await read(context);
    const { loss, near } = await gradientsOf(vector, device, 2);
    expect(Math.abs(loss / vector.loss - 1)).toBeLessThan(1e-3);
    expect(near.length).toBe(vector.gradients.size);
    for (const { name, cosine, error } of near) {
      expect(cosine, name).toBeGreaterThan(0.999);
      expect(error, name).toBeLessThan(0.01);
    }
  });
});

test('50 steps with momentum and clipping', async () => {
  const vector = await llamaMomentum();
  const optimizer = momentumOf(vector.hyperparameters);
  const { losses, apart, weights } = await curveOf(vector, optimizer, device, { steps: 50, seen: 6 });
  for (const [k, off] of apart.entries()) expect(off, `step ${k}`).toBeLessThan(0.02);
  // Nothing counts at step 20, and the run goes on.
  expect(losses[20]).toBe(0);
  expect(losses[49]).toBeLessThan(0.75 * losses[0]);
  for (const [name, { values }] of vector.trained)
    expect(nearness(weights.get(name)!, values).cosine, name).toBeGreaterThan(0.999);
});

/** As the vector, with random tokens, masks and weights. */
function randomized(vector: GradientVector): GradientVector {
  let state = 1;
  const next = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const most = vector.data.tokens.reduce((a, b) => Math.max(a, b), 1);
  const data = {
    ...vector.data,
    tokens: vector.data.tokens.map(() => Math.floor(next() * most)),
    mask: vector.data.mask.map(() => Math.floor(next() * 2)),
  };
  const start: AdapterWeights = new Map(
    [...vector.start].map(([name, { shape, values }]) => [
      name,
      { shape, values: values.map(() => (next() - 0.5) / 2) },
    ]),
  );
  return { ...vector, data, start };
}

const bigints = (values: Values): bigint[] => Array.from<number | bigint, bigint>(values, BigInt);

test.each([
  ['LLaMA', llamaAll],
  ['GPT-2', gpt2Fused],
] as const)('every integer of two steps of %s is the interpreter’s', async (_, read) => {
  const training = await trainingOf(randomized(await read()), 2, { name: 'adamw', limit: 1 });
  const { calibration } = await calibrated(training, device, [
    [1, 0],
    [0, 1],
  ]);
  const run = integerRun(training, device, calibration);
  const { tensors } = run.program;
  for (const rows of [
    [1, 0],
    [0, 1],
  ]) {
    const inputs = run.inputs(rows);
    const expected = interpret(
      run.program,
      new Map([...inputs].map(([id, values]) => [id, { shape: tensors[id].shape, values: bigints(values) }])),
    );
    const found = [evaluateExactly(run.program, inputs), await evaluateOn(device, run.program, inputs)];
    for (const values of found) {
      expect(values.size).toBe(tensors.length);
      for (const { id, name } of tensors) expect(bigints(values.get(id)!), name).toEqual(expected.get(id)!.values);
    }
    await run.step(rows);
  }
});
