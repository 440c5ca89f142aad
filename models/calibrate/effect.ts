/**
 * What rounding a value does to what the model says, measured in float64: the samples are run with that value rounded and nothing else,
 * and their scores compared with those of a run without roundings. Effects of small roundings add up, and shrink by 4 for each
 * further fraction bit, as they are squares of noise.
 */
import type { FixedType } from '../../compiler/check/index.ts';
import type { TensorId, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import type { Numbers, RealOptions } from '../../runtime/evaluate/index.ts';
import { sizeOf } from '../../runtime/evaluate/values.ts';
import type { Observations } from './observe.ts';

/** A sample that is run in float64. */
export interface EffectSample {
  run(options: RealOptions): Promise<ReadonlyMap<TensorId, Numbers>>;
  /** Of a text that is filled up: its tokens. What follows them does not count. */
  readonly length?: number | undefined;
}

/**
 * Keys of one value in all layers, and of what iterations hand on, with what the first one begins with: they are measured together. By
 * the group's name, which is that of a tensor without the numbers of iterations.
 */
export function groupsOf({ keys }: Pick<Observations, 'keys'>): Map<string, string[]> {
  const groups = Map.groupBy(keys, ([, { name }]) => carried(name).replaceAll(/\[\d+\]/g, ''));
  return new Map([...groups].map(([group, list]) => [group, list.map(([key]) => key)]));
}

/** `l[3]/x'` is the `x` that the next iteration of `l` begins with; and so are their cotangents one. */
function carried(name: string): string {
  const match = /^(.*?)\w+\[\d+\]\/([^/]+)'(\.grad)?$/.exec(name);
  return match === null ? name : carried(`${match[1]}${match[2]}${match[3] ?? ''}`);
}

/**
 * The part of all lookups that a second limb of each group's values would add. A rounded entry costs about two, its own and that of its
 * remainder; a value of a table one.
 */
export function pricesOf(
  { tensors, equations }: TensorProgram,
  groups: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  let all = 0;
  const sizes = new Map<string, number>();
  for (const { target, definition } of equations) {
    const { key, shape } = tensors[target];
    const size = sizeOf(shape);
    all += definition.kind === 'round' ? 2 * size : definition.kind === 'table' ? size : 0;
    if (key !== undefined) sizes.set(key, (sizes.get(key) ?? 0) + size);
  }
  return new Map(
    [...groups].map(([group, keys]) => [
      group,
      keys.reduce((n, key) => n + (sizes.get(key) ?? 0), 0) / Math.max(1, all),
    ]),
  );
}

/**
 * The effect of rounding the values of each group to its types, a mean over positions: the Kullback-Leibler divergence of scores, in nats;
 * of a program without scores the squared error of its outputs over their mean square.
 *
 * @param scores the tensor of scores by position and token
 * @param report told before each run
 */
export async function measureEffects(
  program: TensorProgram,
  samples: readonly EffectSample[],
  groups: ReadonlyMap<string, readonly string[]>,
  types: ReadonlyMap<string, FixedType>,
  scores: { readonly id: TensorId; readonly shape: readonly [number, number] } | undefined,
  report: (done: number, what: string) => void,
): Promise<Map<string, number>> {
  const wanted = new Set(
    scores === undefined ? program.tensors.filter((t) => t.role === 'output').map((t) => t.id) : [scores.id],
  );
  const keep: RealOptions['keep'] = ({ id }) => wanted.has(id);
  const effects = new Map<string, number>();
  const runs = samples.length * (groups.size + 1);
  let done = 0;
  for (const { run, length = Infinity } of samples) {
    report(done++ / runs, 'without roundings');
    const exact = await run({ keep });
    for (const [group, keys] of groups) {
      report(done++ / runs, group);
      const own = new Set(keys);
      const rounded = await run({
        keep,
        each: ({ key, file }, values) => {
          const type = key !== undefined && file === undefined && own.has(key) ? types.get(key) : undefined;
          return type && values.map((v) => Math.round(v * 2 ** type.frac) / 2 ** type.frac);
        },
      });
      let effect = 0;
      for (const id of wanted) {
        const [a, b] = [exact.get(id), rounded.get(id)];
        if (a !== undefined && b !== undefined)
          effect +=
            scores === undefined
              ? relativeError(a, b)
              : divergence(...head(a, b, length * scores.shape[1]), scores.shape[1]);
      }
      effects.set(group, (effects.get(group) ?? 0) + effect / samples.length);
    }
  }
  return effects;
}

const head = (a: Numbers, b: Numbers, length: number): [Numbers, Numbers] =>
  length < a.length ? [a.subarray(0, length), b.subarray(0, length)] : [a, b];

/** The squared error over the mean square; 0 where there is none. */
export function relativeError(exact: Numbers, rounded: Numbers): number {
  let [error, signal] = [0, 0];
  for (let k = 0; k < exact.length; k++) {
    error += (rounded[k] - exact[k]) ** 2;
    signal += exact[k] ** 2;
  }
  return error === 0 ? 0 : error / signal;
}

/** The mean over rows of the sum of p log(p / q), p and q the softmax of two rows of scores. */
export function divergence(exact: Numbers, rounded: Numbers, vocabulary: number): number {
  const rows = exact.length / vocabulary;
  let total = 0;
  for (let from = 0; from < exact.length; from += vocabulary) {
    const [p, q] = [exact, rounded].map((scores) => logSum(scores, from, vocabulary));
    for (let k = from; k < from + vocabulary; k++) {
      const own = exact[k] - p;
      total += Math.exp(own) * (own - rounded[k] + q);
    }
  }
  return total / rows;
}

function logSum(scores: Numbers, from: number, length: number): number {
  let most = -Infinity;
  for (let k = from; k < from + length; k++) most = Math.max(most, scores[k]);
  let sum = 0;
  for (let k = from; k < from + length; k++) sum += Math.exp(scores[k] - most);
  return most + Math.log(sum);
}
