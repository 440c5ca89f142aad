/** Public tensors for people: what they hold, and whether they are those of a file. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Bundle } from '../../../compiler/bundle/bundle.ts';
import type { GadgetTensor } from '../../../compiler/ir/gadget/program.ts';
import { entryName } from '../../../models/files/errors.ts';
import { encodeIntegers } from '../../../runtime/integers/bytes.ts';
import { entry, type IntegerArray } from '../../../runtime/integers/arrays.ts';
import { dequantise } from '../../../runtime/integers/quantise.ts';
import { shownName } from './terminal.ts';
import { columns, hex, real, shape } from './text.ts';

export interface PublicSummary {
  readonly name: string;
  readonly kind: 'input' | 'output';
  readonly shape: readonly number[];
  /** Of what the integers stand for. */
  readonly least: number;
  readonly greatest: number;
  /** SHA-256 of the canonical bytes of the integers. */
  readonly digest: string;
  /** What the integers stand for, where there are few. */
  readonly values?: readonly number[];
}

/** Tensors of up to so many entries are shown whole: indices, and other numbers, which have more digits. */
const FEW = { index: 64, fixed: 16 } as const;

const publicTensors = ({ gadgets }: Bundle): GadgetTensor[] => gadgets.publics.map((id) => gadgets.tensors[id]);

export function summarise(bundle: Bundle, publics: ReadonlyMap<string, IntegerArray>): PublicSummary[] {
  return publicTensors(bundle).flatMap((t) => {
    const values = publics.get(t.name);
    if (values === undefined) return [];
    let [least, greatest] = [Infinity, -Infinity];
    const numbers = dequantise(t, values);
    for (const x of numbers) {
      if (x < least) least = x;
      if (x > greatest) greatest = x;
    }
    const kind = t.class.kind === 'input' ? 'input' : 'output';
    const digest = hex(sha256(encodeIntegers(t.range, values)));
    const few = numbers.length <= FEW[t.type?.kind ?? 'fixed'] ? { values: Array.from(numbers) } : {};
    return [{ name: t.name, kind, shape: t.shape, least, greatest, digest, ...few }];
  });
}

export const summaryText = (summaries: readonly PublicSummary[]): string =>
  columns(
    summaries.map((s) => [
      `  public ${s.kind}`,
      `${shownName(s.name)}${shape(s.shape)}`,
      s.values === undefined ? `from ${real(s.least)} to ${real(s.greatest)}` : s.values.map(real).join(' '),
      ...(s.values === undefined ? [`sha256 ${s.digest}`] : []),
    ]),
  );

/** Indices, booleans, counts: numbers that stand for themselves. */
const isExact = ({ type, scale, range }: GadgetTensor): boolean =>
  type?.kind === 'index' || (scale.num === 1n && scale.den === 1n && range.lo >= -MAX_EXACT && range.hi <= MAX_EXACT);

/** Up to here every integer is a float. */
const MAX_EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/**
 * Where a file's tensor first differs from the proved integers, or nothing. Equal are: a float that rounds to the
 * integer, and a float32 nearest to what the integer stands for (a wide integer has more digits than a file keeps); with
 * a tolerance, numbers that differ by no more than that part of the largest entry. What stands for itself is equal or not.
 */
export function firstDifference(
  t: GadgetTensor,
  proved: IntegerArray,
  file: ArrayLike<number>,
  tolerance: number,
): string | undefined {
  const values = dequantise(t, proved);
  const largest = values.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  for (let i = 0; i < values.length; i++) {
    const [own, given] = [values[i], file[i]];
    if (own === given) continue;
    if (isExact(t)) return difference(t, i, given, own);
    if (
      Math.fround(own) === given ||
      Math.abs(own - given) <= tolerance * largest ||
      isRounded(t, entry(proved, i), given)
    )
      continue;
    return difference(t, i, given, own);
  }
  return undefined;
}

const difference = (t: GadgetTensor, position: number, given: number, own: number): string =>
  `${entryName(t.name, t.shape, position)} is ${given} in the file, ${own} in the proof`;

/** Whether x / scale, exactly, lies in [n - 1/2, n + 1/2). */
function isRounded({ scale }: GadgetTensor, n: bigint, x: number): boolean {
  if (!Number.isFinite(x)) return false;
  const [num, den] = exactRational(x);
  // x / scale = (num * scale.den) / (den * scale.num), and floor(q + 1/2) = floor((2 top + bottom) / (2 bottom)).
  const [top, bottom] = [num * scale.den, den * scale.num];
  const [a, b] = [2n * top + bottom, 2n * bottom];
  const floor = a / b - (a % b < 0n ? 1n : 0n);
  return floor === n;
}

/** A float as numerator and a power of two. */
function exactRational(x: number): [bigint, bigint] {
  let den = 1n;
  while (!Number.isInteger(x)) {
    x *= 2;
    den *= 2n;
  }
  return [BigInt(x), den];
}
