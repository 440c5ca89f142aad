/** Rotary angles, as configurations say them (huggingface/transformers, `modeling_rope_utils.py`). */
import { show, UNSUPPORTED, type Fields } from './fields.ts';
import { isObject, type JsonObject } from '../files/json.ts';

/**
 * How angles differ from base^(-2 j / turned) a position:
 *
 * - `plain`: divided by `factor`, which is 1 but for linear scaling.
 * - `llama3`: those of wavelengths beyond length / low divided by `factor`, those below length / high kept, between a mean.
 * - `yarn`: those from `high` on divided by `factor`, those up to `low` kept, between a mean (Peng et al., 2023).
 */
export type Angles =
  | { readonly kind: 'plain'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly low: number;
      readonly high: number;
      readonly length: number;
    }
  | { readonly kind: 'yarn'; readonly factor: number; readonly low: number; readonly high: number };

export interface Rotary {
  readonly base: number;
  /** How many entries of each head are turned, the first ones. */
  readonly turned: number;
  readonly angles: Angles;
  /** What cosines and sines are multiplied by. */
  readonly magnitude: number;
}

export interface RotaryDefaults {
  /** `max_position_embeddings` */
  readonly positions: number;
  /** Width of a head. */
  readonly head: number;
  /** Where nothing says how much of a head is turned; default 1. */
  readonly part?: number;
  /** Where nothing says the base; default 10000. */
  readonly base?: number;
  /** Layers of one type, where a configuration has angles for each. */
  readonly layerType?: 'full_attention' | 'sliding_attention';
}

/** Fields that any kind of scaling may have. */
const COMMON = ['rope_type', 'type', 'rope_theta', 'factor', 'partial_rotary_factor'];

/** The kinds of scaling that are understood, and their further fields. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  default: [],
  linear: [],
  // The base grows with the length beyond `max_position_embeddings` only, and no more tokens than that are imported.
  dynamic: ['original_max_position_embeddings'],
  yarn: [
    ...['beta_fast', 'beta_slow', 'mscale', 'mscale_all_dim', 'truncate', 'attention_factor'],
    'original_max_position_embeddings',
  ],
  llama3: ['low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'],
};

/** What is not understood of it is refused. */
export function rotaryOf(fields: Fields, defaults: RotaryDefaults): Rotary {
  const { head, part = 1, base = 10000, layerType } = defaults;
  // Without scaling it says nothing; read, so that it does not count as unknown.
  fields.any('original_max_position_embeddings');
  const plain: Rotary = {
    base: layerType === 'sliding_attention' ? fields.positive('rope_local_base_freq', base) : baseOf(fields, base),
    turned: turnedOf(fields, head, part),
    angles: { kind: 'plain', factor: 1 },
    magnitude: 1,
  };
  const said = ['rope_scaling', 'rope_parameters'].flatMap((name) => {
    const scaling = fields.any(name);
    if (scaling === undefined) return [];
    if (!isObject(scaling)) {
      fields.refuse(name, 'is no object');
      return [];
    }
    // One for each type of layer, or the one of those without a window.
    const own = layerType !== undefined && Object.hasOwn(scaling, layerType) ? scaling[layerType] : scaling;
    if (own === scaling && layerType === 'sliding_attention') return [];
    if (!isObject(own)) {
      fields.refuse(name, `is ${show(scaling)}: "${layerType}" has no object`);
      return [];
    }
    return [{ name, scaling: own }];
  });
  const [first, second] = said.map(({ name, scaling }) =>
    fields.attempt(() => scaled(fields, name, scaling, plain, defaults), undefined),
  );
  if (first !== undefined && second !== undefined)
    if (first.base !== second.base)
      fields.refuse('rope_parameters', `has the base ${second.base}, "rope_scaling" has ${first.base}`);
    else if (JSON.stringify(first) !== JSON.stringify(second))
      fields.refuse('rope_parameters', `scales the rotary angles otherwise than "rope_scaling"`, UNSUPPORTED);

  return first ?? second ?? plain;
}

const isPositive = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < Infinity;

function baseOf(fields: Fields, fallback: number): number {
  const name = fields.any('rotary_emb_base') === undefined ? 'rope_theta' : 'rotary_emb_base';
  return fields.positive(name, fallback);
}

/** Pairs are turned, so the number has to be even. */
function turnedOf(fields: Fields, head: number, part: number): number {
  const turned = Math.floor(head * part);
  if (turned % 2 > 0 || turned === 0)
    fields.refuse('head_dim', `is ${head}, of which ${turned} are turned: rotary positions turn pairs`);
  return turned;
}

