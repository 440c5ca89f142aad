/** Gradients of imported training steps, by reverse mode and in float64: those of torch and PEFT, and for every family slopes. */
import { describe, expect, test, type TestContext } from 'vitest';
import { adapterOf } from '../../../models/import/index.ts';
import { openAdapterOf as openAdapterOfCase, openCase, vectors, type Case } from '../transformers/weights.ts';
import { backwards, checkSlope, servedLoss, trainingStep } from './steps.ts';
import {
  gpt2Fused,
  llamaAll,
  nearness,
  openAdapterOf,
  openModel,
  storiesAll,
  storiesQv,
  type Data,
  type GradientVector,
} from './vectors.ts';

describe.each<[string, (context: TestContext) => Promise<GradientVector>]>([
  ['stories260k, q and v', storiesQv],
  ['stories260k, all projections', storiesAll],
  ['GPT-2, the fused q, k and v', gpt2Fused],
  ['LLaMA, all projections', llamaAll],
])('%s', (_, read) => {
  test('loss and every gradient are those of torch', async (context) => {
    const vector = await read(context);
    const { data, start } = vector;
    const checkpoint = await openModel(vector.model);
    const adapter = await adapterOf(await openAdapterOf(vector.adapter), 'adapter');
    const { loss, gradients } = await trainingStep(checkpoint, adapter, data, start, backwards(data.count));
    expect(Math.abs(loss / vector.loss - 1)).toBeLessThan(1e-6);
    expect([...gradients.keys()].sort()).toEqual([...vector.gradients.keys()].sort());
    for (const [name, { values }] of vector.gradients) {
      const { cosine, error } = nearness(gradients.get(name)!, values);
      expect(cosine, name).toBeGreaterThan(0.999999);
      expect(error, name).toBeLessThan(1e-5);
    }
  });
});

/** Two rows of what the vectors of families know as tokens: a prompt and padding do not count. */
const rows: Data = {
  count: 2,
  length: 6,
  tokens: Int32Array.from({ length: 12 }, (_, k) => vectors.tokens[(7 * k + 3) % vectors.tokens.length]),
  mask: Int32Array.from([0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0]),
};

const adapted = vectors.cases.filter((made) => made.adapter !== undefined);

describe.each(adapted.map((made): [string, Case] => [made.name, made]))('%s', (_, made) => {
  test('loss and gradients are those of the model that is served', async () => {
    const checkpoint = await openCase(made, made.saved);
    const [adapter] = await openAdapterOfCase(made);
    const names = adapter.description.modules.flatMap(({ a, b }) => [a, b]);
    const weights = new Map(
      await Promise.all(
        names.map(async ({ name, shape }) => [name, { shape, values: await adapter.read(name) }] as const),
      ),
    );
    const step = await trainingStep(checkpoint, adapter, rows, weights, backwards(rows.count));
    const loss = await servedLoss(checkpoint, adapter, rows);
    expect(Math.abs(step.loss / loss(weights) - 1)).toBeLessThan(1e-9);
    expect([...step.gradients.keys()].sort()).toEqual(names.map(({ name }) => name).sort());
    // What flows to the first layer flows through all others, and these have the same equations.
    for (const [name, gradient] of step.gradients)
      if (!/\.[1-9]\d*\./.test(name)) checkSlope(loss, weights, name, gradient);
  });
});
