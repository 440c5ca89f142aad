/**
 * Values of the protocol as both parties know them. A masked message is a known number minus an unknown pad, so every
 * value derived from messages is an affine form in the pads; what is settled only by opening a commitment is carried
 * along as linear forms on matrix rows.
 */
import { add, mul, reduce } from './scalar.ts';

/** Pads: plain ones, the two factors of a product triple and their product, and those of the last stage. */
export const padKinds = ['P', 'A', 'B', 'C', 'Q'] as const;
export type PadKind = (typeof padKinds)[number];

/** Kind and position in one number, cheap as a key. */
export type Pad = number;
const kindSize = 2 ** 40;
export const pad = (kind: PadKind, index: number): Pad => padKinds.indexOf(kind) * kindSize + index;
export const padKind = (p: Pad): PadKind => padKinds[Math.floor(p / kindSize)];
export const padIndex = (p: Pad): number => p % kindSize;

/** constant + sum of coefficients * pads */
export interface Form {
  readonly constant: bigint;
  readonly pads: ReadonlyMap<Pad, bigint>;
}

/** The weights of columns: a tensor product of digits, first most significant; `limit` zeroes a digit's values from there on. */
export interface ColumnDigit {
  readonly point: readonly bigint[];
  readonly limit?: number;
}

/** scale * sum over i, j of rowWeights[i] * columnWeights[j] * M[firstRow + i, j], for matrix number `matrix`. */
export interface Opening {
  readonly matrix: number;
  readonly firstRow: number;
  readonly rowWeights: readonly bigint[];
  readonly columns: readonly ColumnDigit[];
  readonly scale: bigint;
}

export interface Value {
  readonly form: Form;
  readonly openings: readonly Opening[];
}

const none: ReadonlyMap<Pad, bigint> = new Map();

export const known = (constant: bigint): Form => ({ constant, pads: none });
export const zero: Form = known(0n);

/** sum of scales times forms */
export function combine(parts: readonly (readonly [scale: bigint, form: Form])[]): Form {
  let constant = 0n;
  const pads = new Map<Pad, bigint>();
  for (const [scale, form] of parts) {
    if (scale === 0n) continue;
    constant += scale * form.constant;
    for (const [p, c] of form.pads) pads.set(p, add(pads.get(p) ?? 0n, mul(scale, c)));
  }
  return { constant: reduce(constant), pads };
}

export const value = (form: Form): Value => ({ form, openings: [] });

export function combineValues(parts: readonly (readonly [scale: bigint, value: Value])[]): Value {
  return {
    form: combine(parts.map(([s, v]) => [s, v.form] as const)),
    openings: parts.flatMap(([s, v]) => v.openings.map((o) => ({ ...o, scale: mul(s, o.scale) }))),
  };
}