/** Angles that a field gives. @throws FormatError for what is not understood of it */
function scaled(fields: Fields, name: string, scaling: JsonObject, plain: Rotary, defaults: RotaryDefaults): Rotary {
  const fail = (why: string): never => fields.fail(name, `is ${show(scaling)}: ${why}`, UNSUPPORTED);
  const kind = kindOf(scaling, fail);
  const base = scaling['rope_theta'] ?? plain.base;
  if (!isPositive(base)) return fail('"rope_theta" is no positive number');
  if (scaling['rope_theta'] !== undefined && defaults.layerType === undefined)
    fields.only('rope_theta', base, `${name} says ${base}`);
  const own: Rotary = { ...plain, base, turned: partOf(fields, scaling, plain, defaults, fail) };

  const number = (field: string, fallback?: number): number => {
    const value = scaling[field] ?? fallback;
    return isPositive(value) ? value : fail(`"${field}" is no positive number`);
  };
  const factor = number('factor', kind === 'default' ? 1 : undefined);
  switch (kind) {
    case 'default':
      return factor === 1 ? own : fail('nothing says how "factor" scales the rotary angles');
    case 'dynamic':
      return own;
    case 'linear':
      return { ...own, angles: { kind: 'plain', factor } };
    default: {
      const { positions } = defaults;
      const length =
        fields.any('original_max_position_embeddings') ?? number('original_max_position_embeddings', positions);
      if (!isPositive(length)) return fail('"original_max_position_embeddings" is no positive number');
      return kind === 'llama3'
        ? llama3(own, factor, length, number, fail)
        : yarn(own, { factor, length, positions }, scaling, number, fail);
    }
  }
}

type Fail = (why: string) => never;
type ReadNumber = (field: string, fallback?: number) => number;

function kindOf(scaling: JsonObject, fail: Fail): string {
  const said = [scaling['rope_type'], scaling['type']].filter((kind) => kind !== undefined && kind !== null);
  if (new Set(said).size > 1) return fail('"rope_type" and "type" differ');
  const [kind = 'default'] = said;
  if (kind === 'longrope' || kind === 'su') return fail('each of the rotary angles has a factor of its own');
  if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind))
    return fail('it is not known how the rotary angles are scaled');
  const other = Object.keys(scaling).find(
    (field) => !COMMON.includes(field) && !KINDS[kind].includes(field) && scaling[field] !== null,
  );
  return other === undefined ? kind : fail(`it is not known what "${other}" does to the rotary angles`);
}

function partOf(
  fields: Fields,
  scaling: JsonObject,
  plain: Rotary,
  { head, part }: RotaryDefaults,
  fail: Fail,
): number {
  const share = scaling['partial_rotary_factor'] ?? undefined;
  if (share === undefined || (share === 1 && part === undefined)) return plain.turned;
  if (part === undefined) return fail('only a part of each head is rotated');
  return isPositive(share) && share <= 1
    ? turnedOf(fields, head, share)
    : fail('"partial_rotary_factor" is no number up to 1');
}

function llama3(own: Rotary, factor: number, length: number, number: ReadNumber, fail: Fail): Rotary {
  if (factor === 1) return own;
  const [low, high] = [number('low_freq_factor'), number('high_freq_factor')];
  if (low >= high) return fail('"low_freq_factor" is not below "high_freq_factor"');
  return { ...own, angles: { kind: 'llama3', factor, low, high, length } };
}

interface Lengths {
  readonly factor: number;
  readonly length: number;
  readonly positions: number;
}

function yarn(
  own: Rotary,
  { factor, length, positions }: Lengths,
  scaling: JsonObject,
  number: ReadNumber,
  fail: Fail,
): Rotary {
  // Versions that take it from the two lengths would compute something else.
  if (length !== positions && factor !== positions / length)
    return fail(
      `the rotary angles are scaled by ${factor}, but ${positions} positions are ${positions / length} times ${length}`,
    );
  const grown = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const both = isPositive(scaling['mscale']) && isPositive(scaling['mscale_all_dim']);
  const computed = both ? grown(number('mscale')) / grown(number('mscale_all_dim')) : grown(1);
  const magnitude = number('attention_factor', computed);
  if (factor === 1) return { ...own, magnitude };
  // Where an angle makes so many turns over the original length, counted in pairs.
  const pair = (turns: number): number =>
    (own.turned * Math.log(length / (turns * 2 * Math.PI))) / (2 * Math.log(own.base));
  const ends = [pair(number('beta_fast', 32)), pair(number('beta_slow', 1))];
  const [from, to] = scaling['truncate'] === false ? ends : [Math.floor(ends[0]), Math.ceil(ends[1])];
  const [low, high] = [Math.max(from, 0), Math.min(to, own.turned - 1)];
  return { ...own, magnitude, angles: { kind: 'yarn', factor, low, high: high === low ? low + 0.001 : high } };
}
