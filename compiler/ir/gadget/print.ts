/**
 * The gadget program as text: stable, one line a fact, the golden form of the stage.
 *
 * Complete: two programs that differ in anything but spans print differently. Tensors are `t0`, `t1`, ...; in a term
 * `o0`, `o1`, ... are the indices of its target and `v0`, `v1`, ... what is summed over; in a view and in the guards of
 * a constant `i0`, `i1`, ... are its own indices. Long lists of values are shown by their ends and a digest.
 */
import { abbreviate } from '../abbreviate.ts';
import type { TensorType } from '../tensor/program.ts';
import type {
  CommittedSource,
  CommittedTensor,
  DigitSource,
  GadgetLookup,
  GadgetProgram,
  GadgetTable,
  GadgetTensor,
  LayoutAxis,
} from './program.ts';
import { printAccess, printConditions, printRef, printStep, printTerm, quoted } from './terms.ts';

export function printGadgetProgram(p: GadgetProgram): string {
  return [
    `program ${quoted(p.name)}: ${p.levels} levels, ${p.columns} columns, ${p.folds} folds`,
    ...(p.witnessRows === 0 ? [] : [`the proof: ${p.witnessRows} rows x ${p.columns} columns`]),
    ...p.sources.flatMap((s) => printLayout(s.open ? 'open source' : 'source', s)),
    ...(p.outputs ?? []).flatMap((s) => printLayout('output', s)),
    ...p.tensors.map((t, id) => printTensor(p, t, id)),
    ...p.publics.map((id) => `public ${printRef(p, id)}`),
    ...p.secrets.map((id) => `secret ${printRef(p, id)}`),
    ...p.tables.map(printTable),
    ...p.lookups.map((l) => `lookup ${printLookup(p, l)}`),
    ...p.zeros.map((id) => `zero ${printRef(p, id)}`),
    ...p.equations.flatMap((e, i) => [
      `equation ${i}, level ${e.level}: ${printRef(p, e.target)} =`,
      ...e.terms.map((t) => `  ${printTerm(p, e.target, t)}`),
    ]),
    ...p.steps.flatMap((s) => printStep(p, s)),
    '',
  ].join('\n');
}

const printLayout = (what: string, s: CommittedSource): string[] => [
  `${what} ${quoted(s.name)}: ${s.rows} rows x ${s.columns} columns`,
  ...s.tensors.map(printCommitted),
];

function printCommitted(t: CommittedTensor): string {
  const block = t.firstColumn === undefined ? '' : `, columns from ${t.firstColumn}`;
  return `  ${printRows(t)}${block}: ${quoted(t.name)} fixed<${t.bits}, ${t.frac}> ${printAxes(t.axes)}`;
}

function printTensor(p: GadgetProgram, t: GadgetTensor, id: number): string {
  const type = t.type ? ` ${printType(t.type)}` : '';
  const numbers = `in [${t.range.lo}, ${t.range.hi}] x ${t.scale.num}/${t.scale.den}`;
  const key = t.key === undefined ? '' : ` key ${quoted(t.key)}`;
  return `${printRef(p, id)}[${t.shape.join(', ')}]${type} ${printClass(p, t)} ${numbers}${key}`;
}

const printType = (type: TensorType): string =>
  type.kind === 'index' ? `index<${type.size}>` : `fixed<${type.bits}, ${type.frac}>`;

function printClass(p: GadgetProgram, t: GadgetTensor): string {
  const c = t.class;
  switch (c.kind) {
    case 'committed': {
      const stacked = c.stacked === 0 ? '' : `, stacked over ${c.stacked} ${c.stacked === 1 ? 'axis' : 'axes'}`;
      return `committed (${c.source < p.sources.length ? `source ${c.source}` : `output ${c.source - p.sources.length}`}, files ${abbreviate(c.files.map(String))}${stacked})`;
    }
    case 'digits':
      return `digits of t${c.of}[${c.axes.map((axis) => axis.map(printDigit).join(' ')).join(', ')}]`;
    case 'view':
      return `view ${printAccess(c)}, level ${c.level}`;
    case 'witness':
      return `witness (${printRows(c)}, columns from ${c.firstColumn}: ${printAxes(c.axes)})`;
    case 'gathered':
      return `gathered (rows t${c.indices} of t${c.of})`;
    case 'selector':
      return `selector of t${c.of}`;
    case 'defined':
      return `defined, level ${c.level}`;
    case 'constant': {
      const values = c.values && `constant (${abbreviate(c.values.map(String))})`;
      const guards = c.guards && `indicator of (${printConditions(c.guards)})`;
      return [values, guards].filter((text) => text !== undefined).join(', ') || 'constant';
    }
    case 'input':
    case 'output':
      return `public ${c.kind}`;
  }
}

const printDigit = (d: DigitSource): string => (typeof d === 'number' ? `${d}` : `i${d.variable}.${d.bit}`);

const printRows = ({ firstRow, rows }: { readonly firstRow: number; readonly rows: number }): string =>
  rows === 1 ? `row ${firstRow}` : `rows ${firstRow}..${firstRow + rows - 1}`;

/** `2304 (4 bits in columns) x 8`; a scalar has no axis. */
const printAxes = (axes: readonly LayoutAxis[]): string =>
  axes.map((a) => (a.columnBits === 0 ? `${a.length}` : `${a.length} (${a.columnBits} bits in columns)`)).join(' x ') ||
  'one entry';

function printTable(t: GadgetTable, i: number): string {
  const what =
    t.kind === 'range'
      ? `0 .. 2^${t.bits} - 1`
      : `${quoted(t.name)}, ${t.values.length} values: ${abbreviate(t.values.map(String))}`;
  return `table ${i}: ${what}, multiplicities t${t.multiplicities}`;
}

function printLookup(p: GadgetProgram, l: GadgetLookup): string {
  const [sign, size] = l.offset < 0n ? ['-', -l.offset] : ['+', l.offset];
  const moved = l.offset === 0n ? printRef(p, l.tensor) : `${printRef(p, l.tensor)} ${sign} ${size}`;
  const argument = l.shift === 0 ? moved : `(${moved}) / 2^${l.shift}`;
  return `${argument}${l.value === undefined ? '' : ` -> ${printRef(p, l.value)}`} in table ${l.table}`;
}
