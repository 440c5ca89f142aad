/** Weights as a source's integers: all of them, or some rows of the matrix at a time. */
import { ValueError } from '../../compiler/ir/errors.ts';
import type { CommittedSource, CommittedTensor } from '../../compiler/ir/gadget/program.ts';
import { allocate, discard, type IntegerArray } from '../integers/arrays.ts';
import type { Device, FrVector } from '../device/device.ts';
import { quantise } from '../integers/quantise.ts';
import { startSha256 } from '../protocol/statement/statement.ts';
import { readTensor, shapeOf, weightsOf, type WeightMap, type Weights } from '../weights.ts';
import { linearCombination, type RowCombination } from './commitment/rows.ts';
import { bytesOf } from './commitment/source-matrix.ts';
import { emptyRows, layTensor, type MatrixEntries } from '../protocol/commitment/matrix.ts';

/** Entries that are laid out together at least, where there are as many: devices like long vectors. */
const LEAST = 2 ** 24;

/** Rows of a source's matrix, from `firstRow` on. */
export interface Stretch {
  readonly firstRow: number;
  readonly entries: MatrixEntries;
}

/** @throws ArgumentError for what is no weights, ValueError where a tensor is missing or has another shape */
export function openWeights(source: CommittedSource, given: Weights | WeightMap): Weights {
  const names = source.tensors.map((t) => t.name);
  const weights = weightsOf('weights', given, names);
  for (const t of source.tensors) {
    const [found, expected] = [shapeOf(weights, source.name, t.name), lengthsOf(t)];
    if (found.join() !== expected.join())
      throw new ValueError(
        `"${t.name}" has shape [${found.join(', ')}] in the weights, the program declares [${expected.join(', ')}]`,
        { tensor: t.name, problem: { kind: 'shape', expected, given: found } },
      );
  }
  return weights;
}

const lengthsOf = (t: CommittedTensor): number[] => t.axes.map((a) => a.length);

/**
 * The whole matrix of a source in parts, in the order of its rows, each of whole tensors. A part is read when it is asked for, one
 * tensor after the other.
 *
 * @param least entries of a part, but for the last
 * @throws ValueError
 */
export async function* stretches(
  source: CommittedSource,
  weights: Weights,
  least = LEAST,
): AsyncGenerator<Stretch, void, undefined> {
  for (const part of parts(source, least)) {
    const entries = emptyRows(source, part.rows);
    for (const t of part.tensors) layTensor(source, t, await integersOf(t, weights), entries, part.firstRow);
    yield { firstRow: part.firstRow, entries };
  }
}

interface Part {
  readonly firstRow: number;
  readonly rows: number;
  readonly tensors: readonly CommittedTensor[];
}

function parts(source: CommittedSource, least: number): Part[] {
  const ordered = [...source.tensors].sort((a, b) => a.firstRow - b.firstRow);
  const out: Part[] = [];
  let [firstRow, tensors]: [number, CommittedTensor[]] = [0, []];
  for (const [k, t] of ordered.entries()) {
    tensors.push(t);
    const next = ordered.at(k + 1);
    const end = next?.firstRow ?? source.rows;
    if (next?.firstColumn !== undefined) continue;
    if ((end - firstRow) * source.columns < least && end < source.rows) continue;
    out.push({ firstRow, rows: end - firstRow, tensors });
    [firstRow, tensors] = [end, []];
  }
  return out;
}

/** All tensors of a source, and their matrix. */
export async function layWeights(
  source: CommittedSource,
  weights: Weights,
): Promise<{ readonly tensors: readonly IntegerArray[]; readonly entries: MatrixEntries }> {
  const entries = emptyRows(source, source.rows);
  const tensors: IntegerArray[] = [];
  for (const t of source.tensors) {
    const integers = await integersOf(t, weights);
    layTensor(source, t, integers, entries);
    tensors.push(integers);
  }
  return { tensors, entries };
}

/**
 * All tensors of a source, in the order of its layout, and the `matrixDigest` of their matrix, of which no more than a part is
 * there at once.
 *
 * @param secret whether errors must not say the numbers
 * @param least as of `stretches`
 * @throws ValueError
 */
