/** Training in integers beside training in float64, of a real model: all gradients, and 50 steps. */
import { describe, expect, test, vi } from 'vitest';
import { testDevice } from '../kit/devices.ts';
import { adamwOf, curveOf, gradientsOf } from '../models/training/integers.ts';
import { nearness, storiesAdamW, storiesAll, storiesQv } from '../models/training/vectors.ts';

vi.setConfig({ testTimeout: 1_200_000 });

const device = await testDevice();

describe.each([
  ['q and v', storiesQv],
  ['all projections', storiesAll],
] as const)('stories260k, %s', (what, read) => {
  test('every gradient', async (context) => {
    const { near } = await gradientsOf(await read(context), device, 6);
    const cosine = Math.min(...near.map((one) => one.cosine));
    console.log(`${what}: cosine at least ${cosine}, error at most ${near[0].error} (${near[0].name})`);
    expect(cosine).toBeGreaterThan(0.999);
    expect(near[0].error).toBeLessThan(0.01);
  });
});

test('50 steps of AdamW on stories260k', async (context) => {
  const vector = await storiesAdamW(context);
  const optimizer = adamwOf(vector.hyperparameters);
  const { losses, apart, weights } = await curveOf(vector, optimizer, device, { steps: 50, seen: 6 });
  const near = [...vector.trained].map(([name, { values }]) => nearness(weights.get(name) ?? [], values));
  const error = Math.max(...near.map((one) => one.error));
  console.log(`losses ${Math.max(...apart)} apart at most, weights ${error}`);
  for (const [k, off] of apart.entries()) expect(off, `step ${k}`).toBeLessThan(0.02);
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  expect(mean(losses.slice(40))).toBeLessThan(0.8 * mean(losses.slice(0, 10)));
});
