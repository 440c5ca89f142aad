/**
 * Where the entries of a committed tensor lie in its source's matrix, and what a claim about the tensor's multilinear
 * extension means for the matrix (Hyrax, ePrint 2017/1132, section 6, with mixed-radix rows).
 *
 * Each axis index is split into low binary digits, which select the column, and the rest, which selects the row. The
 * weight eq(point, index) splits along, so that every claim is rows x columns, an outer product, and no axis is padded
 * to a power of two except inside its own last group of columns. Those slots are proved zero with the range proof.
 * In a state's layout, as among a proof's own rows, a tensor that fills less than a row has a block of its columns.
 */
import type {
  CommittedTensor,
  GadgetProgram,
  GadgetTensor,
  LayoutAxis,
  WitnessPlace,
} from '../../../compiler/ir/gadget/program.ts';
import { layoutAt } from '../../../compiler/ir/gadget/walk.ts';
import type { OpeningSize } from '../context.ts';
import type { ColumnDigit, MatrixShape, Opening } from './hyrax.ts';
import { bitsFor, eqTable, mul, neg } from '../scalar.ts';

/** Lengths of the row digits of each axis. */
export const rowLengths = (t: Pick<CommittedTensor, 'axes'>): number[] =>
  t.axes.map((a) => Math.ceil(a.length / 2 ** a.columnBits));

/** Row-major tensor product of weight vectors. */
export function tensorProduct(vectors: readonly (readonly bigint[])[]): bigint[] {
  const [first, ...others] = vectors;
  let out: bigint[] = first === undefined ? [1n] : [...first];
  for (const v of others) out = out.flatMap((a) => (a === 0n ? v.map(() => 0n) : v.map((b) => mul(a, b))));
  return out;
}

/**
 * What a proof commits to itself, as matrices beside those of its sources: one of all witness tensors, or none, then one of each
 * output. In an argument they follow the sources' in this order.
 */
export const ownMatrices = ({ witnessRows, columns, outputs = [] }: GadgetProgram): MatrixShape[] => [
  ...(witnessRows > 0 || outputs.length > 0 ? [{ rows: witnessRows, columns }] : []),
  ...outputs.map((o) => ({ rows: o.rows, columns: o.columns })),
];

type Layouts = Pick<GadgetProgram, 'sources' | 'outputs'>;
export type Tensors = Layouts & Pick<GadgetProgram, 'tensors'>;

/** Where the matrix of witness tensors stands among all of an argument. */
export const witnessMatrixIn = ({ sources }: Layouts): number => sources.length;

/** The same of a source or output, which a committed tensor counts in one. */
const matrixOf = ({ sources }: Layouts, number: number): number => (number < sources.length ? number : number + 1);

/** The places of all that a proof commits to itself: of witness tensors, then of those of its outputs. */
export function* ownTensors(program: GadgetProgram): Generator<{
  readonly matrix: number;
  readonly t: Block & Pick<WitnessPlace, 'firstRow' | 'rows'>;
}> {
  for (const { class: c } of program.tensors)
    if (c.kind === 'witness') yield { matrix: witnessMatrixIn(program), t: c };
  for (const [k, o] of (program.outputs ?? []).entries())
    for (const t of o.tensors) yield { matrix: matrixOf(program, program.sources.length + k), t };
}

/** The claim scale * T~(point) for a committed tensor, as openings of its matrix; one point per axis. */
export function openTensor(
  program: Layouts,
  tensor: GadgetTensor,
  point: readonly (readonly bigint[])[],
  scale: bigint,
): Opening[] {
  if (tensor.class.kind === 'witness') return [openWitness(witnessMatrixIn(program), tensor, point, scale)];
  if (tensor.class.kind !== 'committed') throw new Error(`internal error: ${tensor.name} is not committed`);
  const { source, stacked, files } = tensor.class;
  const outer = tensorProduct(point.slice(0, stacked).map((p, j) => eqTable(p, tensor.shape[j])));
  const inner = point.slice(stacked);
  const { tensors } = layoutAt(program, source);
  const matrix = matrixOf(program, source);
  // Files of one declaration have one layout.
  const first = tensors[files[0]];
  const lengths = rowLengths(first);
  const own = tensorProduct(
    first.axes.map((a, j) => eqTable(inner[j].slice(0, inner[j].length - a.columnBits), lengths[j])),
  );
  const digits = columnDigits(first, inner);
  const openings: (Opening & { readonly rowWeights: bigint[] })[] = [];
  for (const [k, file] of files.entries()) {
    const t = tensors[file];
    let last = openings.at(-1);
    if (!last || (k > 0 && !follows(tensors[files[k - 1]], t))) {
      const columns = [...blockPrefix(t), ...digits];
      openings.push((last = { matrix, firstRow: t.firstRow, rowWeights: [], columns, scale }));
    }
    for (const w of own) last.rowWeights.push(mul(outer[k], w));
  }
  return openings;
}

