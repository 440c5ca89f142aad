/** The vectors of training say of imported models what these compute: their losses, and gradients as quotients of differences. */
import { describe, expect, test } from 'vitest';
import { adapterOf } from '../../../models/import/index.ts';
import { checkSlope, servedLoss, slope, type LossOf } from './steps.ts';
import {
  gpt2Fused,
  llamaAll,
  llamaMomentum,
  nearness,
  openAdapterOf,
  openModel,
  rowsOf,
  storiesAdamW,
  storiesAll,
  storiesQv,
  type CurveVector,
  type Data,
  type GradientVector,
} from './vectors.ts';

/** The loss of a vector's data in float64, as the imported program computes its scores. */
const makeLoss = async ({ model, adapter, data }: GradientVector | CurveVector<unknown>): Promise<LossOf> =>
  servedLoss(await openModel(model), await adapterOf(await openAdapterOf(adapter), 'adapter'), data);

const checkDerivative = (loss: LossOf, { start, gradients }: GradientVector, name: string): void =>
  checkSlope(loss, start, name, gradients.get(name)!.values);

const multiplesOf = (unit: number, values: ArrayLike<number>): boolean =>
  Array.from(values).every((v) => Number.isInteger(v / unit) && Math.abs(v / unit) < 2 ** 15);

function checkData({ count, length, tokens, mask }: Data): void {
  expect([tokens.length, mask.length]).toEqual([count * length, count * length]);
  expect(mask.every((v) => v === 0 || v === 1)).toBe(true);
  expect(tokens.some((_, k) => k % length === 0 && mask[k] !== 0)).toBe(false);
  // Some of a prompt do not count, and some of padding.
  expect(mask.some((v, k) => v === 0 && k % length === 1)).toBe(true);
  expect(mask.some((v, k) => v === 0 && k % length === length - 1)).toBe(true);
}

function checkGradients({ start, gradients, norm, data }: GradientVector, count: number): void {
  checkData(data);
  expect([...gradients.keys()]).toEqual([...start.keys()]);
  expect(gradients.size).toBe(count);
  for (const [name, { shape, values }] of start) {
    expect(gradients.get(name)?.shape).toEqual(shape);
    expect(multiplesOf(2 ** -14, values), name).toBe(true);
    // Nothing to compare with is left out of a comparison, and zeros agree with everything.
    expect(Math.hypot(...gradients.get(name)!.values), name).toBeGreaterThan(norm * 1e-4);
  }
  const all = [...gradients.values()].flatMap(({ values }) => Array.from(values));
  expect(Math.abs(Math.hypot(...all) / norm - 1)).toBeLessThan(1e-6);
}

describe.each([
  ['GPT-2', gpt2Fused, 4],
  ['LLaMA', llamaAll, 28],
] as const)('the toy of %s', (_, read, count) => {
  test('has gradients that are slopes of its loss', async () => {
    const vector = await read();
    checkGradients(vector, count);
    const loss = await makeLoss(vector);
    expect(Math.abs(loss(vector.start) / vector.loss - 1)).toBeLessThan(1e-7);
    for (const name of vector.start.keys()) checkDerivative(loss, vector, name);
  });

  test('has weights that are exact in 16 bits', async () => {
    const checkpoint = await openModel((await read()).model);
    for (const name of checkpoint.reader.names())
      expect(multiplesOf(2 ** -12, await checkpoint.readFloats(name)), name).toBe(true);
  });
});

test('a whole gradient, entry by entry', async () => {
  const vector = await gpt2Fused();
  const loss = await makeLoss(vector);
  const name = 'transformer.h.0.attn.c_attn.lora_A.weight';
  const { values } = vector.gradients.get(name)!;
  const found = values.map((_, k) =>
    slope(
      loss,
      vector.start,
      name,
      Array.from(values, (_, j) => Number(j === k)),
    ),
  );
  const { cosine, error } = nearness(found, values);
  expect(cosine).toBeGreaterThan(1 - 1e-9);
  expect(error).toBeLessThan(1e-5);
});

const near = (actual: number, wanted: number): void => expect(Math.abs(actual / wanted - 1)).toBeLessThan(1e-6);

function checkCurve({ data, start, rows, losses, norms }: CurveVector<unknown>): void {
  checkData(data);
  expect([rows.length, losses.length, norms.length]).toEqual([50, 50, 50]);
  expect(rows.every((own) => own.length === 4 && new Set(own).size === 4)).toBe(true);
  for (const [name, { values }] of start) {
    expect(multiplesOf(2 ** -14, values), name).toBe(true);
    expect(
      values.every((v) => v === 0),
      name,
    ).toBe(name.includes('lora_B'));
  }
}

describe('stories260k', () => {
  test('with adapters on q and v', async (context) => {
    const vector = await storiesQv(context);
    checkGradients(vector, 20);
    const loss = await makeLoss(vector);
    near(loss(vector.start), vector.loss);
    checkDerivative(loss, vector, 'model.layers.0.self_attn.q_proj.lora_A.weight');
  });

  test('with adapters on all projections', async (context) => {
    const vector = await storiesAll(context);
    checkGradients(vector, 70);
    const loss = await makeLoss(vector);
    near(loss(vector.start), vector.loss);
    checkDerivative(loss, vector, 'model.layers.0.mlp.gate_proj.lora_B.weight');
  });

  test('50 steps of AdamW', async (context) => {
    const curve = await storiesAdamW(context);
    checkCurve(curve);
    expect(curve.after).toBeLessThan(0.75 * curve.before);
    const loss = await makeLoss(curve);
    near(loss(curve.start, rowsOf(curve.data, curve.rows[0])), curve.losses[0]);
  });
});

test('50 steps with momentum and clipping', async () => {
  const curve = await llamaMomentum();
  checkCurve(curve);
  const loss = await makeLoss(curve);
  near(loss(curve.start), curve.before);
  near(loss(curve.start, rowsOf(curve.data, curve.rows[0])), curve.losses[0]);
  near(loss(curve.trained), curve.after);
  expect(curve.after).toBeLessThan(0.75 * curve.before);
  // Nothing counts here: the loss is that of no targets.
  expect([loss(curve.trained, rowsOf(curve.data, curve.rows[20])), curve.losses[20], curve.norms[20]]).toEqual([
    0, 0, 0,
  ]);
  // Some steps are clipped, some are not.
  const clipped = curve.norms.filter((norm) => norm > curve.hyperparameters.limit).length;
  expect(Math.min(clipped, 50 - clipped)).toBeGreaterThan(5);
});