export async function readIntegers(
  source: CommittedSource,
  weights: Weights,
  secret = false,
  least = LEAST,
): Promise<{ readonly tensors: readonly IntegerArray[]; readonly matrix: Uint8Array }> {
  const tensorOf = storage(source);
  const matrix = startSha256();
  for (const { firstRow, rows, tensors } of parts(source, least)) {
    const entries = emptyRows(source, rows);
    for (const t of tensors) {
      const integers = await integersOf(t, weights, secret);
      layTensor(source, t, integers, entries, firstRow);
      tensorOf(t).set(integers as never);
    }
    matrix.update(bytesOf(entries));
    discard([entries]);
  }
  return { tensors: source.tensors.map(tensorOf), matrix: new Uint8Array(matrix.digest()) };
}

/** Zeros for each tensor, in one array for all of the same width: between many, what is read would leave holes that nothing fits. */
function storage(source: CommittedSource): (t: CommittedTensor) => MatrixEntries {
  const places = new Map<CommittedTensor, { readonly width: number; readonly start: number; readonly size: number }>();
  const lengths = new Map<number, number>();
  for (const t of source.tensors) {
    const { BYTES_PER_ELEMENT: width } = emptyTensor(t.bits, 0);
    const [start, size] = [lengths.get(width) ?? 0, lengthsOf(t).reduce((n, d) => n * d, 1)];
    places.set(t, { width, start, size });
    lengths.set(width, start + size);
  }
  const arrays = new Map([...lengths].map(([width, length]) => [width, emptyTensor(8 * width, length)] as const));
  return (t) => {
    const { width, start, size } = places.get(t)!;
    return arrays.get(width)!.subarray(start, start + size);
  };
}

/** Integers of so many bits, with their sign. */
const emptyTensor = (bits: number, length: number): MatrixEntries => {
  const half = 2n ** BigInt(bits - 1);
  return allocate({ lo: -half, hi: half - 1n }, length) as MatrixEntries;
};

/**
 * Combinations of rows of a source's matrix, each of as many entries as it has columns. The matrix is on the device a part at a
 * time, as narrow as the part's tensors are, and only parts that have a row of them: of those the rows that there are, if they are
 * few, as where a data set is gathered from.
 *
 * @param tensors as of `readIntegers`
 */
export async function combineSource(
  device: Device,
  source: CommittedSource,
  tensors: readonly IntegerArray[],
  combinations: readonly RowCombination[],
  least = LEAST,
): Promise<FrVector[]> {
  const { columns } = source;
  const integers = new Map(source.tensors.map((t, k) => [t, tensors[k]] as const));
  const sums: FrVector[][] = combinations.map(() => []);
  for (const { firstRow, rows, tensors: own } of parts(source, least)) {
    const within = combinations.map((c) => rowsWithin(c, firstRow, rows));
    const weighed = Int32Array.from(new Set(within.flatMap((c) => [...c.rows]))).sort();
    if (weighed.length === 0) continue;
    const isFew = FEW * weighed.length <= rows;
    const entries = emptyRows({ ...source, tensors: own }, isFew ? weighed.length : rows);
    for (const t of own)
      if (!isFew) layTensor(source, t, integers.get(t)!, entries, firstRow);
      else
        for (const [at, row] of weighed.entries())
          layTensor(source, t, integers.get(t)!, entries, firstRow + row - at, firstRow + row);
    const part = await device.keep(() => Promise.resolve(device.intVector(entries)));
    discard([entries]);
    const placeOf = isFew ? new Map([...weighed].map((row, at) => [row, at] as const)) : undefined;
    for (const [k, { rows: list, weights }] of within.entries())
      if (weights.length > 0) {
        const places = placeOf ? list.map((row) => placeOf.get(row)!) : list;
        sums[k].push(device.combineRows(part.value, columns, places, device.frVector(weights)));
      }
    part.release();
  }
  return sums.map((of) => (of.length === 1 ? of[0] : linearCombination(device, of, ones(of), columns)));
}

/** One row of so many, or fewer, are laid out by themselves. */
const FEW = 4;

const ones = (of: readonly unknown[]): bigint[] => of.map(() => 1n);

/** What a combination has of the rows [firstRow, firstRow + count), counted from there. */
function rowsWithin({ rows, weights }: RowCombination, firstRow: number, count: number): RowCombination {
  const own = [...rows.keys()].filter((i) => rows[i] >= firstRow && rows[i] < firstRow + count);
  return { rows: Int32Array.from(own, (i) => rows[i] - firstRow), weights: own.map((i) => weights[i]) };
}

/** The floats are forgotten when it returns. */
const integersOf = async (t: CommittedTensor, weights: Weights, secret = false): Promise<IntegerArray> =>
  quantise(
    t.name,
    lengthsOf(t),
    { kind: 'fixed', bits: t.bits, frac: t.frac },
    await readTensor(weights, t.name),
    secret,
  );
