/** Rotary angles, as configurations of the LLaMA family say them (huggingface/transformers, `modeling_rope_utils.py`). */
import { show, UNSUPPORTED, type Fields } from './fields.ts';
import { isObject, type JsonObject } from '../files/json.ts';

/** Fields of any kind of scaling; `factor`, `attention_factor` and `partial_rotary_factor` have to be 1. */
const COMMON = ['rope_type', 'type', 'rope_theta', 'factor', 'partial_rotary_factor'];

/**
 * The kinds of scaling that leave the angles as they are where their factor is 1, and their further fields:
 *
 * - `linear` divides the angles by the factor.
 * - `dynamic` raises the base with the length only beyond `max_position_embeddings`, and no more tokens than that are
 *   imported.
 * - `yarn` takes a mean of the angles and of the angles divided by the factor, weighted with its `beta`s, and multiplies
 *   by 0.1 · mscale · ln(factor) + 1.
 * - `llama3` takes such a mean, too, with weights of its own.
 *
 * Others, as `longrope`, have a factor for each angle, and are refused.
 */
const PLAIN_AT_FACTOR_1: Readonly<Record<string, readonly string[]>> = {
  linear: [],
  dynamic: [],
  yarn: [
    ...['beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim', 'truncate', 'attention_factor'],
    'original_max_position_embeddings',
  ],
  llama3: ['low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
};

/**
 * The base of the angles, where nothing scales them.
 * @param positions `max_position_embeddings`
 */
export function rotaryBase(fields: Fields, positions: number): number {
  const bases = ['rope_scaling', 'rope_parameters'].map((name) => {
    const scaling = fields.any(name);
    if (scaling === undefined) return undefined;
    if (!isObject(scaling)) return fields.fail(name, 'is no object');
    if (!isPlain(scaling, positions))
      return fields.fail(name, `is ${show(scaling)}: the rotary angles are scaled`, UNSUPPORTED);
    const theta = scaling['rope_theta'] ?? undefined;
    if (theta === undefined) return undefined;
    if (typeof theta !== 'number' || !(theta > 0 && theta < Infinity))
      return fields.fail(name, `is ${show(scaling)}, where "rope_theta" is no positive number`);
    fields.only('rope_theta', theta, `${name} says ${theta}`);
    return theta;
  });
  const [first, second] = bases;
  if (first !== undefined && second !== undefined && first !== second)
    fields.fail('rope_parameters', `has the base ${second}, "rope_scaling" has ${first}`);
  return first ?? second ?? fields.positive('rope_theta', 10000);
}

function isPlain(scaling: JsonObject, positions: number): boolean {
  const said = [scaling['rope_type'], scaling['type']].filter((kind) => kind !== undefined && kind !== null);
  if (new Set(said).size > 1) return false;
  const [kind = 'default'] = said;
  if (typeof kind !== 'string') return false;
  const known = kind === 'default' ? [] : Object.hasOwn(PLAIN_AT_FACTOR_1, kind) ? PLAIN_AT_FACTOR_1[kind] : undefined;
  if (known === undefined) return false;
  const isOne = (name: string): boolean => (scaling[name] ?? 1) === 1;
  // Some versions take yarn's factor from the two lengths instead.
  const sameLength = kind !== 'yarn' || (scaling['original_max_position_embeddings'] ?? positions) === positions;
  return (
    Object.entries(scaling).every(([name, v]) => COMMON.includes(name) || known.includes(name) || v === null) &&
    (kind === 'default' || scaling['factor'] === 1) &&
    ['factor', 'attention_factor', 'partial_rotary_factor'].every(isOne) &&
    sameLength
  );
}