/** Whether a tensor's rows come right after those of one like it, in the same columns: then both are one opening. */
const follows = (before: CommittedTensor, t: CommittedTensor): boolean =>
  before.firstRow + before.rows === t.firstRow && (before.firstColumn ?? 0) === (t.firstColumn ?? 0);

/** The source that a tensor is gathered from, and the place in it. */
export function gatheredFrom(
  { sources, tensors }: Tensors,
  { class: c, name }: GadgetTensor,
): { readonly source: number; readonly file: CommittedTensor } {
  const of = c.kind === 'gathered' ? tensors[c.of].class : c;
  if (of.kind !== 'committed') throw new Error(`internal error: ${name} is not gathered from a source`);
  return { source: of.source, file: sources[of.source].tensors[of.files[0]] };
}

const sizes = new WeakMap<GadgetTensor, OpeningSize>();

/** What a claim about a committed or gathered tensor opens, at most. */
export function openingSize(program: Tensors, tensor: GadgetTensor): OpeningSize {
  const cached = sizes.get(tensor);
  if (cached) return cached;
  const { class: c } = tensor;
  let size: OpeningSize = { openings: 1, rows: c.kind === 'witness' ? c.rows : 0, limited: 0 };
  if (c.kind === 'committed') {
    const files = c.files.map((k) => layoutAt(program, c.source).tensors[k]);
    const breaks = files.filter((t, k) => k > 0 && !follows(files[k - 1], t)).length;
    size = { openings: 1 + breaks, rows: files.reduce((n, t) => n + t.rows, 0), limited: 0 };
  } else if (c.kind === 'gathered') {
    const indices = program.tensors[c.indices].shape.reduce((n, d) => n * d, 1);
    const openings = Math.min(indices, program.tensors[c.of].shape[0]);
    const rowsOfIndex = rowLengths(gatheredFrom(program, tensor).file)
      .slice(1)
      .reduce((n, d) => n * d, 1);
    // Every index has a weight of its own first.
    size = { openings, rows: indices + openings * rowsOfIndex, limited: 0 };
  }
  sizes.set(tensor, size);
  return size;
}

/** What `openOutside` opens. */
export function outsideSize({ axes }: Pick<WitnessPlace, 'axes'>): OpeningSize {
  const rows = rowLengths({ axes }).reduce((n, d) => n * d, 1);
  const partial = axes.filter((a) => remainder(a) !== 0);
  const subsets = 2 ** partial.length;
  // Each limit is there in half of the subsets.
  const limited = partial.reduce((n, a) => n + (remainder(a) * subsets) / 2, 0);
  return { openings: 1 + subsets, rows: (1 + subsets) * rows, limited };
}

/** A witness tensor stands in the proof's own matrix, which follows those of the sources. */
function openWitness(
  matrix: number,
  { class: c, name }: GadgetTensor,
  point: readonly (readonly bigint[])[],
  scale: bigint,
): Opening {
  if (c.kind !== 'witness') throw new Error(`internal error: ${name} is no witness`);
  const lengths = rowLengths(c);
  const high = c.axes.map((a, j) => eqTable(point[j].slice(0, point[j].length - a.columnBits), lengths[j]));
  return {
    matrix,
    firstRow: c.firstRow,
    rowWeights: tensorProduct(high),
    columns: [...blockPrefix(c), ...columnDigits(c, point)],
    scale,
  };
}

/**
 * Selects the block of columns that a small tensor has of its row: leading digits that are known. A block at 0 needs none,
 * since columns that are left out are zero digits.
 */
export function blockPrefix({ axes, firstColumn = 0 }: Block): ColumnDigit[] {
  if (firstColumn === 0) return [];
  const used = axes.reduce((n, a) => n + a.columnBits, 0);
  const block = firstColumn / 2 ** used;
  return [knownDigit(block, bitsFor(block + 1))];
}

/** What says which columns of its rows a tensor has. */
type Block = Pick<CommittedTensor, 'axes' | 'firstColumn'>;

/** How much of the last group of columns an axis fills; 0: all of it. */
const remainder = (a: LayoutAxis): number => a.length % 2 ** a.columnBits;

/** Whether some slots of a tensor's rows lie outside it. */
export const isPartial = (axes: readonly LayoutAxis[]): boolean => axes.some((a) => remainder(a) !== 0);

/**
 * The sum of eq(point, slot) * entry over the slots outside a tensor: all of them less those inside. Inside is a disjoint
 * union over which axes stand in their last, partly filled group; each part is rows x columns again.
 */
