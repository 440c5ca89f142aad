/** Where committed tensors lie: each in rows of its matrix, or in a block of the columns of one row, that no other has. */
import type { CommittedSource, CommittedTensor, GadgetProgram, LayoutAxis } from '../ir/gadget/program.ts';
import { fail, limits } from './limits.ts';

/**
 * Tensors fill a source's rows from the first to the last, in their order. A row is shared by tensors of one type alone: what
 * is shown of a row's entries is one range for all of them.
 */
export function checkLayout({ name, columns, rows, tensors }: CommittedSource): void {
  let [row, column] = [0, 0];
  let before: CommittedTensor | undefined;
  for (const t of tensors) {
    const { width, rows: own } = extent(t.axes);
    if (width > columns) fail('a committed tensor has too many column bits');
    if (t.rows !== own) fail('rows do not add up');
    // Slots outside a tensor are shown to be zero for each choice of partly filled axes.
    if (2 ** partlyFilled(t.axes) * own > limits.entries / 2 ** 10)
      fail('a committed tensor has too many partly filled axes');
    if (t.firstColumn === undefined) {
      if (t.firstRow !== row) fail('rows do not add up');
      row += own;
      column = width;
    } else {
      if (before?.rows !== 1 || own !== 1 || t.firstRow !== row - 1) fail('rows do not add up');
      if (t.firstColumn % width !== 0 || t.firstColumn < column || t.firstColumn + width > columns)
        fail(`${t.name} does not fit its row`);
      if (t.bits !== before.bits || t.frac !== before.frac) fail(`${t.name} shares a row with another type`);
      column = t.firstColumn + width;
    }
    before = t;
  }
  if (rows !== row) fail(`the rows of ${name} do not add up`);
}

/** How many columns a tensor has of each of its rows, and how many rows. */
const extent = (axes: readonly LayoutAxis[]): { readonly width: number; readonly rows: number } => ({
  width: axes.reduce((n, a) => n * 2 ** a.columnBits, 1),
  rows: axes.reduce((n, a) => n * Math.ceil(a.length / 2 ** a.columnBits), 1),
});

const partlyFilled = (axes: readonly LayoutAxis[]): number =>
  axes.filter((a) => a.length % 2 ** a.columnBits !== 0).length;

/**
 * Every tensor of an output's layout is one whole tensor of the program: what another program takes it for is then what is
 * proved of that tensor.
 */
export function checkOutputs(p: GadgetProgram): void {
  const outputs = p.outputs ?? [];
  const owned = outputs.map((o) => o.tensors.map(() => 0));
  for (const { class: c, name } of p.tensors) {
    if (c.kind !== 'committed' || c.source < p.sources.length) continue;
    if (c.stacked !== 0 || c.files.length !== 1) fail(`${name} is not one tensor of an output`);
    owned[c.source - p.sources.length][c.files[0]]++;
  }
  for (const [k, o] of outputs.entries()) {
    if (o.open) fail(`the output ${o.name} is open`);
    for (const [i, t] of o.tensors.entries())
      if (owned[k][i] !== 1) fail(`${t.name} of the output ${o.name} is ${owned[k][i]} tensors of the program`);
  }
  if (outputs.length > 0 && p.witnessRows === 0) fail('outputs of a proof without rows of its own');
}

/** Every witness tensor lies inside the proof's matrix, in a block of its own: rows, or a part of one. */
export function checkPlaces(p: GadgetProgram): void {
  const blocks: { name: string; row: number; rows: number; column: number; width: number }[] = [];
  for (const { class: c, name } of p.tensors) {
    if (c.kind !== 'witness') continue;
    const { width, rows } = extent(c.axes);
    if (width > p.columns || c.firstColumn % width !== 0 || c.firstColumn + width > p.columns)
      fail(`${name} does not fit its row`);
    if (c.rows !== rows || c.firstRow + rows > p.witnessRows) fail(`${name} does not fit the proof's rows`);
    if (rows > 1 && width < p.columns) fail(`${name} leaves columns of its rows empty`);
    if (2 ** partlyFilled(c.axes) * rows > limits.entries / 2 ** 10) fail(`${name} has too many partly filled axes`);
    blocks.push({ name, row: c.firstRow, rows, column: c.firstColumn, width });
  }
  blocks.sort((a, b) => a.row - b.row || a.column - b.column);
  let [row, column] = [0, 0];
  for (const b of blocks) {
    // The next free row, and the next free column of the one before it.
    const sharesRow = b.row === row - 1 && b.column >= column;
    if (!sharesRow && b.row < row) fail(`${b.name} overlaps another`);
    if (b.row > row) break;
    row = b.row + b.rows;
    column = b.column + b.width;
  }
  if (row !== p.witnessRows) fail('the proof has rows that hold nothing');
}
