/** What configurations of all families say, each in its own words. */
import { show, type Fields } from './fields.ts';

/** A function between the two projections of a feed-forward layer, by its table in the standard library. */
export type Activation = 'silu' | 'gelu' | 'gelu_erf' | 'relu';

export interface Decoder {
  readonly architecture: string;
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width of a head. */
  readonly head: number;
  /** Width inside the feed-forward layer. */
  readonly inner: number;
  readonly positions: number;
  /** How many tokens attention sees at most, the present one included; undefined where no layer has a window. */
  readonly window: number | undefined;
  readonly eps: number;
  readonly activation: Activation;
  /** The head is the embedding. */
  readonly tied: boolean;
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu_erf',
  gelu_new: 'gelu',
  gelu_fast: 'gelu',
  gelu_pytorch_tanh: 'gelu',
  relu: 'relu',
};

export function activation(fields: Fields, name: string, fallback: string): Activation {
  const value = fields.any(name) ?? fallback;
  if (typeof value === 'string' && Object.hasOwn(ACTIVATIONS, value)) return ACTIVATIONS[value];
  fields.refuse(name, `is ${show(value)}`, `known are ${Object.keys(ACTIVATIONS).join(', ')}`);
  return 'silu';
}

/** The width of a head where heads share the model's. `names` are the fields of the width and of the number of heads. */
export function headWidth(fields: Fields, width: number, heads: number, name: string): number {
  if (width % heads > 0) fields.refuse(name, `is ${heads}, which does not divide the width ${width}`);
  return width / heads;
}
