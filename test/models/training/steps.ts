/** Losses and gradients of imported programs in float64, of models whose constants are hardly rounded. */
import { expect } from 'vitest';
import { format } from '../../../grammar/format.ts';
import type { AdapterWeights } from '../../../models/adapters/peft.ts';
import type { Checkpoint } from '../../../models/files/checkpoint.ts';
import type { ModelAdapter } from '../../../models/import/adapters.ts';
import { importModel } from '../../../models/import/model.ts';
import { evaluateReal, type Numbers } from '../../../runtime/evaluate/index.ts';
import { checkText, resolveImport } from '../../compiler/standard.ts';
import { differentiate } from '../../gradient/differences.ts';
import type { Data } from './vectors.ts';

/** The standard library with constants that are hardly rounded. */
export const precise: typeof resolveImport = (name) => {
  const file = resolveImport(name);
  return file && { ...file, text: file.text.replace(/round<16, 1[45]>/g, 'round<44, 40>') };
};

export type LossOf = (adapter: AdapterWeights, data?: Data) => number;

/** The loss of data as the program computes scores that says what a model says, a sequence at a time. */
export async function servedLoss(checkpoint: Checkpoint, adapter: ModelAdapter, own: Data): Promise<LossOf> {
  const { text } = await importModel(checkpoint, [adapter], own.length - 1);
  const formatted = (await format(text, 'model.zkl')).text ?? '';
  const { programs, all } = checkText(formatted, { provisional: true, resolveImport: precise });
  expect(all, formatted).toEqual([]);
  const inputs = programs[0].tensors.filter((t) => t.role === 'input');
  const logits = programs[0].tensors.find((t) => t.name === 'logits')!;
  const base = new Map<number, Numbers>();
  for (const { id, file } of inputs)
    if (file?.source === 'base') base.set(id, await checkpoint.readFloats(file.names[0]));

  return (weights, data = own) => {
    let [sum, targets] = [0, 0];
    for (let row = 0; row < data.count; row++) {
      const [tokens, mask] = [data.tokens, data.mask].map((a) =>
        a.subarray(row * data.length, (row + 1) * data.length),
      );
      const given = new Map(base);
      for (const { id, name, file } of inputs)
        if (name === 'tokens') given.set(id, tokens.subarray(0, data.length - 1));
        else if (file?.source === 'adapter') given.set(id, weights.get(file.names[0])!.values);
      const scores = evaluateReal(programs[0], given).get(logits.id)!;
      const vocabulary = scores.length / (data.length - 1);
      for (let t = 0; t + 1 < data.length; t++) {
        if (mask[t + 1] === 0) continue;
        const own = Array.from(scores.slice(t * vocabulary, (t + 1) * vocabulary));
        const most = Math.max(...own);
        sum += most + Math.log(own.reduce((n, v) => n + Math.exp(v - most), 0)) - own[tokens[t + 1]];
        targets++;
      }
    }
    return sum / Math.max(1, targets);
  };
}

export interface TrainingStep {
  readonly loss: number;
  /** By the names of weights. */
  readonly gradients: ReadonlyMap<string, ArrayLike<number>>;
}

/**
 * One step of the imported program for training, on a batch of all data: loss and gradients by reverse mode.
 *
 * @param order which row of the program's data each row of `data` is
 */
export async function trainingStep(
  checkpoint: Checkpoint,
  adapter: ModelAdapter,
  { count, length, tokens, mask }: Data,
  weights: AdapterWeights,
  order: readonly number[],
): Promise<TrainingStep> {
  const { text } = await importModel(checkpoint, [adapter], length - 1, undefined, { batch: count, examples: count });
  const formatted = (await format(text, 'model.zkl')).text ?? '';
  expect(checkText(formatted).all, formatted).toEqual([]);
  const { program, loss, gradients } = differentiate(formatted, precise);

  const placed = (from: Int32Array): Int32Array => {
    const to = new Int32Array(from.length);
    for (const [n, row] of order.entries()) to.set(from.subarray(n * length, (n + 1) * length), row * length);
    return to;
  };
  const inputs = new Map<number, Numbers>();
  for (const { id, name, role, file } of program.tensors) {
    if (role !== 'input') continue;
    const [from] = file?.names ?? [''];
    if (name === 'rows') inputs.set(id, Int32Array.from(order));
    else if (name === 'step') inputs.set(id, Int32Array.of(0));
    else if (file?.source === 'data') inputs.set(id, placed(from === 'tokens' ? tokens : mask));
    else if (file?.source === 'adapter') inputs.set(id, weights.get(from)!.values);
    else inputs.set(id, await checkpoint.readFloats(from));
  }
  const values = evaluateReal(program, inputs);
  const nameOf = (id: number): string => program.tensors[id].file!.names[0];
  return {
    loss: values.get(loss)![0],
    gradients: new Map([...gradients].map(([weight, gradient]) => [nameOf(weight), values.get(gradient)!])),
  };
}

/** The rows of a batch in another order than data have them. */
export const backwards = (count: number): number[] => Array.from({ length: count }, (_, k) => count - 1 - k);

const moved = (weights: AdapterWeights, name: string, direction: ArrayLike<number>, by: number): AdapterWeights => {
  const { shape, values } = weights.get(name)!;
  return new Map([...weights, [name, { shape, values: values.map((v, k) => v + by * direction[k]) }]]);
};

/** So small that no ReLU has its corner between, and that what differences of this order leave out is below what is compared. */
const STEP = 2 ** -16;

export function slope(loss: LossOf, weights: AdapterWeights, name: string, direction: ArrayLike<number>): number {
  const [after, before] = [STEP, -STEP].map((by) => loss(moved(weights, name, direction, by)));
  return (after - before) / (2 * STEP);
}

/** The slope along a matrix's gradient, which shows its length, and signs, which show its direction. */
export function checkSlope(loss: LossOf, weights: AdapterWeights, name: string, gradient: ArrayLike<number>): void {
  const values = Array.from(gradient);
  const length = Math.hypot(...values);
  const sign = (k: number): number => ((Math.imul(k + 1, 0x9e3779b1) & (2 ** 16)) === 0 ? -1 : 1);
  const direction = values.map((v, k) => v / length + sign(k) / Math.sqrt(values.length));
  const wanted = values.reduce((sum, v, k) => sum + v * direction[k], 0);
  expect(Math.abs(slope(loss, weights, name, direction) - wanted), name).toBeLessThan(1e-5 * length);
}
