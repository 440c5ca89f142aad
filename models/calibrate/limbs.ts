/**
 * Scales that cost less. A `round` that drops s fraction bits is proved with a remainder in limbs of 16 bits: 17 or 18 dropped
 * bits cost as much as 32. Where a factor of what is rounded has more fraction bits than it needs, it gives them up.
 */
import type { Polynomial, Rational, Term, TensorProgram } from '../../compiler/ir/tensor/program.ts';
import { multiply, powerOfTwo } from '../../compiler/ir/numbers/rational.ts';
import type { FixedType } from '../../compiler/check/index.ts';
import { sizeOf } from '../../runtime/evaluate/values.ts';
import type { Scales } from './scales.ts';

const LIMB = 16;
/** Room that a term inside another must leave. */
const ROOM = 5;

/**
 * The types with fewer fraction bits where that saves a limb of a remainder.
 *
 * @param program checked with these types
 * @param types by calibration key, of values
 * @param least fraction bits below which none goes, by key
 */
export function spareLimbs(program: TensorProgram, { types, least }: Scales): Map<string, FixedType> {
  const definitions = new Map(program.equations.map((e) => [e.target, e.definition]));
  const spared = new Map<string, number>();
  const sizes = new Map(program.tensors.flatMap(({ key, shape }) => (key === undefined ? [] : [[key, sizeOf(shape)]])));
  // Arguments of tables share a type with others, and what they are made of follows them.
  const shared = new Set(
    program.equations.flatMap((e) =>
      e.definition.kind === 'table' ? [program.tensors[e.definition.argument].key] : [],
    ),
  );
  const exact = (id: number): Polynomial | undefined => {
    const definition = definitions.get(id);
    const { type, role } = program.tensors[id];
    return definition?.kind === 'polynomial' && type === undefined && role === 'inner'
      ? definition.polynomial
      : undefined;
  };
  /** Keys that stand in every term of the finest grain, with how much coarser the grain may become by them. */
  const candidates = (p: Polynomial): Map<string, number> => {
    const grains = p.terms.map((t) => twos(t.coefficient));
    const finest = p.terms.filter((_, k) => grains[k] === 0);
    const found = intersection(finest.map(factorKeys));
    const out = new Map<string, number>();
    for (const key of found) {
      const others = p.terms.map((t, k) => (factorKeys(t).has(key) ? Infinity : grains[k]));
      out.set(key, Math.min(...others));
    }
    return out;
  };
  const factorKeys = (term: Term): Set<string> => {
    const keys = new Set<string>();
    for (const { tensor } of term.factors) {
      const { key, file } = program.tensors[tensor];
      const inner = exact(tensor);
      if (key !== undefined && file === undefined) keys.add(key);
      else if (inner !== undefined) for (const [found, room] of candidates(inner)) if (room >= ROOM) keys.add(found);
    }
    return keys;
  };
  // Readers first: what they take from a value's fraction, its own rounding drops besides.
  for (const { target, definition } of program.equations.toReversed()) {
    if (definition.kind !== 'round' || definition.form !== 'P') continue;
    const { key: own } = program.tensors[target];
    const scaled = droppedBits(definition.p.scale, definition.frac);
    if (scaled === undefined) continue;
    const dropped = scaled + (own === undefined ? 0 : (spared.get(own) ?? 0));
    const excess = dropped <= LIMB ? 0 : dropped % LIMB;
    if (excess === 0) continue;
    // Those of a row first: they are few.
    const found = [...candidates(definition.p)].sort(([a], [b]) => (sizes.get(a) ?? 0) - (sizes.get(b) ?? 0));
    for (const [key, room] of found) {
      const type = types.get(key);
      const spare = type === undefined ? 0 : type.frac - (least.get(key) ?? Infinity);
      if (shared.has(key) || own === key || excess > Math.min(room, spare)) continue;
      spared.set(key, Math.max(spared.get(key) ?? 0, excess));
      break;
    }
  }
  return new Map(
    [...types].map(([key, type]) => [key, { ...type, frac: type.frac - (spared.get(key) ?? 0) }] as const),
  );
}

/** How many bits a `round` drops; undefined where its scale is no power of two. */
function droppedBits(scale: Rational, frac: number): number | undefined {
  const { num, den } = multiply(scale, powerOfTwo(frac));
  return num === 1n && (den & (den - 1n)) === 0n ? den.toString(2).length - 1 : undefined;
}

/** How often 2 divides n. */
function twos(n: bigint): number {
  let count = 0;
  for (let rest = n; rest !== 0n && (rest & 1n) === 0n; rest >>= 1n) count++;
  return count;
}

const intersection = (sets: readonly ReadonlySet<string>[]): string[] =>
  sets.length === 0 ? [] : [...sets[0]].filter((key) => sets.every((set) => set.has(key)));