export function openOutside(
  matrix: number,
  t: Block & Pick<WitnessPlace, 'firstRow'>,
  points: readonly (readonly bigint[])[],
): Opening[] {
  const lengths = rowLengths(t);
  const own = t.axes.map((a, j) => points[j].slice(0, bitsFor(a.length)));
  const high = t.axes.map((a, j) => eqTable(own[j].slice(0, own[j].length - a.columnBits), lengths[j]));
  const low = t.axes.map((a, j) => own[j].slice(own[j].length - a.columnBits));
  const prefix = blockPrefix(t);
  const opening = (rows: readonly (readonly bigint[])[], columns: readonly ColumnDigit[], scale: bigint): Opening => ({
    matrix,
    firstRow: t.firstRow,
    rowWeights: tensorProduct(rows),
    columns: [...prefix, ...columns],
    scale,
  });
  const openings = [
    opening(
      high,
      low.map((point) => ({ point })),
      1n,
    ),
  ];
  const partial = t.axes.flatMap((a, j) => (remainder(a) === 0 ? [] : [j]));
  for (let subset = 0; subset < 2 ** partial.length; subset++) {
    const isLast = (j: number): boolean =>
      partial.includes(j) && Math.floor(subset / 2 ** partial.indexOf(j)) % 2 === 1;
    const rows = high.map((w, j) =>
      partial.includes(j) ? w.map((v, i) => ((i === lengths[j] - 1) === isLast(j) ? v : 0n)) : w,
    );
    const columns = low.map((point, j) => (isLast(j) ? { point, limit: remainder(t.axes[j]) } : { point }));
    openings.push(opening(rows, columns, neg(1n)));
  }
  return openings;
}

/** A digit of columns that is known. */
export const knownDigit = (value: number, bits: number): ColumnDigit => ({
  point: Array.from({ length: bits }, (_, i) => BigInt(Math.floor(value / 2 ** (bits - 1 - i)) % 2)),
});

export const columnDigits = (t: Pick<CommittedTensor, 'axes'>, point: readonly (readonly bigint[])[]): ColumnDigit[] =>
  t.axes.map((a, j) => ({ point: point[j].slice(point[j].length - a.columnBits) }));

/**
 * Calls `visit` for every run of entries that lie side by side both in the row-major tensor and in its rows, or in one row alone:
 * `count` of them from entry `position` on, in the slots from `slot` on, counted from the tensor's first.
 */
export function forEachRun(
  { axes }: Pick<CommittedTensor, 'axes'>,
  columns: number,
  visit: (slot: number, position: number, count: number) => void,
  only?: number,
): void {
  const lengths = rowLengths({ axes });
  const firsts = lengths.map(() => 0);
  const ends = [...lengths];
  for (let j = axes.length - 1, rest = only ?? 0; only !== undefined && j >= 0; j--) {
    firsts[j] = rest % lengths[j];
    ends[j] = firsts[j] + 1;
    rest = Math.floor(rest / lengths[j]);
  }
  const walk = (j: number, row: number, column: number, position: number): void => {
    if (j === axes.length) return visit(row * columns + column, position, 1);
    const { length, columnBits } = axes[j];
    const width = 2 ** columnBits;
    for (let high = firsts[j]; high < ends[j]; high++) {
      const first = high * width;
      const inside = Math.min(width, length - first);
      const nextRow = row * lengths[j] + high;
      if (j === axes.length - 1) {
        visit(nextRow * columns + column * width, position * length + first, inside);
        continue;
      }
      for (let low = 0; low < inside; low++)
        walk(j + 1, nextRow, column * width + low, position * length + first + low);
    }
  };
  walk(0, 0, 0, 0);
}

/** For every slot of the tensor's rows, row-major: the position of its entry in the row-major tensor, or -1 outside. */
export function slotMap(t: Block & Pick<CommittedTensor, 'rows'>, columns: number): Int32Array {
  const lengths = rowLengths(t);
  const strides = t.axes.map((_, j) => t.axes.slice(j + 1).reduce((n, a) => n * a.length, 1));
  const map = new Int32Array(t.rows * columns);
  const used = t.axes.reduce((n, a) => n + a.columnBits, 0);
  for (let slot = 0; slot < map.length; slot++) {
    let row = Math.floor(slot / columns);
    let column = (slot % columns) - (t.firstColumn ?? 0);
    if (column < 0 || column >= 2 ** used) {
      map[slot] = -1;
      continue;
    }
    let position = 0;
    for (let j = t.axes.length - 1; j >= 0; j--) {
      const { length, columnBits } = t.axes[j];
      const index = (row % lengths[j]) * 2 ** columnBits + (column % 2 ** columnBits);
      row = Math.floor(row / lengths[j]);
      column = Math.floor(column / 2 ** columnBits);
      if (index >= length) position = -1;
      else if (position >= 0) position += index * strides[j];
    }
    map[slot] = position;
  }
  return map;
}
