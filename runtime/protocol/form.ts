/**
 * Values of the protocol as both parties know them. A masked message is a known number minus an unknown pad, so every
 * value derived from messages is an affine form in the pads; what is settled only by opening a commitment is carried
 * along as linear forms on matrix rows.
 */
import type { Opening } from './commitment/hyrax.ts';
import { add, mul, reduce } from './scalar.ts';

/** Pads: plain ones, the two factors of a product triple and their product, and those of the last stage. */
export const padKinds = ['P', 'A', 'B', 'C', 'Q'] as const;
export type PadKind = (typeof padKinds)[number];

/** Kind and position in one number, cheap as a key. */
export type Pad = number;
const KIND_SIZE = 2 ** 40;
export const pad = (kind: PadKind, index: number): Pad => padKinds.indexOf(kind) * KIND_SIZE + index;
export const padKind = (p: Pad): PadKind => padKinds[Math.floor(p / KIND_SIZE)];
export const padIndex = (p: Pad): number => p % KIND_SIZE;

/** constant + sum of coefficients * pads */
export interface Form {
  readonly constant: bigint;
  readonly pads: ReadonlyMap<Pad, bigint>;
}

export interface Value {
  readonly form: Form;
  readonly openings: readonly Opening[];
}

const none: ReadonlyMap<Pad, bigint> = new Map();

export const constantForm = (constant: bigint): Form => ({ constant, pads: none });
export const zeroForm: Form = constantForm(0n);

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
    openings: parts.flatMap(([s, v]) =>
      s === 1n ? v.openings : v.openings.map((o) => ({ ...o, scale: mul(s, o.scale) })),
    ),
  };
}
