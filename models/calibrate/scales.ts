/**
 * Scales for what a program leaves to calibration, from what sample runs in float64 show. Weights are another matter: their types
 * follow from the checkpoint alone.
 */
import type { FixedType } from '../../compiler/check/index.ts';
import { FUNCTION_TABLE_BITS } from '../../compiler/ir/numbers/limits.ts';
import type { Definition, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { readTensors } from '../../compiler/ir/tensor/walk.ts';
import { sizeOf } from '../../runtime/evaluate/values.ts';
import { groupsOf } from './effect.ts';
import type { Observations } from './observe.ts';

/** More fraction bits than this are never given: what is always 0 needs none. */
const MAX_FRACTION = 40;

/** The most fraction bits at which `fixed<bits, frac>` holds numbers up to `most`. */
export function fractionBits(most: number, bits: number): number {
  if (most === 0) return Math.min(bits - 1, MAX_FRACTION);
  let frac = Math.min(MAX_FRACTION, bits - 1 - Math.floor(Math.log2(most)));
  // Half a unit below 2^(bits-1), so that no rounding reaches it.
  while (most * 2 ** frac >= 2 ** (bits - 1) - 0.5) frac--;
  return frac;
}

/** The type of a weight: a power-of-two scale that the tensor's largest magnitude determines. */
export const weightType = (most: number, bits: number): FixedType => ({
  bits,
  frac: fractionBits(most, bits),
});

export interface ScaleOptions {
  /** Of every value, 4 to 24. Left out, a value gets 16, and more where its rounding would change what the program says. */
  readonly bits?: number | undefined;
  /** How many times the largest magnitude of the samples has to fit, at least 1. */
  readonly headroom: number;
  /** What values need, by calibration key; default: nothing is known, and each can do with two bits less, of 14 or more. */
  readonly needs?: ReadonlyMap<string, Need>;
}

/** What a value needs, by the effect of its rounding. */
export interface Need {
  /** Fraction bits beyond those of 16 bits; negative where some can be done without. */
  readonly more: number;
  /** Whether it can do with one fraction bit less, and so with twice the headroom, all others that can taken together. */
  readonly isSpare: boolean;
}

/** Bits of a value that nothing asks more of: one limb, and the rows of a table. */
const BITS = 16;
/** Bits that a value keeps whose effect was not measured. */
const KEPT = 14;

/**
 * A value of more than one limb costs the same up to two: it gets fraction bits and room beyond what it needs. The first may be
 * taken again where that saves a limb of another.
 */
const WIDE = { bits: 32, fraction: 2, room: 8 } as const;

/**
 * Effects, in nats a position: what those of all roundings together may be where more bits cost little, and where they cost much; and what
 * headroom beyond what was asked for may add to it. A divergence of 5e-5 moves the loss of a position by about 0.008.
 */
const EFFECT = { cheap: 1e-5, most: 6e-5, headroom: 5e-6 } as const;
/** The part of all lookups that may be added for what is cheap, and for one value that is next to free. */
const PRICE = { cheap: 0.08, free: 0.002 } as const;
/** Larger effects are out of proportion to the noise that causes them. */
const PROPORTIONAL = 0.01;

/** A value in all layers: what rounding it to 16 bits does, and the part of all lookups that a second limb of it would add. */
export interface Valued {
  readonly keys: readonly string[];
  readonly effect: number;
  readonly price: number;
}

/**
 * What values need: bits go first to those that change most for what they cost.
 * @param strictness doublings of all fractions beyond what the effects ask for, from 0
 */
export function needsOf(values: readonly Valued[], strictness = 0): Map<string, Need> {
  const stricter = 4 ** strictness;
  let total = values.reduce((n, { effect }) => n + effect, 0);
  let spent = 0;
  const wide = new Set<Valued>();
  for (const value of values.toSorted((a, b) => b.effect / b.price - a.effect / a.price)) {
    const isCheap = value.price <= PRICE.free || spent + value.price <= PRICE.cheap * 2 ** strictness;
    if (total <= (isCheap ? EFFECT.cheap : EFFECT.most) / stricter) continue;
    wide.add(value);
    total -= value.effect;
    spent += value.price;
  }
  let left = EFFECT.headroom / stricter;
  const needs = new Map<string, Need>();
  for (const value of values.toSorted((a, b) => a.effect - b.effect)) {
    const { effect, keys } = value;
    // As many that what is left of it is a small part of all.
    const doublings = Math.log2(Math.max(effect, 1e-12) / (EFFECT.cheap / stricter / 16)) / 2;
    const more = Math.ceil(doublings) + Number(effect > PROPORTIONAL);
    // One bit less is four times the effect.
    const isSpare = !wide.has(value) && 3 * effect <= left;
    if (isSpare) left -= 3 * effect;
    for (const key of keys) needs.set(key, { more: wide.has(value) ? Math.max(1, more) : Math.min(0, more), isSpare });
  }
  return needs;
}

/** What more bits would buy and cost: values whose rounding is left as it is, those that change most for what they cost first. */
export function moreBits<T extends Valued>(values: readonly T[], needs: ReadonlyMap<string, Need>): T[] {
  const isWide = ({ keys }: T): boolean => keys.some((key) => (needs.get(key)?.more ?? 0) > 0);
  const perPrice = ({ effect, price }: T): number => effect / Math.max(price, PRICE.free);
  return values.filter((v) => v.effect > 0 && !isWide(v)).sort((a, b) => perPrice(b) - perPrice(a));
}

/** Types by calibration key, and the fewest fraction bits that each can do with. */
export interface Scales {
  readonly types: Map<string, FixedType>;
  readonly least: Map<string, number>;
}

/**
 * Types for all keys that were observed.
 *
 * - A value gets 16 bits where they hold it with headroom and its rounding changes little enough. What varies from row to row (a reciprocal
 *   root) or accumulates (the residual stream) may need more, and gets up to 32.
 * - The argument of a table gets as many bits as make the table at most 2^bits rows; all calls of one table get one type,
 *   so that they share it. It gets more only where it is looked up more often than it then has rows.
 * - The argument of a saturating table and the values it is a sum or difference of get the same fraction bits, where
 *   nothing else reads those: more would be cut off unseen, and so the table holds every difference there can be.
 *
 * @param program checked as provisional, or with an older calibration
 */
export function chooseScales(
  program: TensorProgram,
  { keys }: Observations,
  { bits, headroom, needs }: ScaleOptions,
): Scales {
  const width = bits ?? BITS;
  const unmeasured = -Math.min(Math.max(0, width - KEPT), 2);
  const types = new Map<string, FixedType>();
  const least = new Map<string, number>();
  const moreOf = (key: string): number => needs?.get(key)?.more ?? unmeasured;
  for (const [key, { most }] of keys) {
    const tight = fractionBits(most * headroom, width);
    least.set(key, tight + moreOf(key));
    types.set(key, bits === undefined ? valueType(most, headroom, needs?.get(key)) : { bits, frac: tight });
  }
  // Iterations may differ in scale, not in width.
  for (const list of groupsOf({ keys }).values()) {
    const widest = Math.max(...list.map((key) => types.get(key)?.bits ?? 0));
    for (const key of list) types.set(key, { bits: widest, frac: types.get(key)?.frac ?? 0 });
  }
  for (const { table, tensors, lookups } of tableArguments(program)) {
    const { argument, values, saturate } = program.tables[table];
    const most = Math.max(...tensors.map(({ key }) => keys.get(key)?.most ?? 0));
    const sources = saturate ? summands(program, tensors) : [];
    const more = Math.max(0, ...[...tensors, ...sources].map(({ key }) => moreOf(key)));
    let own = Math.min(width, FUNCTION_TABLE_BITS);
    while (bits === undefined && own < Math.min(BITS + more, FUNCTION_TABLE_BITS) && lookups > 2 ** (own + 1)) own++;
    // A domain that is half of its type leaves room for one bit more.
    const isHalf = argument.kind === 'fixed' && values.length <= 2 ** (argument.bits - 1);
    const wide = isHalf ? own + 1 : own;
    const given = sources.map(({ key }) => fractionBits((keys.get(key)?.most ?? 0) * headroom, own));
    const frac = Math.min(fractionBits(most * headroom, wide), ...given);
    for (const { key } of tensors) types.set(key, { bits: wide, frac });
    for (const { key, alone } of sources) if (alone) types.set(key, { bits: own, frac });
  }
  return { types, least };
}

function valueType(most: number, headroom: number, { more, isSpare }: Need = { more: 0, isSpare: false }): FixedType {
  if (more <= 0 || most === 0) return { bits: BITS, frac: fractionBits(most * headroom * (isSpare ? 2 : 1), BITS) };
  const frac = fractionBits(most * headroom, BITS) + more + WIDE.fraction;
  const whole = Math.max(1, BITS - fractionBits(most * headroom * WIDE.room, BITS));
  const bits = Math.max(BITS + 1, Math.min(whole + frac, WIDE.bits));
  return { bits, frac: Math.min(frac, fractionBits(most * headroom, bits)) };
}

interface Keyed {
  readonly id: number;
  readonly key: string;
}

/** The tables whose arguments' types are calibrated, with those arguments. */
function tableArguments(
  program: TensorProgram,
): { readonly table: number; readonly tensors: readonly Keyed[]; readonly lookups: number }[] {
  const found = new Map<number, Keyed[]>();
  for (const { definition } of program.equations) {
    if (definition.kind !== 'table') continue;
    const { id, key } = program.tensors[definition.argument];
    if (key !== undefined) found.set(definition.table, [...(found.get(definition.table) ?? []), { id, key }]);
  }
  return [...found].map(([table, tensors]) => ({
    table,
    tensors,
    lookups: tensors.reduce((n, { id }) => n + sizeOf(program.tensors[id].shape), 0),
  }));
}

/**
 * The calibrated tensors whose entries, or whose maxima, are summed in the arguments. `alone`: nothing else reads them.
 */
function summands(program: TensorProgram, argumentsOf: readonly Keyed[]): (Keyed & { readonly alone: boolean })[] {
  const ids = new Set(argumentsOf.map(({ id }) => id));
  const definitions = new Map(program.equations.map((e) => [e.target, e.definition]));
  const readers = new Map<number, number[]>();
  for (const { target, definition } of program.equations)
    for (const id of readTensors(definition)) readers.set(id, [...(readers.get(id) ?? []), target]);
  const alone = (id: number): boolean =>
    (readers.get(id) ?? []).every((r) => ids.has(r) || (definitions.get(r)?.kind === 'max' && alone(r)));
  const found = new Set<number>();
  const visit = (id: number): void => {
    const definition = definitions.get(id);
    for (const source of plainSum(definition))
      if (definitions.get(source)?.kind === 'max') visit(source);
      else found.add(source);
  };
  for (const id of ids) visit(id);
  return [...found].flatMap((id) => {
    const { key, role } = program.tensors[id];
    return key === undefined ? [] : [{ id, key, alone: role === 'inner' && alone(id) }];
  });
}

/** The tensors of a sum of single entries. */
export function plainSum(definition: Definition | undefined): number[] {
  const p =
    definition?.kind === 'polynomial'
      ? definition.polynomial
      : definition?.kind === 'round' && definition.form === 'P'
        ? definition.p
        : definition?.kind === 'max'
          ? definition.of
          : undefined;
  if (p === undefined || p.terms.some((t) => t.factors.length !== 1 || t.reduced.length > 0)) return [];
  return [...new Set(p.terms.map((t) => t.factors[0].tensor))];
}
